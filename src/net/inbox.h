// Work for a loop from other threads, in the order in which it came.
//
// Tasks are posted under a lock that is held for a push, and taken all at once, so that the loop
// and its posters meet once a turn. The wake-up is called only when the inbox was empty: one per
// turn and target, however much is posted.
//
// Threads: post(), try_post() and size() from any; run_all() from the loop's.
#pragma once

#include <cstddef>
#include <vector>

#include "base/guarded.h"
#include "net/task.h"

namespace net {

class Inbox {
public:
    using Wake = void (*)(void* context);
    static constexpr std::size_t tasks_max_default = 65'536;

    Inbox(Wake wake, void* context, std::size_t tasks_max = tasks_max_default)
        : wake_(wake), context_(context), tasks_max_(tasks_max) {}

    // False if the inbox is full; then `task` is still the caller's. For what scales with traffic:
    // the caller stops reading from who causes it.
    [[nodiscard]] bool try_post(Task&& task);
    // Never refuses. For control: takeover, shutdown, answers.
    void post(Task task);

    // Runs what has been posted so far; what the tasks post themselves waits for the next call.
    void run_all();
    std::size_t size() const;

private:
    Wake wake_;
    void* context_;
    std::size_t tasks_max_;
    mutable base::Guarded<std::vector<Task>> waiting_;
    std::vector<Task> running_;
};

}  // namespace net
