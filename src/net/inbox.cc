#include "net/inbox.h"

namespace net {

bool Inbox::try_post(Task&& task) {
    bool was_empty = false;
    const bool taken = waiting_.with([&](std::vector<Task>& waiting) {
        if (waiting.size() >= tasks_max_) return false;
        was_empty = waiting.empty();
        waiting.push_back(std::move(task));
        return true;
    });
    if (was_empty) wake_(context_);
    return taken;
}

void Inbox::post(Task task) {
    const bool was_empty = waiting_.with([&](std::vector<Task>& waiting) {
        waiting.push_back(std::move(task));
        return waiting.size() == 1;
    });
    if (was_empty) wake_(context_);
}

void Inbox::run_all() {
    waiting_.with([this](std::vector<Task>& waiting) { waiting.swap(running_); });
    for (Task& task : running_) task();
    running_.clear();
}

std::size_t Inbox::size() const {
    return waiting_.with([](const std::vector<Task>& waiting) { return waiting.size(); });
}

}  // namespace net
