// Answers of an Authenticator that take long: asked for on a shard's thread, made by a WorkPool,
// told on the shard's thread again.
//
//     begin() -> LateExchange, owned by the connection, says `later`
//        \-> WorkPool: work(worker) -> post to the shard -> AuthWaiter, if it still waits
//
// A connection that ends meanwhile takes its exchange with it: work that has not begun is skipped
// then, and an answer is dropped, so that who connects and goes does not hold up others. Work that
// the pool drops at its end tells its client that the server is busy.
//
// Owned by server/; outlives the connections. Threads: begin() by each shard for itself.
#pragma once

#include <cstdint>
#include <functional>

#include "auth/work_pool.h"
#include "broker/authenticator.h"

namespace auth {

class LateAnswers {
public:
    // Runs `task` on the shard's thread, soon; called from any thread.
    using Post = std::function<void(std::uint32_t shard, std::function<void()> task)>;
    // Makes the answer: accepted, refused or unknown. What it needs it has copied.
    using Work = std::function<broker::AuthAnswer(std::size_t worker)>;

    LateAnswers(WorkPool& pool, Post post) : pool_(pool), post_(std::move(post)) {}

    // `later`, or, while too much waits, a refusal: the server is busy.
    broker::AuthBegun begin(std::uint32_t shard, Work work);
    // The same where no client waits: what `work` returns is called on the shard's thread. False,
    // and nothing is done, while too much waits. `if_dropped` is called there in place of it, if
    // the pool ends before.
    bool ask(std::uint32_t shard, std::function<std::function<void()>(std::size_t worker)> work,
             std::function<void()> if_dropped);

private:
    bool post(std::uint32_t shard, WorkPool::Work work, std::function<void()> if_dropped);

    WorkPool& pool_;
    Post post_;
};

}  // namespace auth
