#include "storage/record.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include "mqtt/reader.h"
#include "mqtt/writer.h"

namespace storage {
namespace {

using Action = WriteList::Action;
using broker::SessionNumber;
using mqtt::Reader;
using mqtt::Writer;

constexpr std::uint8_t value_version = 1;
constexpr std::size_t checksum_bytes = 4;
constexpr std::uint8_t part_kept = 0;
constexpr std::uint8_t part_sent = 1;

// Bits of a message's, a subscription's or a queued message's first byte; QoS is in the lowest two.
constexpr std::uint8_t bit_retain = 4;
constexpr std::uint8_t bit_expires = 8;
constexpr std::uint8_t bit_no_local = 4;
constexpr std::uint8_t bit_as_published = 8;
constexpr unsigned shift_retain_handling = 4;
constexpr unsigned shift_state = 4;
// Of a session's: a will waits, and it has an expiry.
constexpr std::uint8_t bit_will = 1;
constexpr std::uint8_t bit_will_expires = 2;

void u64(Writer& out, std::uint64_t value) {
    out.u32(static_cast<std::uint32_t>(value >> 32));
    out.u32(static_cast<std::uint32_t>(value));
}

std::uint64_t u64(Reader& in) {
    const std::uint64_t high = in.u32();
    return high << 32 | in.u32();
}

std::uint32_t checksum(Bytes key, Bytes value) {
    const std::uint64_t seed = XXH3_64bits(key.data(), key.size());
    return static_cast<std::uint32_t>(XXH3_64bits_withSeed(value.data(), value.size(), seed));
}

Writer begin(WriteList& out, Action action, RecordKind kind) {
    out.begin(action);
    Writer writer(out.bytes());
    writer.u8(static_cast<std::uint8_t>(kind));
    return writer;
}

void key_session(Writer& out, SessionNumber session) {
    u64(out, static_cast<std::uint64_t>(session));
}

void key_message(Writer& out, SessionNumber session, std::uint64_t order) {
    key_session(out, session);
    u64(out, order);
}

void key_way(Writer& out, std::uint32_t from, std::uint32_t to) {
    out.u32(from);
    out.u32(to);
}

// The key is whole; the value's body follows.
void begin_value(WriteList& out, Writer& writer) {
    out.end_first();
    writer.u8(value_version);
}

void end_value(WriteList& out, Writer& writer) {
    writer.u32(checksum(out.open_first(), out.open_second()));
    out.end();
}

void end_erase(WriteList& out) {
    out.end_first();
    out.end();
}

// The publisher is not kept: its number means nothing to another process (broker::Message::source).
void write_message(Writer& out, const broker::Message& message) {
    const std::int64_t expiry = message.expiry_wall_ms();
    out.u8(static_cast<std::uint8_t>(static_cast<unsigned>(message.qos()) |
                                     (message.retain() ? bit_retain : 0U) |
                                     (expiry != 0 ? bit_expires : 0U)));
    if (expiry != 0) u64(out, static_cast<std::uint64_t>(expiry));
    out.text(message.topic());
    out.u32(static_cast<std::uint32_t>(message.properties().size()));
    out.raw(message.properties());
    out.raw(message.payload());
}

std::optional<mqtt::Qos> qos_of(std::uint8_t bits) {
    const unsigned qos = bits & 3U;
    if (qos > 2) return std::nullopt;
    return static_cast<mqtt::Qos>(qos);
}

// To the end of the value. Empty if it is none.
broker::MessageRef read_message(Reader& in) {
    const std::uint8_t bits = in.u8();
    broker::MessageParts parts;
    parts.retain = (bits & bit_retain) != 0;
    if (bits & bit_expires) parts.expiry_wall_ms = static_cast<std::int64_t>(u64(in));
    parts.topic = in.raw_text();
    parts.properties = in.take(in.u32());
    parts.payload = in.remainder();
    const auto qos = qos_of(bits);
    if (in.failed() || !qos || parts.topic.empty()) return {};
    parts.qos = *qos;
    return broker::Message::make(parts);
}

std::optional<broker::OutgoingState> state_of(unsigned bits) {
    if (bits > static_cast<unsigned>(broker::OutgoingState::wait_pubcomp)) return std::nullopt;
    return static_cast<broker::OutgoingState>(bits);
}

// What may have gone wrong with a value that is whole; a row per kind below.
using Decoded = base::Result<Record, RecordFault>;

Decoded bad_value() {
    return base::fail(RecordFault::bad_value);
}

Decoded checked(const Reader& in, Record record) {
    if (in.failed() || in.left() > 0) return bad_value();
    return record;
}

Decoded read_store(Reader&, Reader& in) {
    StoreRecord record;
    record.format = in.u32();
    return checked(in, record);
}

Decoded read_session(Reader& key, Reader& in) {
    broker::SessionKept record;
    record.session = SessionNumber{u64(key)};
    const std::uint8_t bits = in.u8();
    record.client_id = in.raw_text();
    record.expiry_s = in.u32();
    record.left_wall_ms = static_cast<std::int64_t>(u64(in));
    if (bits & bit_will) {
        record.will_delay_s = in.u32();
        if (bits & bit_will_expires) record.will_expiry_s = in.u32();
        record.will_user_name = in.raw_text();
        record.will = read_message(in);
        if (!record.will) return bad_value();
    }
    return checked(in, std::move(record));
}

Decoded read_subscription(Reader& key, Reader& in) {
    broker::SubscriptionKept record;
    record.session = SessionNumber{u64(key)};
    record.filter = base::as_text(key.remainder());
    const std::uint8_t bits = in.u8();
    record.subscription_id = in.u32();
    const auto qos = qos_of(bits);
    const unsigned handling = bits >> shift_retain_handling;
    if (!qos || handling > 2) return bad_value();
    record.options = {.qos = *qos,
                      .no_local = (bits & bit_no_local) != 0,
                      .retain_as_published = (bits & bit_as_published) != 0,
                      .retain_handling = static_cast<mqtt::RetainHandling>(handling)};
    return checked(in, std::move(record));
}

Decoded read_content(Reader& key, Reader& in) {
    ContentRecord record{.number = ContentNumber{u64(key)}};
    record.message = read_message(in);
    if (!record.message) return bad_value();
    return checked(in, std::move(record));
}

Decoded read_sent(const broker::MessageSent& named, Reader& in) {
    broker::MessageSent record = named;
    const auto state = state_of(in.u8());
    record.packet_id = in.u16();
    if (!state) return bad_value();
    record.state = *state;
    return checked(in, record);
}

Decoded read_message_record(Reader& key, Reader& in) {
    const auto session = SessionNumber{u64(key)};
    const std::uint64_t order = u64(key);
    const std::uint8_t part = key.u8();
    if (part == part_sent) return read_sent({.session = session, .order = order}, in);
    if (part != part_kept) return base::fail(RecordFault::unknown_kind);
    MessageRecord record;
    record.kept.session = session;
    record.kept.order = order;
    record.content = ContentNumber{u64(in)};
    const std::uint8_t bits = in.u8();
    record.kept.packet_id = in.u16();
    while (in.left() >= 4) record.kept.ids.add(in.u32());
    const auto qos = qos_of(bits);
    const auto state = state_of(bits >> shift_state);
    if (!qos || !state) return bad_value();
    record.kept.qos = *qos;
    record.kept.retain = (bits & bit_retain) != 0;
    record.kept.state = *state;
    return checked(in, std::move(record));
}

Decoded read_received(Reader& key, Reader& in) {
    const auto session = SessionNumber{u64(key)};
    return checked(in, broker::ReceivedKept{session, key.u16()});
}

Decoded read_retained(Reader& key, Reader& in) {
    broker::RetainedKept record{read_message(in)};
    if (!record.message || record.message->topic() != base::as_text(key.remainder())) {
        return bad_value();
    }
    return checked(in, std::move(record));
}

Decoded read_layout(Reader&, Reader& in) {
    broker::LayoutKept record;
    record.shards = in.u32();
    record.partition_seed = u64(in);
    if (record.shards == 0) return bad_value();
    return checked(in, record);
}

Decoded read_taken(Reader& key, Reader& in) {
    broker::HandoverTaken record;
    record.from = key.u32();
    record.to = key.u32();
    record.count = u64(in);
    return checked(in, record);
}

Decoded read_handover(Reader& key, Reader& in) {
    HandoverRecord record;
    record.kept.from = key.u32();
    record.kept.to = key.u32();
    record.kept.count = u64(key);
    record.content = ContentNumber{u64(in)};
    record.kept.group = base::as_text(in.remainder());
    return checked(in, std::move(record));
}

struct KindRow {
    RecordKind kind;
    std::string_view name;
    std::size_t key_min;  // Without the kind.
    std::size_t key_max;
    Decoded (*read)(Reader& key, Reader& in);
};
constexpr std::size_t any_text = 65'535;
constexpr KindRow kinds[] = {
    {RecordKind::store, "store", 0, 0, &read_store},
    {RecordKind::session, "session", 8, 8, &read_session},
    {RecordKind::subscription, "subscription", 9, 8 + any_text, &read_subscription},
    {RecordKind::content, "content", 8, 8, &read_content},
    {RecordKind::message, "message", 17, 17, &read_message_record},
    {RecordKind::received, "received", 10, 10, &read_received},
    {RecordKind::retained, "retained", 1, any_text, &read_retained},
    {RecordKind::layout, "layout", 0, 0, &read_layout},
    {RecordKind::taken, "taken", 8, 8, &read_taken},
    {RecordKind::handover, "handover", 16, 16, &read_handover},
    {RecordKind::damaged, "damaged", 0, SIZE_MAX, nullptr},
};

const KindRow* find_kind(std::uint8_t byte) {
    for (const KindRow& row : kinds) {
        if (static_cast<std::uint8_t>(row.kind) == byte) return &row;
    }
    return nullptr;
}

// What a terminal would act on is a dot.
std::string printable(Bytes bytes) {
    std::string text(base::as_text(bytes));
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '.';
    }
    return text;
}

std::string describe_rest(RecordKind kind, Reader in) {
    if (kind == RecordKind::store || kind == RecordKind::layout) return {};
    if (kind == RecordKind::retained) return " " + printable(in.remainder());
    if (kind == RecordKind::taken || kind == RecordKind::handover) {
        const std::uint32_t from = in.u32();
        const std::string way = fmt::format(" {}/{}", from, in.u32());
        return kind == RecordKind::taken ? way : way + fmt::format("/{}", u64(in));
    }
    std::string text = fmt::format(" {}", u64(in));
    if (kind == RecordKind::subscription) text.append("/").append(printable(in.remainder()));
    if (kind == RecordKind::received) text += fmt::format("/{}", in.u16());
    if (kind != RecordKind::message) return text;
    text += fmt::format("/{}", u64(in));
    return in.u8() == part_sent ? text + " sent" : text;
}

}  // namespace

std::string_view to_text(RecordFault fault) {
    switch (fault) {
        case RecordFault::unknown_kind:
            return "of a kind that this version does not know";
        case RecordFault::bad_key:
            return "its key is too short or too long";
        case RecordFault::bad_checksum:
            return "its checksum does not fit";
        case RecordFault::newer_version:
            return "in a form that this version does not know";
        case RecordFault::bad_value:
            break;
    }
    return "whole, but it makes no sense";
}

void put(WriteList& out, const StoreRecord& record) {
    Writer writer = begin(out, Action::put, RecordKind::store);
    begin_value(out, writer);
    writer.u32(record.format);
    end_value(out, writer);
}

void put(WriteList& out, const broker::SessionKept& record) {
    Writer writer = begin(out, Action::put, RecordKind::session);
    key_session(writer, record.session);
    begin_value(out, writer);
    writer.u8(static_cast<std::uint8_t>((record.will ? bit_will : 0U) |
                                        (record.will_expiry_s ? bit_will_expires : 0U)));
    writer.text(record.client_id);
    writer.u32(record.expiry_s);
    u64(writer, static_cast<std::uint64_t>(record.left_wall_ms));
    if (record.will) {
        writer.u32(record.will_delay_s);
        if (record.will_expiry_s) writer.u32(*record.will_expiry_s);
        writer.text(record.will_user_name);
        write_message(writer, *record.will);
    }
    end_value(out, writer);
}

void put(WriteList& out, const broker::SubscriptionKept& record) {
    Writer writer = begin(out, Action::put, RecordKind::subscription);
    key_session(writer, record.session);
    writer.raw(base::as_bytes(record.filter));
    begin_value(out, writer);
    const mqtt::SubscribeOptions& options = record.options;
    writer.u8(static_cast<std::uint8_t>(
        static_cast<unsigned>(options.qos) | (options.no_local ? bit_no_local : 0U) |
        (options.retain_as_published ? bit_as_published : 0U) |
        static_cast<unsigned>(options.retain_handling) << shift_retain_handling));
    writer.u32(record.subscription_id);
    end_value(out, writer);
}

void put(WriteList& out, const ContentRecord& record) {
    Writer writer = begin(out, Action::put, RecordKind::content);
    u64(writer, static_cast<std::uint64_t>(record.number));
    begin_value(out, writer);
    write_message(writer, *record.message);
    end_value(out, writer);
}

void put(WriteList& out, const MessageRecord& record) {
    const broker::MessageKept& kept = record.kept;
    Writer writer = begin(out, Action::put, RecordKind::message);
    key_message(writer, kept.session, kept.order);
    writer.u8(part_kept);
    begin_value(out, writer);
    u64(writer, static_cast<std::uint64_t>(record.content));
    writer.u8(static_cast<std::uint8_t>(static_cast<unsigned>(kept.qos) |
                                        (kept.retain ? bit_retain : 0U) |
                                        static_cast<unsigned>(kept.state) << shift_state));
    writer.u16(kept.packet_id);
    kept.ids.for_each([&](std::uint32_t id) { writer.u32(id); });
    end_value(out, writer);
}

void put(WriteList& out, const broker::MessageSent& record) {
    Writer writer = begin(out, Action::put, RecordKind::message);
    key_message(writer, record.session, record.order);
    writer.u8(part_sent);
    begin_value(out, writer);
    writer.u8(static_cast<std::uint8_t>(record.state));
    writer.u16(record.packet_id);
    end_value(out, writer);
}

void put(WriteList& out, const broker::ReceivedKept& record) {
    Writer writer = begin(out, Action::put, RecordKind::received);
    key_session(writer, record.session);
    writer.u16(record.packet_id);
    begin_value(out, writer);
    end_value(out, writer);
}

void put(WriteList& out, const broker::RetainedKept& record) {
    Writer writer = begin(out, Action::put, RecordKind::retained);
    writer.raw(base::as_bytes(record.message->topic()));
    begin_value(out, writer);
    write_message(writer, *record.message);
    end_value(out, writer);
}

void put(WriteList& out, const broker::LayoutKept& record) {
    Writer writer = begin(out, Action::put, RecordKind::layout);
    begin_value(out, writer);
    writer.u32(record.shards);
    u64(writer, record.partition_seed);
    end_value(out, writer);
}

void put(WriteList& out, const broker::HandoverTaken& record) {
    Writer writer = begin(out, Action::put, RecordKind::taken);
    key_way(writer, record.from, record.to);
    begin_value(out, writer);
    u64(writer, record.count);
    end_value(out, writer);
}

void put(WriteList& out, const HandoverRecord& record) {
    Writer writer = begin(out, Action::put, RecordKind::handover);
    key_way(writer, record.kept.from, record.kept.to);
    u64(writer, record.kept.count);
    begin_value(out, writer);
    u64(writer, static_cast<std::uint64_t>(record.content));
    writer.raw(base::as_bytes(record.kept.group));
    end_value(out, writer);
}

void put_damaged(WriteList& out, Bytes key, Bytes value) {
    Writer writer = begin(out, Action::put, RecordKind::damaged);
    writer.raw(key);
    out.end_first();
    writer.raw(value);
    out.end();
}

void erase(WriteList& out, Bytes key) {
    out.begin(Action::erase);
    Writer(out.bytes()).raw(key);
    end_erase(out);
}

void erase(WriteList& out, ContentNumber content) {
    Writer writer = begin(out, Action::erase, RecordKind::content);
    u64(writer, static_cast<std::uint64_t>(content));
    end_erase(out);
}

void erase(WriteList& out, const broker::SessionEnded& record) {
    Writer writer = begin(out, Action::erase, RecordKind::session);
    key_session(writer, record.session);
    end_erase(out);
}

void erase(WriteList& out, const broker::SubscriptionEnded& record) {
    Writer writer = begin(out, Action::erase, RecordKind::subscription);
    key_session(writer, record.session);
    writer.raw(base::as_bytes(record.filter));
    end_erase(out);
}

void erase(WriteList& out, const broker::ReceivedReleased& record) {
    Writer writer = begin(out, Action::erase, RecordKind::received);
    key_session(writer, record.session);
    writer.u16(record.packet_id);
    end_erase(out);
}

void erase(WriteList& out, const broker::RetainedCleared& record) {
    Writer writer = begin(out, Action::erase, RecordKind::retained);
    writer.raw(base::as_bytes(record.topic));
    end_erase(out);
}

void erase(WriteList& out, const broker::HandoverTaken& record) {
    Writer writer = begin(out, Action::erase, RecordKind::taken);
    key_way(writer, record.from, record.to);
    end_erase(out);
}

void erase(WriteList& out, const broker::HandoverDone& record) {
    Writer writer = begin(out, Action::erase, RecordKind::handover);
    key_way(writer, record.from, record.to);
    u64(writer, record.count);
    end_erase(out);
}

void erase(WriteList& out, const broker::MessageDone& record, bool was_sent) {
    for (const std::uint8_t part : {part_kept, part_sent}) {
        if (part == part_sent && !was_sent) return;
        Writer writer = begin(out, Action::erase, RecordKind::message);
        key_message(writer, record.session, record.order);
        writer.u8(part);
        end_erase(out);
    }
}

void erase_all(WriteList& out, RecordKind kind, SessionNumber session) {
    Writer writer = begin(out, Action::erase_range, kind);
    key_session(writer, session);
    out.end_first();
    writer.u8(static_cast<std::uint8_t>(kind));
    key_session(writer, SessionNumber{static_cast<std::uint64_t>(session) + 1});
    out.end();
}

Decoded decode_record(Bytes key, Bytes value) {
    const KindRow* row = key.empty() ? nullptr : find_kind(key[0]);
    if (!row || !row->read) return base::fail(RecordFault::unknown_kind);
    const Bytes rest = key.subspan(1);
    if (rest.size() < row->key_min || rest.size() > row->key_max) {
        return base::fail(RecordFault::bad_key);
    }
    if (value.size() < 1 + checksum_bytes) return base::fail(RecordFault::bad_checksum);
    const Bytes covered = value.first(value.size() - checksum_bytes);
    if (Reader(value.last(checksum_bytes)).u32() != checksum(key, covered)) {
        return base::fail(RecordFault::bad_checksum);
    }
    Reader key_reader(rest);
    Reader in(covered);
    if (in.u8() != value_version) return base::fail(RecordFault::newer_version);
    return row->read(key_reader, in);
}

std::string content_key(ContentNumber content) {
    std::vector<std::uint8_t> key;
    Writer writer(key);
    writer.u8(static_cast<std::uint8_t>(RecordKind::content));
    u64(writer, static_cast<std::uint64_t>(content));
    return std::string(base::as_text(key));
}

std::string message_key(SessionNumber session, std::uint64_t order) {
    std::vector<std::uint8_t> key;
    Writer writer(key);
    writer.u8(static_cast<std::uint8_t>(RecordKind::message));
    key_message(writer, session, order);
    writer.u8(part_kept);
    return std::string(base::as_text(key));
}

std::optional<MessageKey> read_message_key(Bytes key) {
    Reader in(key);
    if (in.u8() != static_cast<std::uint8_t>(RecordKind::message)) return std::nullopt;
    const auto session = SessionNumber{u64(in)};
    const std::uint64_t order = u64(in);
    if (in.failed()) return std::nullopt;
    return MessageKey{session, order};
}

std::size_t run_prefix_size(Bytes key) {
    constexpr std::size_t number_bytes = 8;  // What grows, and in a message's key a part behind it.
    if (key.empty()) return 0;
    const auto kind = static_cast<RecordKind>(key.front());
    const bool is_plain = kind == RecordKind::content || kind == RecordKind::handover;
    if (!is_plain && kind != RecordKind::message) return 0;
    const std::size_t behind = is_plain ? number_bytes : number_bytes + 1;
    return key.size() > behind ? key.size() - behind : 0;
}

std::string_view name_of(RecordKind kind) {
    const KindRow* row = find_kind(static_cast<std::uint8_t>(kind));
    return row ? row->name : "unknown";
}

std::string describe_key(Bytes key) {
    std::string text;
    // A damaged record's own key may be anything, another such key included.
    while (!key.empty() && key[0] == static_cast<std::uint8_t>(RecordKind::damaged)) {
        if (text.empty()) text = "damaged ";
        key = key.subspan(1);
    }
    const KindRow* row = key.empty() ? nullptr : find_kind(key[0]);
    if (!row) return text + fmt::format("unknown ({} bytes)", key.size());
    return text.append(row->name).append(describe_rest(row->kind, Reader(key.subspan(1))));
}

}  // namespace storage
