// Records: back from keys and values, and as lines for people.
#include <fmt/format.h>

#include "storage/record_form.h"

namespace storage {
namespace {

using namespace record_form;
using broker::SessionNumber;
using mqtt::Reader;

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

// How a client gets a message, and where that stands: the bits, or nothing if they make no sense.
std::optional<std::uint8_t> read_delivery(Reader& in, broker::MessageKept& kept) {
    const std::uint8_t bits = in.u8();
    kept.packet_id = in.u16();
    const auto qos = qos_of(bits);
    const auto state = state_of(bits >> shift_state);
    if (!qos || !state) return std::nullopt;
    kept.qos = *qos;
    kept.retain = (bits & bit_retain) != 0;
    kept.state = *state;
    return bits;
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
    if (!read_delivery(in, record.kept)) return bad_value();
    while (in.left() >= 4) record.kept.ids.add(in.u32());
    return checked(in, std::move(record));
}

Decoded read_whole_message(Reader& key, Reader& in) {
    MessageRecord record;
    record.kept.session = SessionNumber{u64(key)};
    record.kept.order = u64(key);
    if (key.u8() != part_kept) return base::fail(RecordFault::unknown_kind);
    const auto bits = read_delivery(in, record.kept);
    if (!bits) return bad_value();
    const std::uint32_t ids = *bits & bit_ids ? in.u32() : 0;
    for (std::uint32_t i = 0; i < ids && !in.failed(); ++i) record.kept.ids.add(in.u32());
    record.kept.message = read_message(in);
    if (!record.kept.message) return bad_value();
    return checked(in, std::move(record));
}

Decoded read_received(Reader& key, Reader& in) {
    const auto session = SessionNumber{u64(key)};
    return checked(in, broker::ReceivedKept{session, key.u16()});
}

Decoded read_retained(Reader& key, Reader& in, broker::PublisherRef publisher) {
    broker::RetainedKept record{read_message(in), std::move(publisher)};
    if (!record.message || record.message->topic() != base::as_text(key.remainder())) {
        return bad_value();
    }
    return checked(in, std::move(record));
}

Decoded read_retained(Reader& key, Reader& in) {
    return read_retained(key, in, {});
}

// By which listener it came is not kept: their numbers are this process's own.
Decoded read_named_retained(Reader& key, Reader& in) {
    const std::string_view client_id = in.raw_text();
    const std::string_view user_name = in.raw_text();
    if (in.failed()) return bad_value();
    return read_retained(
        key, in, broker::PublisherRef::adopt(new broker::Publisher(client_id, user_name, 0)));
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
    const std::uint8_t version = in.u8();
    if (version == value_version) return row->read(key_reader, in);
    if (version == value_version_whole && row->kind == RecordKind::message) {
        return read_whole_message(key_reader, in);
    }
    if (version == value_version_named && row->kind == RecordKind::retained) {
        return read_named_retained(key_reader, in);
    }
    return base::fail(RecordFault::newer_version);
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
