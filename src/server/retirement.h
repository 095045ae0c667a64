// Databases and services that a reload has taken out of use, and how they end without holding up
// anybody: each shard is seen through a task, so that none uses them any more, and then a worker
// waits for what they are still working on, and destroys them.
//
//     add(retired) -> a task for each shard -> the last one back -> worker: destroy
//
// Owned by Access. Threads: shard 0's, or when the shards have ended. Limit: batches_max;
// has_room() says when to wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "auth/http_source.h"
#include "auth/late_answers.h"
#include "auth/realm_sources.h"
#include "auth/sql_source.h"
#include "auth/work_pool.h"

namespace server {

// Of one reload.
struct RetiredUsers {
    auth::RetiredSources<auth::SqlSource> databases{};
    auth::RetiredSources<auth::HttpSource> services{};

    bool is_empty() const { return databases.is_empty() && services.is_empty(); }
};

class Retirement {
public:
    static constexpr std::size_t batches_max = 100;

    // `post` runs a task on a shard's thread.
    Retirement(std::uint32_t shards, auth::LateAnswers::Post post)
        : shards_(shards), post_(std::move(post)) {}

    // Whether another reload may add() something.
    bool has_room();
    void add(RetiredUsers retired);
    // How many have not been destroyed yet.
    std::size_t waiting();
    // Waits for all; no shard runs any more.
    void finish();

private:
    struct Batch {
        RetiredUsers retired;
        std::uint32_t shards_left = 0;
        std::atomic<bool> is_over{false};
    };
    // On a shard's thread; then on shard 0's.
    void tell_passed(Batch& batch);
    void on_passed(Batch& batch);

    const std::uint32_t shards_;
    const auth::LateAnswers::Post post_;
    std::vector<std::unique_ptr<Batch>> batches_;
    auth::WorkPool pool_{{.workers = 1, .queue_max = batches_max}};
};

}  // namespace server
