// The records of a durable store: what is kept, as keys and values, and back. Pure.
//
//     key      := kind, then what the table says; numbers big-endian, so that keys sort by them
//     value    := version of the value's form (1 byte), body, checksum (4 bytes)
//     checksum := the low half of XXH3 over the value before it, seeded by XXH3 over the key
//
//     kind           rest of the key         body
//     0 store                                format
//     1 session      session                 client id, expiry, when its client left, its will
//     2 subscription session, filter         options, subscription identifier
//     3 content      content                 a message: what several who wait for it share
//     4 message      session, order, 0       how this client gets it, where it stood, and the
//                                            message itself, or which content it shares
//       sent         session, order, 1       how far it has come since
//     5 received     session, packet id
//     6 retained     topic                   who published it, a message
//     7 layout                               shards, seed of their partitions
//     8 taken        sender, receiver        how many messages of that way have arrived
//     9 handover     sender, receiver, count content, the shared group it is for
//     127 damaged    another record's key    that record's value, whatever it is
//
// A session's records of a kind stand together, its messages in their order, and content before the
// messages and handovers that name it: one pass over the keys restores everything.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/result.h"
#include "broker/store.h"
#include "storage/write_list.h"

namespace storage {

// Of the store as a whole: keys, kinds, and what they mean together. Format 1 had no message in the
// record of who waits for it, formats 1 and 2 no publisher in that of what is retained; they are
// read, and are format 3 from then on.
inline constexpr std::uint32_t store_format = 3;

enum class RecordKind : std::uint8_t {
    store,
    session,
    subscription,
    content,
    message,
    received,
    retained,
    layout,
    taken,
    handover,
    damaged = 127,
};

// Names a message's content; given once, ascending.
enum class ContentNumber : std::uint64_t {};

struct StoreRecord {
    std::uint32_t format = store_format;
};
struct ContentRecord {
    ContentNumber number{};
    broker::MessageRef message{};
};
// A MessageKept with its message, or with the content that it shares; without both it has none.
struct MessageRecord {
    broker::MessageKept kept{};
    ContentNumber content{};
};
// A HandoverKept likewise.
struct HandoverRecord {
    broker::HandoverKept kept{};
    ContentNumber content{};
};

using Record =
    std::variant<StoreRecord, broker::SessionKept, broker::SubscriptionKept, ContentRecord,
                 MessageRecord, broker::MessageSent, broker::ReceivedKept, broker::RetainedKept,
                 broker::LayoutKept, broker::HandoverTaken, HandoverRecord>;

enum class RecordFault : std::uint8_t {
    unknown_kind,   // Of a newer version, or no key of ours at all.
    bad_key,        // Of a known kind, but too short or too long.
    bad_checksum,   // Key or value are not what was written.
    newer_version,  // Whole, but in a form that this version does not know.
    bad_value,      // Whole, and yet it makes no sense.
};
std::string_view to_text(RecordFault fault);

// Appends what writes the record.
void put(WriteList& out, const StoreRecord& record);
void put(WriteList& out, const broker::SessionKept& record);
void put(WriteList& out, const broker::SubscriptionKept& record);
void put(WriteList& out, const ContentRecord& record);
// With the message itself, unless it shares a content.
void put(WriteList& out, const broker::MessageKept& record, ContentNumber content);
inline void put(WriteList& out, const MessageRecord& record) {
    put(out, record.kept, record.content);
}
void put(WriteList& out, const broker::MessageSent& record);
void put(WriteList& out, const broker::ReceivedKept& record);
void put(WriteList& out, const broker::RetainedKept& record);
void put(WriteList& out, const broker::LayoutKept& record);
void put(WriteList& out, const broker::HandoverTaken& record);
void put(WriteList& out, const HandoverRecord& record);
// A record that cannot be read goes aside, as it is.
void put_damaged(WriteList& out, Bytes key, Bytes value);

// Appends what erases the record.
void erase(WriteList& out, Bytes key);
void erase(WriteList& out, ContentNumber content);
void erase(WriteList& out, const broker::SubscriptionEnded& record);
void erase(WriteList& out, const broker::ReceivedReleased& record);
void erase(WriteList& out, const broker::RetainedCleared& record);
void erase(WriteList& out, const broker::HandoverTaken& record);
// That one only.
void erase(WriteList& out, const broker::HandoverDone& record);
// The session's own record only.
void erase(WriteList& out, const broker::SessionEnded& record);
// MessageDone; `was_sent`: there is a record of how far it had come, too.
void erase(WriteList& out, const broker::MessageDone& record, bool was_sent);
// All of a session's records of that kind, which may be many.
void erase_all(WriteList& out, RecordKind kind, broker::SessionNumber session);

base::Result<Record, RecordFault> decode_record(Bytes key, Bytes value);

// The keys of what is looked for.
std::string content_key(ContentNumber content);
std::string message_key(broker::SessionNumber session, std::uint64_t order);
// Of the key of a message, or of how far one has come; nothing for another kind.
struct MessageKey {
    broker::SessionNumber session{};
    std::uint64_t order = 0;
};
std::optional<MessageKey> read_message_key(Bytes key);

// How many bytes the keys of a run share, each of which sorts behind the one written before it:
// contents, one session's messages, what one shard hands to another. 0: the key is of no run.
std::size_t run_prefix_size(Bytes key);

// The key as a line of a log or a list: "message 12/345". Any bytes will do.
std::string describe_key(Bytes key);
std::string_view name_of(RecordKind kind);

}  // namespace storage
