#include "storage/record.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "storage/record_form.h"

namespace storage {

std::uint32_t record_form::checksum(Bytes key, Bytes value) {
    const std::uint64_t seed = XXH3_64bits(key.data(), key.size());
    return static_cast<std::uint32_t>(XXH3_64bits_withSeed(value.data(), value.size(), seed));
}

namespace {

using namespace record_form;
using Action = WriteList::Action;
using broker::SessionNumber;
using mqtt::Reader;
using mqtt::Writer;

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
void begin_value(WriteList& out, Writer& writer, std::uint8_t version = value_version) {
    out.end_first();
    writer.u8(version);
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

void write_delivery(Writer& out, const broker::MessageKept& kept, std::uint8_t more_bits) {
    out.u8(static_cast<std::uint8_t>(static_cast<unsigned>(kept.qos) |
                                     (kept.retain ? bit_retain : 0U) | more_bits |
                                     static_cast<unsigned>(kept.state) << shift_state));
    out.u16(kept.packet_id);
}

std::uint32_t count(const broker::SubscriptionIds& ids) {
    std::uint32_t count = 0;
    ids.for_each([&](std::uint32_t) { ++count; });
    return count;
}

void write_ids(Writer& out, const broker::SubscriptionIds& ids) {
    ids.for_each([&](std::uint32_t id) { out.u32(id); });
}

}  // namespace

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

void put(WriteList& out, const broker::MessageKept& record, ContentNumber content) {
    Writer writer = begin(out, Action::put, RecordKind::message);
    key_message(writer, record.session, record.order);
    writer.u8(part_kept);
    if (record.message && content == ContentNumber{}) {
        begin_value(out, writer, value_version_whole);
        write_delivery(writer, record, record.ids.empty() ? 0 : bit_ids);
        if (!record.ids.empty()) writer.u32(count(record.ids));
        write_ids(writer, record.ids);
        write_message(writer, *record.message);
    } else {
        begin_value(out, writer);
        u64(writer, static_cast<std::uint64_t>(content));
        write_delivery(writer, record, 0);
        write_ids(writer, record.ids);
    }
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
    begin_value(out, writer, record.publisher ? value_version_named : value_version);
    if (record.publisher) {
        writer.text(record.publisher->client_id);
        writer.text(record.publisher->user_name);
    }
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

}  // namespace storage
