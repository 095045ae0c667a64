// A lock that owns what it protects: the data cannot be reached without holding it.
#pragma once

#include <mutex>
#include <shared_mutex>
#include <utility>

namespace base {

template <typename T, typename Mutex = std::mutex>
class Guarded {
public:
    template <typename... Args>
    explicit Guarded(Args&&... args) : data_(std::forward<Args>(args)...) {}

    // Runs `use(data)` with the lock held for writing; returns what it returns.
    template <typename Use>
    auto with(Use&& use) {
        std::unique_lock lock(mutex_);
        return std::forward<Use>(use)(data_);
    }
    // Runs `use(data)` with the lock held for reading; needs Mutex = std::shared_mutex.
    template <typename Use>
    auto read(Use&& use) const {
        std::shared_lock lock(mutex_);
        return std::forward<Use>(use)(static_cast<const T&>(data_));
    }

private:
    mutable Mutex mutex_;
    T data_;
};

}  // namespace base
