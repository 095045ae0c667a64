// Reads queues back that have left memory: a shard asks for a slice of a session's queue, and is
// woken when it is there. One request after the other, beside what the Committer writes.
//
//     shard -> ask(): [requests]  ->  thread: read_slice()  ->  [slices] -> wake -> take()
//
// Owned by a DurableStore. Threads: ask() and take() by each shard for itself; one thread of its
// own, from the first ask() to finish(): most stores are never asked. Limit: a session has one
// request on its way at the most.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "broker/queue_slice.h"
#include "storage/engine.h"
#include "storage/record.h"

namespace storage {

// A message whose content is on disk; empty if that is not there or damaged.
base::Result<broker::MessageRef, std::string> read_content(Engine& engine, ContentNumber content);

// What cannot be read is counted and left where it is.
broker::QueueSlice read_slice(Engine& engine, const broker::QueueRequest& request);

class QueueReader {
public:
    explicit QueueReader(Engine& engine) : engine_(engine) {}
    QueueReader(const QueueReader&) = delete;
    QueueReader& operator=(const QueueReader&) = delete;
    ~QueueReader() { finish(); }

    // `wake(shard)` is called from the thread when take(shard) has something. Before any ask().
    void start(std::function<void(std::uint32_t shard)> wake) { wake_ = std::move(wake); }
    // Ends the thread; what was asked for is not answered any more.
    void finish();

    void ask(std::uint32_t shard, const broker::QueueRequest& request);
    std::vector<broker::QueueSlice> take(std::uint32_t shard);

private:
    void run();

    Engine& engine_;
    std::function<void(std::uint32_t)> wake_;

    std::mutex mutex_;  // Of the next four.
    std::thread thread_;
    std::deque<std::pair<std::uint32_t, broker::QueueRequest>> requests_;
    std::map<std::uint32_t, std::vector<broker::QueueSlice>> slices_;  // By shard.
    bool stopping_ = false;
    std::condition_variable something_to_do_;
};

}  // namespace storage
