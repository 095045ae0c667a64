#include "auth/work_pool.h"

#include <utility>

namespace auth {

bool WorkPool::post(Work work) {
    std::unique_lock lock(mutex_);
    if (finishing_ || queue_.size() >= limits_.queue_max) {
        refused_.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    queue_.push_back(std::move(work));
    waiting_.store(queue_.size(), std::memory_order_relaxed);
    while (threads_.size() < limits_.workers) {
        threads_.emplace_back([this, worker = threads_.size()] { run(worker); });
    }
    lock.unlock();
    something_to_do_.notify_one();
    return true;
}

void WorkPool::finish() {
    std::deque<Work> dropped;  // Destroyed without the lock: who knows what it holds.
    std::vector<std::thread> threads;
    {
        const std::lock_guard lock(mutex_);
        finishing_ = true;
        dropped.swap(queue_);
        threads.swap(threads_);
        waiting_.store(0, std::memory_order_relaxed);
    }
    something_to_do_.notify_all();
    dropped.clear();  // Who waits for it need not wait for the threads.
    for (std::thread& thread : threads) thread.join();
}

void WorkPool::run(std::size_t worker) {
    std::unique_lock lock(mutex_);
    for (;;) {
        something_to_do_.wait(lock, [this] { return finishing_ || !queue_.empty(); });
        if (finishing_) return;
        Work work = std::move(queue_.front());
        queue_.pop_front();
        waiting_.store(queue_.size(), std::memory_order_relaxed);
        lock.unlock();
        work(worker);
        work = nullptr;
        done_.fetch_add(1, std::memory_order_relaxed);
        lock.lock();
    }
}

}  // namespace auth
