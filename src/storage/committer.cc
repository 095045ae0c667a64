#include "storage/committer.h"

#include <algorithm>
#include <utility>

namespace storage {
namespace {

using base::LogType;
using broker::ChangeBatch;
using broker::CommitNumber;

constexpr std::size_t change_bytes = 64;  // What a change costs without its message, about.

const broker::Message* message_of(const broker::Change& change) {
    if (const auto* kept = std::get_if<broker::MessageKept>(&change)) return kept->message.get();
    if (const auto* kept = std::get_if<broker::RetainedKept>(&change)) return kept->message.get();
    if (const auto* kept = std::get_if<broker::HandoverKept>(&change)) return kept->message.get();
    if (const auto* kept = std::get_if<broker::SessionKept>(&change)) return kept->will.get();
    return nullptr;
}

// A message that many sessions keep is counted once: they stand side by side.
std::size_t bytes_of(const ChangeBatch& batch) {
    std::size_t bytes = 0;
    const broker::Message* previous = nullptr;
    for (const broker::Change& change : batch.all()) {
        const broker::Message* message = message_of(change);
        bytes += change_bytes;
        if (message && message != previous) bytes += message->bytes();
        previous = message;
    }
    return bytes;
}

// Whether a client has it and may be about to acknowledge it. One of QoS 2 is held back until it is
// safe.
bool is_with_client(const broker::MessageKept& kept) {
    return kept.packet_id != 0 && kept.state == broker::OutgoingState::wait_puback;
}

// False as soon as there is anything that must be written, whatever clients do; or nothing at all.
bool only_waits_for_clients(const ChangeBatch& batch) {
    bool has_any = false;
    for (const broker::Change& change : batch.all()) {
        if (const auto* kept = std::get_if<broker::MessageKept>(&change)) {
            if (!is_with_client(*kept)) return false;
            has_any = true;
        } else if (!std::holds_alternative<broker::MessageDone>(change)) {
            return false;
        }
    }
    return has_any;
}

}  // namespace

void Committer::start(std::function<void(std::uint32_t)> wake) {
    wake_ = std::move(wake);
    if (options_.has_thread) thread_ = std::thread([this] { run(); });
}

void Committer::finish() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    something_to_do_.notify_all();
    thread_.join();
}

CommitNumber Committer::append(std::uint32_t shard, ChangeBatch& batch) {
    const std::size_t bytes = bytes_of(batch);
    batches_.fetch_add(1, std::memory_order_relaxed);
    const bool has_failed = has_failed_.load(std::memory_order_acquire);
    if (has_failed) {
        dropped_.fetch_add(batch.size(), std::memory_order_relaxed);
        batch.clear();
    } else if (waiting_bytes_.fetch_add(bytes) + bytes > options_.waiting_bytes_max) {
        if (!is_behind_.exchange(true)) times_behind_.fetch_add(1, std::memory_order_relaxed);
    }
    CommitNumber number = 0;
    {
        const std::lock_guard lock(mutex_);
        number = ++gathering_.appended[shard];
        if (has_failed) return number;
        gathering_.changes.absorb(batch);
        gathering_.bytes += bytes;
        gathering_.has_batches = true;
    }
    something_to_do_.notify_one();
    return number;
}

void Committer::run() {
    std::chrono::milliseconds pause = options_.retry_first;
    while (wait_for_group()) {
        if (!is_encoded_) wait_for_clients();
        if (write_group() != WriteAttempt::no_space) {
            pause = options_.retry_first;
            continue;
        }
        if (!wait_for_space(pause)) give_up();
        pause = std::min(pause * 2, options_.retry_longest);
    }
}

// False if there will be nothing to write any more.
bool Committer::wait_for_group() {
    if (has_group_) return true;
    std::unique_lock lock(mutex_);
    something_to_do_.wait(lock, [this] { return stopping_ || gathering_.has_batches; });
    return gathering_.has_batches;
}

// What came is looked at again when it is half of what was there: that is soon where little is, and
// where much is, not for each of it.
bool Committer::wait_for_more(std::chrono::steady_clock::time_point end) {
    std::unique_lock lock(mutex_);
    return something_to_do_.wait_until(lock, end, [this] {
        return stopping_ || gathering_.changes.size() * 2 >= group_.size();
    }) && !stopping_;
}

void Committer::wait_for_clients() {
    take_group();
    if (!only_waits_for_clients(group_)) return;
    const auto patience = patience_.next();
    if (patience <= patience.zero()) return;
    const auto end = std::chrono::steady_clock::now() + patience;
    bool goes_on = true;
    while (goes_on && only_waits_for_clients(group_)) {
        goes_on = wait_for_more(end);
        take_group();
    }
    patience_.learn(group_.size() <= group_taken_ / 2);
}

WriteAttempt Committer::write_group() {
    if (!has_group_ && !take_group()) return WriteAttempt::nothing_waits;
    if (!is_encoded_) encode_group();
    const bool is_wanted = !has_failed_.load(std::memory_order_relaxed);
    if (is_wanted && !writes_.empty()) {
        const auto written = try_to_write();
        if (written) {
            count_written();
        } else if (written.error().kind == EngineError::Kind::no_space) {
            return WriteAttempt::no_space;
        } else {
            fail(written.error().text);
        }
    }
    end_group();
    return WriteAttempt::done;
}

// Adds what has gathered to the group. False if nothing has.
bool Committer::take_group() {
    {
        const std::lock_guard lock(mutex_);
        if (!std::exchange(gathering_.has_batches, false)) return false;
        group_taken_ += gathering_.changes.size();
        group_.absorb(gathering_.changes);
        group_numbers_ = gathering_.appended;
        group_bytes_ += std::exchange(gathering_.bytes, 0);
    }
    has_group_ = true;
    group_.prune();
    return true;
}

void Committer::encode_group() {
    writes_.clear();
    if (!has_failed_.load(std::memory_order_relaxed)) ledger_.write(group_, writes_);
    is_encoded_ = true;
}

base::Result<void, EngineError> Committer::try_to_write() {
    base::Result<void, EngineError> written;
    if (is_out_of_space_.load(std::memory_order_relaxed)) written = engine_.resume();
    if (written) {
        const auto begin = std::chrono::steady_clock::now();
        written = engine_.write(writes_, options_.sync && group_.needs_sync());
        patience_.learn_write(std::chrono::steady_clock::now() - begin);
    }
    if (written || written.error().kind != EngineError::Kind::no_space) return written;
    if (!is_out_of_space_.exchange(true)) {
        log_.print(LogType::error,
                   "Error: the store has no space left ({}). What is to be kept is not "
                   "acknowledged until there is some.",
                   written.error().text);
    }
    return written;
}

void Committer::count_written() {
    groups_.fetch_add(1, std::memory_order_relaxed);
    writes_written_.fetch_add(writes_.size(), std::memory_order_relaxed);
    bytes_written_.fetch_add(writes_.byte_count(), std::memory_order_relaxed);
    if (!is_out_of_space_.exchange(false)) return;
    log_.print(LogType::notice, "The store has space again and goes on.");
}

// Of a store that has failed nothing is committed.
void Committer::end_group() {
    if (has_failed_.load(std::memory_order_relaxed)) {
        dropped_.fetch_add(group_.size(), std::memory_order_relaxed);
    } else {
        publish(group_numbers_);
    }
    group_.clear();
    group_taken_ = 0;
    has_group_ = false;
    is_encoded_ = false;
    release(std::exchange(group_bytes_, 0));
}

// False if the broker ends first.
bool Committer::wait_for_space(std::chrono::milliseconds pause) {
    std::unique_lock lock(mutex_);
    return !something_to_do_.wait_for(lock, pause, [this] { return stopping_; });
}

void Committer::give_up() {
    has_failed_.store(true, std::memory_order_release);
    log_.print(LogType::error,
               "Error: the store ends without space: what was not acknowledged is not kept.");
}

void Committer::fail(const std::string& reason) {
    has_failed_.store(true, std::memory_order_release);
    log_.print(LogType::error,
               "Error: the store has failed: {}. Nothing more is kept, and nothing that is to be "
               "kept is acknowledged, until the broker is started again.",
               reason);
    for (std::uint32_t shard = 0; shard < options_.shards; ++shard) wake_(shard);
}

void Committer::publish(const Numbers& numbers) {
    for (std::uint32_t shard = 0; shard < options_.shards; ++shard) {
        std::atomic<CommitNumber>& committed = lanes_[shard].committed;
        if (committed.load(std::memory_order_relaxed) == numbers[shard]) continue;
        committed.store(numbers[shard], std::memory_order_release);
        wake_(shard);
    }
}

void Committer::release(std::size_t bytes) {
    if (waiting_bytes_.fetch_sub(bytes) - bytes > options_.waiting_bytes_max / 2) return;
    if (!is_behind_.exchange(false)) return;
    for (std::uint32_t shard = 0; shard < options_.shards; ++shard) wake_(shard);
}

broker::StoreFigures Committer::figures() const {
    broker::StoreFigures figures;
    figures.batches = batches_.load(std::memory_order_relaxed);
    figures.groups = groups_.load(std::memory_order_relaxed);
    figures.writes = writes_written_.load(std::memory_order_relaxed);
    figures.bytes = bytes_written_.load(std::memory_order_relaxed);
    figures.waiting_bytes = waiting_bytes_.load(std::memory_order_relaxed);
    figures.times_behind = times_behind_.load(std::memory_order_relaxed);
    figures.dropped = dropped_.load(std::memory_order_relaxed);
    figures.is_out_of_space = is_out_of_space_.load(std::memory_order_relaxed);
    figures.has_failed = has_failed_.load(std::memory_order_relaxed);
    return figures;
}

}  // namespace storage
