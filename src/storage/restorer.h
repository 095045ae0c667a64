// Reads a store's records, in the order of their keys, as changes that lead to what was kept, and
// fills the ledger. What cannot be read or used is set aside: it gets a damaged record's key, where
// a person can find it, and a line in the log.
//
// Of what waits in queues, the first `content_bytes_max` bytes come with their content: what
// several share, the oldest first, then what each session has of its own. The others stay in the
// store, and their sessions are told how large they are.
//
// A plain value for one pass; thread: one. Memory: that content, and 5 bytes for each other one.
#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "storage/engine.h"
#include "storage/ledger.h"
#include "storage/number_table.h"

namespace storage {

class Restorer {
public:
    using Each = std::function<void(const broker::Change&)>;
    // Lines of the log about single records; the others are only counted.
    static constexpr std::size_t lines_max = 20;

    // `engine` is what the records come from. `content_bytes_max`: 0 = no limit.
    Restorer(Engine& engine, Ledger& ledger, base::Log& log, const Each& each,
             std::size_t content_bytes_max = 0)
        : engine_(engine),
          ledger_(ledger),
          log_(log),
          each_(each),
          content_bytes_max_(content_bytes_max) {}

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
    bool is_full() const { return content_bytes_max_ != 0 && held_bytes_ >= content_bytes_max_; }
    void count_held(const broker::Message& message);
    void keep_or_leave(broker::MessageKept& kept);
    bool find_content(MessageRecord& record);
    broker::MessageRef find_held(ContentNumber number);
    broker::MessageRef find_or_read(ContentNumber number);
    void drop_unused();
    void set_aside(Bytes key, Bytes value, std::string_view reason);

    Engine& engine_;
    Ledger& ledger_;
    base::Log& log_;
    const Each& each_;
    const std::size_t content_bytes_max_;
    NumberTable sizes_;                // Of every content's payload, plus 1.
    std::vector<ContentRecord> held_;  // The first of them, ascending.
    std::size_t held_bytes_ = 0;
    std::size_t next_held_ = 0;  // Where the next one is, most likely.
    Pending pending_;
    WriteList mended_;
    std::size_t set_aside_ = 0;
};

}  // namespace storage
