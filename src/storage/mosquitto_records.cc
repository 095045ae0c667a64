#include "storage/mosquitto_records.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "mqtt/topic.h"
#include "mqtt/utf8.h"

namespace storage {
namespace {

using mqtt::Bytes;
using mqtt::Reader;

constexpr std::string_view magic{"\0\xB5\0mosquitto db", 15};

enum Kind : std::uint32_t { config = 1, message, delivery, retained, subscription, client };

constexpr std::string_view name_of(std::uint32_t kind) {
    constexpr std::array<std::string_view, 7> names = {
        "",         "a configuration", "a message", "a client's message",
        "a retain", "a subscription",  "a client"};
    return names[kind];
}

// A number in this machine's byte order.
std::uint64_t native_u64(Reader& in) {
    std::uint64_t value = 0;
    const Bytes bytes = in.take(sizeof value);
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

std::int64_t native_time(Reader& in) {
    // In milliseconds it still fits 64 bits.
    constexpr std::uint64_t time_s_max = INT64_MAX / 1000;
    const std::uint64_t value = native_u64(in);
    if (value > time_s_max) in.fail();
    return static_cast<std::int64_t>(value);
}

mqtt::Qos qos_of(Reader& in, unsigned value) {
    if (value > 2) in.fail();
    return static_cast<mqtt::Qos>(value);
}

std::string_view client_id_of(Reader& in, std::size_t size) {
    const std::string_view id = base::as_text(in.take(size));
    if (id.empty() || !mqtt::is_valid_utf8(id)) in.fail();
    return id;
}

// Nothing there is no properties.
mqtt::Publish properties_of(Reader& in) {
    const Bytes section = in.remainder();
    if (section.empty()) return {};
    const auto decoded = mqtt::decode_publish_properties(section);
    if (decoded) return *decoded;
    in.fail();
    return {};
}

//     id: u64, expires: i64 (native), payload size: u32, packet id, source id size, user name size,
//     topic size, port: u16, qos, retain: u8, source id, user name, topic, payload, properties
MosquittoMessage read_message(Reader& in) {
    MosquittoMessage message;
    message.id = native_u64(in);
    message.expires_s = native_time(in);
    const std::uint32_t payload_size = in.u32();
    in.u16();
    const std::uint16_t source_size = in.u16();
    const std::uint16_t user_name_size = in.u16();
    const std::uint16_t topic_size = in.u16();
    in.u16();
    message.qos = qos_of(in, in.u8());
    message.retain = in.u8() != 0;
    message.source = base::as_text(in.take(source_size));
    in.take(user_name_size);
    message.topic = base::as_text(in.take(topic_size));
    message.payload = in.take(payload_size);
    message.properties = properties_of(in).properties;
    // Larger than any packet: it could never be sent.
    if (payload_size > mqtt::remaining_length_max) in.fail();
    if (!mqtt::is_valid_topic_name(message.topic)) in.fail();
    return message;
}

//     expires: i64 (native), expiry: u32, last packet id, client id size: u16,
//     from version 6: port, user name size: u16, four bytes of padding where a 64-bit number is
//     aligned to eight; client id, user name
MosquittoClient read_client(Reader& in, std::uint32_t version) {
    MosquittoClient client;
    client.expires_s = native_time(in);
    client.expiry_s = in.u32();
    in.u16();
    const std::uint16_t id_size = in.u16();
    std::uint16_t user_name_size = 0;
    if (version >= 6) {
        in.u16();
        user_name_size = in.u16();
        const std::size_t texts = std::size_t{id_size} + user_name_size;
        if (in.left() == texts + 4) in.take(4);
    }
    client.client_id = client_id_of(in, id_size);
    in.take(user_name_size);
    return client;
}

//     message id: u64 (native), packet id, client id size: u16, qos, state, retain and dup: four
//     bits each, direction: u8, client id, properties
MosquittoDelivery read_delivery(Reader& in) {
    MosquittoDelivery delivery;
    delivery.message = native_u64(in);
    delivery.packet_id = in.u16();
    const std::uint16_t id_size = in.u16();
    delivery.qos = qos_of(in, in.u8());
    delivery.state = static_cast<MosquittoState>(in.u8());
    delivery.retain = (in.u8() & 0xF0U) != 0;
    const std::uint8_t direction = in.u8();
    if (direction > 1) in.fail();
    delivery.is_incoming = direction == 0;
    delivery.client_id = client_id_of(in, id_size);
    delivery.properties = properties_of(in);
    return delivery;
}

bool is_well_formed(std::string_view filter) {
    if (mqtt::is_shared(filter)) return mqtt::split_shared(filter).has_value();
    return mqtt::is_valid_topic_filter(filter);
}

//     subscription id: u32, client id size, filter size: u16, qos, options: u8, two bytes of
//     padding, client id, filter
MosquittoSubscription read_subscription(Reader& in) {
    constexpr std::uint32_t subscription_id_max = 268'435'455;
    MosquittoSubscription subscription;
    subscription.subscription_id = in.u32();
    const std::uint16_t id_size = in.u16();
    const std::uint16_t filter_size = in.u16();
    subscription.options.qos = qos_of(in, in.u8());
    const std::uint8_t options = in.u8();
    subscription.options.no_local = (options & 4U) != 0;
    subscription.options.retain_as_published = (options & 8U) != 0;
    in.take(2);
    subscription.client_id = client_id_of(in, id_size);
    subscription.filter = base::as_text(in.take(filter_size));
    if (subscription.subscription_id > subscription_id_max) in.fail();
    if (!is_well_formed(subscription.filter)) in.fail();
    return subscription;
}

}  // namespace

base::Result<MosquittoRecords, std::string> MosquittoRecords::open(Bytes file) {
    constexpr std::uint32_t oldest = 5;
    constexpr std::uint32_t newest = 6;
    Reader in(file);
    if (base::as_text(in.take(magic.size())) != magic) {
        return base::fail(std::string("this is no database of Mosquitto"));
    }
    in.u32();
    const std::uint32_t version = in.u32();
    if (in.failed()) return base::fail(std::string("the file ends within its header"));
    if (version < oldest || version > newest) {
        return base::fail(fmt::format(
            "version {} of the database is not known, but {} and {} are: start and stop a "
            "Mosquitto 2.0 with it, which writes version {}",
            version, oldest, newest, newest));
    }
    MosquittoRecords records(file, version);
    records.position_ = file.size() - in.left();
    return records;
}

std::optional<MosquittoRecord> MosquittoRecords::next() {
    constexpr std::size_t record_header_size = 8;
    while (position_ < file_.size()) {
        const std::size_t offset = position_;
        Reader in(file_.subspan(offset));
        const std::uint32_t kind = in.u32();
        const std::uint32_t size = in.u32();
        if (in.failed()) {
            end_at(offset, "the file ends within the header of a record");
            break;
        }
        if (kind < config || kind > client) {
            end_at(offset, fmt::format("a record of the unknown kind {}", kind));
            break;
        }
        if (size > in.left()) {
            end_at(offset, fmt::format("{} is {} bytes long, but {} are left", name_of(kind), size,
                                       in.left()));
            break;
        }
        position_ += record_header_size + size;
        const Bytes body = in.take(size);
        if (kind == config) {
            read_config(body, offset);
        } else if (auto record = decode(kind, body)) {
            return record;
        } else {
            note_damage(offset, name_of(kind));
        }
    }
    return std::nullopt;
}

//     last message id: u64, is final: u8, size of a message id: u8, padding
void MosquittoRecords::read_config(Bytes body, std::size_t offset) {
    Reader in(body);
    native_u64(in);
    is_final_ = in.u8() != 0;
    if (in.u8() != sizeof(MosquittoMessage::id)) note_damage(offset, name_of(config));
}

std::optional<MosquittoRecord> MosquittoRecords::decode(std::uint32_t kind, Bytes body) {
    Reader in(body);
    std::optional<MosquittoRecord> record;
    switch (kind) {
        case message:
            record = read_message(in);
            break;
        case delivery:
            record = read_delivery(in);
            break;
        case retained:
            record = MosquittoRetained{native_u64(in)};
            break;
        case subscription:
            record = read_subscription(in);
            break;
        default:
            record = read_client(in, version_);
            break;
    }
    if (in.failed() || in.left() > 0) return std::nullopt;
    return record;
}

void MosquittoRecords::note_damage(std::size_t offset, std::string_view what) {
    ++damaged_;
    if (!damage_.empty()) return;
    damage_ = fmt::format("{} at offset {} is damaged", what, offset);
}

void MosquittoRecords::end_at(std::size_t offset, std::string_view why) {
    position_ = file_.size();
    if (!damage_.empty()) damage_ += "; ";
    damage_ += fmt::format("{} at offset {}: reading ends there", why, offset);
}

}  // namespace storage
