// Reads a store's records, in the order of their keys, as changes that lead to what was kept, and
// fills the ledger. What cannot be read or used is set aside: it gets a damaged record's key, where
// a person can find it, and a line in the log.
//
// A plain value for one pass; thread: one. Memory: one word for each content, besides the ledger.
#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "storage/ledger.h"

namespace storage {

class Restorer {
public:
    using Each = std::function<void(const broker::Change&)>;
    // Lines of the log about single records; the others are only counted.
    static constexpr std::size_t lines_max = 20;

    Restorer(Ledger& ledger, base::Log& log, const Each& each)
        : ledger_(ledger), log_(log), each_(each) {}

    void apply(Bytes key, Bytes value);
    // After the last record: what the store must be changed by, which may be nothing.
    WriteList finish();
    std::size_t set_aside_count() const { return set_aside_; }

private:
    // A message waits for the record of how far it had come, which stands behind it.
    struct Pending {
        bool exists = false;
        bool is_sent = false;
        MessageRecord record;
        std::string key;
        std::string value;
    };

    bool take(const StoreRecord&) { return true; }
    bool take(const broker::SessionKept& record);
    bool take(const broker::SubscriptionKept& record);
    bool take(const ContentRecord& record);
    bool take(const broker::MessageSent& record);
    bool take(const broker::ReceivedKept& record);
    bool take(const broker::RetainedKept& record);
    bool take(const broker::LayoutKept& record);
    bool take(const broker::HandoverTaken& record);
    bool take(const HandoverRecord& record);
    void hold(const MessageRecord& record, Bytes key, Bytes value);
    void end_pending();
    bool use_pending();
    KeptContent* find_content(ContentNumber number);
    void set_aside(Bytes key, Bytes value, std::string_view reason);

    Ledger& ledger_;
    base::Log& log_;
    const Each& each_;
    std::vector<KeptContent*> contents_;  // Ascending by their numbers.
    std::size_t next_content_ = 0;        // Where the next one is, most likely.
    Pending pending_;
    WriteList mended_;
    std::size_t set_aside_ = 0;
};

}  // namespace storage
