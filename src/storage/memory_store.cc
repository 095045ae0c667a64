#include "storage/memory_store.h"

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
    state_.read([&](const State& state) { state.kept.for_each(each); });
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
