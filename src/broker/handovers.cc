#include "broker/handovers.h"

#include <algorithm>
#include <utility>

namespace broker {

std::uint64_t Handovers::hand_over(std::uint32_t to, Care care) {
    Handed& handed = handed_[to];
    ++handed.count;
    ++handed_over_;
    if (care == Care::kept) handed.kept = handed.count;
    if (care != Care::none) {
        handed.is_promised = true;
        ++promised_;
    }
    return handed.count;
}

void Handovers::take(std::uint32_t from, std::uint64_t count, bool are_kept) {
    Taken& taken = taken_[from];
    taken.count += count;
    taken.is_new = true;
    taken.is_kept = taken.is_kept || are_kept;
}

void Handovers::record_taken(ChangeBatch& changes) {
    for (std::uint32_t from = 0; from < taken_.size(); ++from) {
        if (!std::exchange(taken_[from].is_kept, false)) continue;
        changes.add(HandoverTaken{from, shard_, taken_[from].count}, false);
    }
}

void Handovers::record_done(ChangeBatch& changes) {
    for (std::uint32_t to = 0; to < handed_.size(); ++to) {
        Handed& handed = handed_[to];
        if (handed.kept <= handed.done) continue;
        const std::uint64_t safe = ledger_.safe(shard_, to);
        if (safe <= handed.done) continue;
        handed.done = safe;
        changes.add(HandoverDone{shard_, to, safe}, false);
    }
}

void Handovers::keep_passed_on(std::uint32_t origin) {
    Taken& taken = taken_[origin];
    ++taken.kept_passed_on;
    taken.is_new = true;
}

std::vector<Handover> Handovers::take_promises() {
    std::vector<Handover> promises;
    for (std::uint32_t to = 0; to < handed_.size(); ++to) {
        Handed& handed = handed_[to];
        if (handed.is_promised) promises.push_back({to, handed.count});
        handed.is_promised = false;
    }
    return promises;
}

bool Handovers::are_safe(const std::vector<Handover>& handovers) const {
    if (handovers.empty()) return true;
    const bool are_there = std::ranges::all_of(handovers, [this](const Handover& one) {
        return ledger_.safe(shard_, one.to) >= one.count;
    });
    return are_there && ledger_.is_settled(shard_);
}

void Handovers::close_turn(CommitNumber number) {
    for (std::uint32_t sender = 0; sender < taken_.size(); ++sender) {
        Taken& taken = taken_[sender];
        if (!taken.is_new) continue;
        receipts_.push_back({number, sender, taken.count, taken.kept_passed_on});
        taken.is_new = false;
        taken.kept_passed_on = 0;
    }
}

void Handovers::give_receipts(CommitNumber committed,
                              const std::function<void(std::uint32_t)>& wake) {
    while (!receipts_.empty() && receipts_.front().number <= committed) {
        const Receipt receipt = receipts_.front();
        receipts_.pop_front();
        if (receipt.kept_passed_on != 0) ledger_.settle(receipt.sender, receipt.kept_passed_on);
        ledger_.set_safe(receipt.sender, shard_, receipt.count);
        if (receipt.sender != shard_) wake(receipt.sender);
    }
}

}  // namespace broker
