#include "auth/message_queue.h"

#include <utility>

namespace auth {

bool MessageQueue::is_full_batch() const {
    return rows_.size() >= limits_.batch_messages_max || row_bytes_ >= limits_.batch_bytes_max;
}

// Who writes is woken for the first row, and when there is no reason to wait for more.
bool MessageQueue::put(MessageRow row) {
    const std::size_t bytes = row.bytes();
    bool wakes = false;
    {
        const std::lock_guard lock(mutex_);
        const bool has_room =
            messages_.load() < limits_.messages_max && bytes_.load() + bytes <= limits_.bytes_max;
        if (finishing_ || !has_room) return false;
        messages_.fetch_add(1);
        bytes_.fetch_add(bytes);
        const bool was_full = is_full_batch();
        rows_.push_back(std::move(row));
        row_bytes_ += bytes;
        wakes = std::exchange(is_awaited_, false) || (!was_full && is_full_batch());
    }
    if (wakes) something_to_do_.notify_one();
    return true;
}

std::vector<MessageRow> MessageQueue::take() {
    std::unique_lock lock(mutex_);
    is_awaited_ = rows_.empty();
    something_to_do_.wait(lock, [this] { return finishing_ || !rows_.empty(); });
    something_to_do_.wait_for(lock, limits_.fill, [this] { return finishing_ || is_full_batch(); });
    std::vector<MessageRow> batch;
    std::size_t batch_bytes = 0;
    while (!rows_.empty() && batch.size() < limits_.batch_messages_max) {
        const std::size_t bytes = rows_.front().bytes();
        if (!batch.empty() && batch_bytes + bytes > limits_.batch_bytes_max) break;
        batch_bytes += bytes;
        batch.push_back(std::move(rows_.front()));
        rows_.pop_front();
    }
    row_bytes_ -= batch_bytes;
    return batch;
}

void MessageQueue::release(const std::vector<MessageRow>& batch) {
    std::size_t bytes = 0;
    for (const MessageRow& row : batch) bytes += row.bytes();
    const std::lock_guard lock(mutex_);
    messages_.fetch_sub(batch.size());
    bytes_.fetch_sub(bytes);
}

bool MessageQueue::rest(std::chrono::milliseconds duration) {
    std::unique_lock lock(mutex_);
    return !something_to_do_.wait_for(lock, duration, [this] { return finishing_; });
}

void MessageQueue::finish() {
    {
        const std::lock_guard lock(mutex_);
        finishing_ = true;
    }
    something_to_do_.notify_all();
}

}  // namespace auth
