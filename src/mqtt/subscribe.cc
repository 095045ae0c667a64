#include "mqtt/subscribe.h"

#include <algorithm>

#include "mqtt/decoded.h"
#include "mqtt/property_values.h"
#include "mqtt/sizer.h"
#include "mqtt/topic.h"

namespace mqtt {

namespace {

constexpr PropertySet allowed_in_subscribe = {PropertyId::subscription_identifier,
                                              PropertyId::user_property};
constexpr PropertySet allowed_in_suback = {PropertyId::reason_string, PropertyId::user_property};

constexpr std::uint8_t failure_v3 = 0x80;

// The options byte of an entry: 0, 0, retain handling (2 bits), retain as published, no local, QoS
// (2 bits); before 5.0 only the QoS.
constexpr unsigned no_local_flag = 0x04;
constexpr unsigned retain_as_published_flag = 0x08;
constexpr unsigned retain_handling_shift = 4;

SubscribeOptions options_of(std::uint8_t byte) {
    SubscribeOptions options;
    options.qos = static_cast<Qos>(byte & 3U);
    options.no_local = (byte & no_local_flag) != 0;
    options.retain_as_published = (byte & retain_as_published_flag) != 0;
    options.retain_handling = static_cast<RetainHandling>(byte >> retain_handling_shift & 3U);
    return options;
}

std::uint8_t byte_of(const SubscribeOptions& options, Version version) {
    auto byte = static_cast<unsigned>(options.qos);
    if (version == Version::v5) {
        if (options.no_local) byte |= no_local_flag;
        if (options.retain_as_published) byte |= retain_as_published_flag;
        byte |= static_cast<unsigned>(options.retain_handling) << retain_handling_shift;
    }
    return static_cast<std::uint8_t>(byte);
}

ReasonCode judge_options(std::string_view filter, std::uint8_t byte, Version version) {
    const unsigned reserved = version == Version::v5 ? 0xC0 : 0xFC;
    if ((byte & reserved) != 0) return ReasonCode::malformed_packet;  // [MQTT-3.8.3-5]
    const bool has_no_such_qos = (byte & 3U) == 3;
    if (version != Version::v5) {
        return has_no_such_qos ? ReasonCode::malformed_packet : ReasonCode::success;
    }
    // Section 3.8.3.1 calls both of these protocol errors.
    if (has_no_such_qos || byte >> retain_handling_shift == 3) return ReasonCode::protocol_error;
    const bool is_shared_no_local = (byte & no_local_flag) != 0 && is_shared(filter);
    return is_shared_no_local ? ReasonCode::protocol_error : ReasonCode::success;  // [MQTT-3.8.3-4]
}

ReasonCode check_entries(Bytes entries, Version version) {
    if (entries.empty()) return ReasonCode::protocol_error;  // [MQTT-3.8.3-2]
    Reader in(entries);
    while (in.left() > 0) {
        const std::string_view filter = in.text();
        const std::uint8_t options = in.u8();
        if (in.failed()) return ReasonCode::malformed_packet;
        const ReasonCode verdict = judge_options(filter, options, version);
        if (verdict != ReasonCode::success) return verdict;
    }
    return in.failed() ? ReasonCode::malformed_packet : ReasonCode::success;
}

//     body := packet id, properties if 5.0, (filter: text, options)+
ReasonCode read(Subscribe& packet, Reader in, Version version) {
    packet.version = version;
    packet.id = in.u16();
    if (in.failed() || packet.id == 0) return ReasonCode::malformed_packet;  // [MQTT-2.2.1-3]
    if (version == Version::v5) {
        PropertyValues values;
        const ReasonCode verdict = values.read(in, allowed_in_subscribe);
        if (verdict != ReasonCode::success) return verdict;
        packet.subscription_id =
            values.number<std::uint32_t>(PropertyId::subscription_identifier).value_or(0);
        packet.user = values.user();
    }
    packet.entries = in.remainder();
    return check_entries(packet.entries, version);
}

bool is_suback_reason(std::uint8_t byte, Version version) {
    if (version == Version::v5) return may_carry(PacketType::suback, static_cast<ReasonCode>(byte));
    // 3.1 has no failure code, but servers of both versions send one.
    return byte <= 2 || byte == failure_v3;
}

//     body := packet id, properties if 5.0, reason+
ReasonCode read(Suback& packet, Reader in, Version version) {
    packet.id = in.u16();
    if (in.failed() || packet.id == 0) return ReasonCode::malformed_packet;
    if (version == Version::v5) {
        PropertyValues values;
        const ReasonCode verdict = values.read(in, allowed_in_suback);
        if (verdict != ReasonCode::success) return verdict;
        packet.reason_string = values.text(PropertyId::reason_string);
        packet.user = values.user();
    }
    packet.reasons = in.remainder();
    const bool is_valid =
        !packet.reasons.empty() &&
        std::all_of(packet.reasons.begin(), packet.reasons.end(),
                    [&](std::uint8_t byte) { return is_suback_reason(byte, version); });
    return is_valid ? ReasonCode::success : ReasonCode::malformed_packet;
}

std::uint8_t reason_v3(std::uint8_t reason, Version version) {
    if (!is_failure(static_cast<ReasonCode>(reason))) return reason;
    return version == Version::v3_1 ? 0 : failure_v3;
}

template <typename To>
void put_properties(To& to, const Subscribe& packet) {
    if (packet.subscription_id != 0) {
        put_id(to, PropertyId::subscription_identifier);
        to.variable_int(packet.subscription_id);
    }
    put(to, packet.user);
}

template <typename To>
void put_properties(To& to, const Suback& packet) {
    put(to, PropertyId::reason_string, packet.reason_string);
    put(to, packet.user);
}

}  // namespace

std::optional<SubscribeEntry> Subscribe::next(Bytes& rest) const {
    if (rest.empty()) return std::nullopt;
    Reader in(rest);
    SubscribeEntry entry;
    entry.filter = in.raw_text();
    entry.options = options_of(in.u8());
    rest = rest.last(in.left());
    return entry;
}

std::size_t Subscribe::count() const {
    std::size_t count = 0;
    for_each([&](const SubscribeEntry&) { ++count; });
    return count;
}

Result<Subscribe> decode_subscribe(Bytes body, Version version) {
    return decoded<Subscribe>(
        [&](Subscribe& packet) { return read(packet, Reader(body), version); });
}

void encode_subscribe(Writer& out, const Subscribe& packet, std::span<const SubscribeEntry> entries,
                      Version version) {
    const auto properties = [&](auto& to) { put_properties(to, packet); };
    write_packet(out, PacketType::subscribe, 2, [&](auto& to) {
        to.u16(packet.id);
        if (version == Version::v5) put_section(to, properties);
        for (const SubscribeEntry& entry : entries) {
            to.text(entry.filter);
            to.u8(byte_of(entry.options, version));
        }
    });
}

Result<Suback> decode_suback(Bytes body, Version version) {
    return decoded<Suback>([&](Suback& packet) { return read(packet, Reader(body), version); });
}

void encode(Writer& out, const Suback& packet, Version version) {
    const auto properties = [&](auto& to) { put_properties(to, packet); };
    write_packet(out, PacketType::suback, 0, [&](auto& to) {
        to.u16(packet.id);
        if (version == Version::v5) {
            put_section(to, properties);
            to.raw(packet.reasons);
            return;
        }
        for (const std::uint8_t reason : packet.reasons) to.u8(reason_v3(reason, version));
    });
}

}  // namespace mqtt
