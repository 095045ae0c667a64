#include "storage/memory_store.h"

#include <utility>

namespace storage {

using broker::Change;
using broker::ChangeBatch;
using broker::CommitNumber;

void MemoryStore::apply_first(State& state, Log& log) {
    for (const Change& change : log.pending.front().all()) state.kept.apply(change);
    log.pending.pop_front();
    ++log.committed;
}

CommitNumber MemoryStore::append(std::uint32_t shard, ChangeBatch& batch) {
    return state_.with([&](State& state) {
        Log& log = state.logs[shard];
        state.recorded += batch.size();
        if (state.has_failed) {
            batch.clear();
            return ++log.appended;
        }
        log.pending.emplace_back().absorb(batch);
        const CommitNumber number = ++log.appended;
        if (!state.is_holding) apply_first(state, log);
        return number;
    });
}

CommitNumber MemoryStore::committed(std::uint32_t shard) const {
    return state_.read([&](const State& state) {
        const auto found = state.logs.find(shard);
        return found == state.logs.end() ? 0 : found->second.committed;
    });
}

void MemoryStore::restore(const std::function<void(const Change&)>& each) {
    KeptState kept = state_.with([](State& state) {
        state.reads.clear();
        state.slices.clear();
        return state.kept;
    });
    std::size_t bytes = 0;
    kept.for_each([&](const Change& change) {
        const auto* message = std::get_if<broker::MessageKept>(&change);
        if (!message || !message->message || message->packet_id != 0) return each(change);
        const std::size_t max = restored_bytes_max();
        if (max == 0 || bytes < max) {
            bytes += sizeof(broker::Delivery) + message->message->bytes();
            return each(change);
        }
        broker::MessageKept stored = *message;
        stored.stored_bytes = static_cast<std::uint32_t>(stored.message->payload().size());
        stored.message = {};
        each(stored);
    });
}

void MemoryStore::read_queue(std::uint32_t shard, const broker::QueueRequest& request) {
    const bool is_holding = state_.with([&](State& state) {
        state.reads.push_back({shard, request});
        return state.is_holding_reads;
    });
    if (!is_holding) answer_reads();
}

void MemoryStore::answer_reads() {
    const std::vector<Read> reads = state_.with([](State& state) {
        for (const auto& [shard, request] : state.reads) {
            state.slices[shard].push_back(state.kept.slice(request));
            if (state.read_error.empty()) continue;
            state.slices[shard].back().messages.clear();
            state.slices[shard].back().error = state.read_error;
        }
        state.is_holding_reads = false;
        return std::exchange(state.reads, {});
    });
    for (const Read& read : reads) wake(read.shard);
}

std::vector<broker::QueueSlice> MemoryStore::take_slices(std::uint32_t shard) {
    return state_.with([&](State& state) { return std::exchange(state.slices[shard], {}); });
}

void MemoryStore::hold_reads() {
    state_.with([](State& state) { state.is_holding_reads = true; });
}

void MemoryStore::break_reads(std::string error) {
    state_.with([&](State& state) { state.read_error = std::move(error); });
}

bool MemoryStore::is_behind() const {
    return state_.read([](const State& state) { return state.is_behind; });
}

void MemoryStore::set_behind(bool is_behind, std::uint32_t shard) {
    state_.with([&](State& state) { state.is_behind = is_behind; });
    wake(shard);
}

void MemoryStore::hold_commits() {
    state_.with([](State& state) { state.is_holding = true; });
}

void MemoryStore::commit(std::uint32_t shard, std::size_t batches) {
    state_.with([&](State& state) {
        Log& log = state.logs[shard];
        while (batches-- > 0 && !log.pending.empty()) apply_first(state, log);
    });
    wake(shard);
}

void MemoryStore::fail(std::uint32_t shard) {
    state_.with([](State& state) {
        state.has_failed = true;
        for (auto& [number, log] : state.logs) log.pending.clear();
    });
    wake(shard);
}

bool MemoryStore::has_failed() const {
    return state_.read([](const State& state) { return state.has_failed; });
}

void MemoryStore::lose_pending() {
    state_.with([](State& state) {
        for (auto& [shard, log] : state.logs) {
            log.appended = log.committed;
            log.pending.clear();
        }
        state.is_holding = false;
    });
}

std::size_t MemoryStore::pending() const {
    return state_.read([](const State& state) {
        std::size_t sum = 0;
        for (const auto& [shard, log] : state.logs) sum += log.pending.size();
        return sum;
    });
}

std::size_t MemoryStore::recorded() const {
    return state_.read([](const State& state) { return state.recorded; });
}

}  // namespace storage
