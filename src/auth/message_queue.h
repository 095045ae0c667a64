// Messages that wait to be written to a database: bounded, and taken out in batches.
//
//     put() by shards -> [ waiting ] -> take() a batch -> written, or dropped -> release()
//
// What has been taken counts until it is released, so that the limits hold for all there is.
//
// Owned by MessageWriter. Threads: put() and figures from any; the rest by the one that writes, but
// for finish(). A mutex is held to put or take; who puts never waits for a database.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "broker/message.h"

namespace auth {

struct MessageRow {
    std::size_t table = 0;  // Of MessageWriter's.
    broker::MessageRef message{};
    std::string client_id{};
    std::string user_name{};
    std::int64_t wall_ms = 0;  // When it was published; since 1970.

    // What it costs in memory.
    std::size_t bytes() const {
        return sizeof(MessageRow) + message->bytes() + client_id.size() + user_name.size();
    }
};

class MessageQueue {
public:
    struct Limits {
        std::size_t messages_max = 100'000;
        std::size_t bytes_max = std::size_t{64} << 20;
        // Of a batch; a larger message is one by itself.
        std::size_t batch_messages_max = 200;
        std::size_t batch_bytes_max = std::size_t{1} << 20;
        // How long the first message of a batch waits for others.
        std::chrono::milliseconds fill{200};
    };

    explicit MessageQueue(const Limits& limits) : limits_(limits) {}
    MessageQueue(const MessageQueue&) = delete;
    MessageQueue& operator=(const MessageQueue&) = delete;

    // False if there is no room, or after finish().
    bool put(MessageRow row);
    // Waits for a batch, in the order of put(). After finish() it waits no more, and nothing is
    // left when it is empty.
    std::vector<MessageRow> take();
    // What take() gave is written, or dropped.
    void release(const std::vector<MessageRow>& batch);
    // Waits; false, and at once, after finish().
    bool rest(std::chrono::milliseconds duration);
    void finish();

    std::size_t waiting() const { return messages_.load(std::memory_order_relaxed); }
    std::size_t waiting_bytes() const { return bytes_.load(std::memory_order_relaxed); }

private:
    bool is_full_batch() const;

    const Limits limits_;
    // Changed under the mutex only.
    std::atomic<std::size_t> messages_{0};
    std::atomic<std::size_t> bytes_{0};

    std::mutex mutex_;  // Of the next four.
    std::deque<MessageRow> rows_;
    std::size_t row_bytes_ = 0;  // Of those in rows_.
    bool is_awaited_ = false;    // take() sleeps until there is a first row.
    bool finishing_ = false;
    std::condition_variable something_to_do_;
};

}  // namespace auth
