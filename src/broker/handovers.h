// One shard's side of the HandoverLedger: what it has handed over and what its promises wait for,
// what it was handed and whom it must tell when that is safe.
//
// What it was handed is safe when the batch of that turn is, and waits for nothing else. Were it to
// wait for what the same turn handed over, two shards could wait for each other for ever.
//
// What nobody would send again is in the store while it is on its way (HandoverKept). The receiver
// records how far it has taken such messages with what it made of them; once that is safe, they
// leave the store with whatever the sender records next.
//
// Owned by a Shard, and used only with a store that records. Limit: one receipt for each turn on
// its way to the disk.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "broker/handover_ledger.h"
#include "broker/store.h"

namespace broker {

// The first `count` messages to that shard.
struct Handover {
    std::uint32_t to = 0;
    std::uint64_t count = 0;
};

class Handovers {
public:
    Handovers(HandoverLedger& ledger, std::uint32_t shard, std::uint32_t shards)
        : ledger_(ledger), shard_(shard), handed_(shards), taken_(shards) {}

    // A message to another shard; how many that were so far. Its sender is promised something (QoS
    // 1 and 2), or more than that, it is in the store.
    enum class Care : std::uint8_t { none, promised, kept };
    std::uint64_t hand_over(std::uint32_t to, Care care);
    // `count` messages from another shard, in this turn; some of them are in the store.
    void take(std::uint32_t from, std::uint64_t count, bool are_kept);
    // A message of that shard's clients, in this turn: it goes on to a third one, or has come from
    // a third one and stays.
    void pass_on(std::uint32_t origin) { ledger_.pass_on(origin); }
    void keep_passed_on(std::uint32_t origin);

    // Messages that were handed over: for who must know whether one was.
    std::uint64_t handed_over() const { return handed_over_; }
    // Those of them that were promised.
    std::uint64_t promised() const { return promised_; }
    // What the turn has promised and others must make safe.
    std::vector<Handover> take_promises();
    bool are_safe(const std::vector<Handover>& handovers) const;

    // What the store is to know of what this turn took, and, if the turn records something anyway,
    // of what has arrived. Neither needs a sync: what it goes with asks for one.
    void record_taken(ChangeBatch& changes);
    void record_done(ChangeBatch& changes);

    // What was taken in this turn is safe when the store has committed `number`; 0 = as soon as
    // what was taken before it.
    void close_turn(CommitNumber number);
    // Tells the senders what is safe, and calls `wake` for each.
    void give_receipts(CommitNumber committed, const std::function<void(std::uint32_t)>& wake);

private:
    struct Handed {
        std::uint64_t count = 0;
        std::uint64_t kept = 0;    // The last of them that is in the store.
        std::uint64_t done = 0;    // So many are known to have arrived.
        bool is_promised = false;  // Some of it, in this turn.
    };
    struct Taken {
        std::uint64_t count = 0;
        std::uint64_t kept_passed_on = 0;  // In this turn.
        bool is_new = false;               // Some of it, in this turn.
        bool is_kept = false;              // Some of that is in the store.
    };
    struct Receipt {
        CommitNumber number = 0;
        std::uint32_t sender = 0;
        std::uint64_t count = 0;
        std::uint64_t kept_passed_on = 0;
    };

    HandoverLedger& ledger_;
    std::uint32_t shard_;
    std::vector<Handed> handed_;  // By receiver.
    std::vector<Taken> taken_;    // By sender, or by origin.
    std::uint64_t handed_over_ = 0;
    std::uint64_t promised_ = 0;
    std::deque<Receipt> receipts_;
};

}  // namespace broker
