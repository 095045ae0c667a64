// What the store must know of what is on disk in order to change it: which sessions there are, and
// who still needs which message's content. Turns a group of changes into writes.
//
// A message that one session waits for is in the record of that. What several wait for is a content
// of its own, written once and erased with the last of them. The counts are in memory only: a
// restore counts again. The message itself is not held: it carries the number of its content, by
// which it is known again, and may leave memory.
//
// Owned by a DurableStore; thread: one at a time. Cost: 16 bytes a kept message, about 5 a content,
// about 100 a session.
#pragma once

#include <deque>
#include <map>
#include <unordered_map>

#include "broker/store.h"
#include "storage/kept_messages.h"
#include "storage/number_table.h"
#include "storage/record.h"

namespace storage {

class Ledger {
public:
    // Appends what the changes come to. A change of something that is not there (a session that
    // has ended) does nothing.
    void write(const broker::ChangeBatch& group, WriteList& out);

    // For a restore: what is on disk already.
    void add_session(broker::SessionNumber session) { sessions_.try_emplace(session); }
    // Counts a record that belongs to a session; false if there is no such session.
    bool add(const broker::SubscriptionKept& record);
    bool add(const broker::ReceivedKept& record);
    // The number is taken.
    void add_content(ContentNumber number);
    bool add_message(const broker::MessageKept& record, ContentNumber content, bool is_sent);
    void add(const broker::HandoverTaken& record);
    void add_handover(const broker::HandoverKept& record, ContentNumber content);
    // Whether somebody waits for it.
    bool is_used(ContentNumber content) const { return users_.get(content) > 0; }

private:
    struct Session {
        KeptMessages messages;
        bool has_subscriptions = false;
        bool has_received = false;
    };
    // From one shard to another.
    struct Way {
        struct Handover {
            std::uint64_t count;
            ContentNumber content;
        };
        std::deque<Handover> handovers;  // By their counts.
        bool has_taken = false;
    };

    void write(const broker::SessionKept& change, WriteList& out);
    void write(const broker::SessionEnded& change, WriteList& out);
    void write(const broker::SubscriptionKept& change, WriteList& out);
    void write(const broker::SubscriptionEnded& change, WriteList& out);
    void write(const broker::MessageKept& change, WriteList& out);
    void write(const broker::MessageSent& change, WriteList& out);
    void write(const broker::MessageDone& change, WriteList& out);
    void write(const broker::ReceivedKept& change, WriteList& out);
    void write(const broker::ReceivedReleased& change, WriteList& out);
    void write(const broker::RetainedKept& change, WriteList& out);
    void write(const broker::RetainedCleared& change, WriteList& out);
    void write(const broker::LayoutKept& change, WriteList& out);
    void write(const broker::HandoverKept& change, WriteList& out);
    void write(const broker::HandoverTaken& change, WriteList& out);
    void write(const broker::HandoverDone& change, WriteList& out);
    void write(const broker::HandoversCleared& change, WriteList& out);

    Session* find(broker::SessionNumber session);
    bool has_content(const broker::Message& message) const;
    ContentNumber use(const broker::MessageRef& message, WriteList& out);
    void release(ContentNumber content, WriteList& out);

    std::unordered_map<broker::SessionNumber, Session> sessions_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, Way> ways_;  // By sender, receiver.
    NumberTable users_;  // How many sessions and handovers wait for a content.
    ContentNumber next_content_{1};
    const broker::Message* next_message_ =
        nullptr;  // Of the change behind the one that is written.
};

}  // namespace storage
