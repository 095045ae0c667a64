#include "mqtt/unsubscribe.h"

#include <algorithm>

#include "mqtt/decoded.h"
#include "mqtt/property_values.h"
#include "mqtt/sizer.h"

namespace mqtt {

namespace {

constexpr PropertySet allowed_in_unsubscribe = {PropertyId::user_property};
constexpr PropertySet allowed_in_unsuback = {PropertyId::reason_string, PropertyId::user_property};

ReasonCode check_filters(Bytes filters) {
    if (filters.empty()) return ReasonCode::protocol_error;  // [MQTT-3.10.3-2]
    Reader in(filters);
    while (in.left() > 0) in.text();
    return in.failed() ? ReasonCode::malformed_packet : ReasonCode::success;
}

//     body := packet id, properties if 5.0, filter: text+
ReasonCode read(Unsubscribe& packet, Reader in, Version version) {
    packet.id = in.u16();
    if (in.failed() || packet.id == 0) return ReasonCode::malformed_packet;  // [MQTT-2.2.1-3]
    if (version == Version::v5) {
        PropertyValues values;
        const ReasonCode verdict = values.read(in, allowed_in_unsubscribe);
        if (verdict != ReasonCode::success) return verdict;
        packet.user = values.user();
    }
    packet.filters = in.remainder();
    return check_filters(packet.filters);
}

//     body := packet id, and in 5.0 properties, reason+
ReasonCode read(Unsuback& packet, Reader in, Version version) {
    packet.id = in.u16();
    if (in.failed() || packet.id == 0) return ReasonCode::malformed_packet;
    if (version != Version::v5) {
        return in.left() == 0 ? ReasonCode::success : ReasonCode::malformed_packet;
    }
    PropertyValues values;
    const ReasonCode verdict = values.read(in, allowed_in_unsuback);
    if (verdict != ReasonCode::success) return verdict;
    packet.reason_string = values.text(PropertyId::reason_string);
    packet.user = values.user();
    packet.reasons = in.remainder();
    const bool is_valid =
        !packet.reasons.empty() &&
        std::all_of(packet.reasons.begin(), packet.reasons.end(), [](std::uint8_t byte) {
            return may_carry(PacketType::unsuback, static_cast<ReasonCode>(byte));
        });
    return is_valid ? ReasonCode::success : ReasonCode::malformed_packet;
}

}  // namespace

std::size_t Unsubscribe::count() const {
    std::size_t count = 0;
    for_each([&](std::string_view) { ++count; });
    return count;
}

Result<Unsubscribe> decode_unsubscribe(Bytes body, Version version) {
    return decoded<Unsubscribe>(
        [&](Unsubscribe& packet) { return read(packet, Reader(body), version); });
}

void encode_unsubscribe(Writer& out, const Unsubscribe& packet,
                        std::span<const std::string_view> filters, Version version) {
    const auto properties = [&](auto& to) { put(to, packet.user); };
    write_packet(out, PacketType::unsubscribe, 2, [&](auto& to) {
        to.u16(packet.id);
        if (version == Version::v5) put_section(to, properties);
        for (const std::string_view filter : filters) to.text(filter);
    });
}

Result<Unsuback> decode_unsuback(Bytes body, Version version) {
    return decoded<Unsuback>([&](Unsuback& packet) { return read(packet, Reader(body), version); });
}

void encode(Writer& out, const Unsuback& packet, Version version) {
    write_packet(out, PacketType::unsuback, 0, [&](auto& to) {
        to.u16(packet.id);
        if (version != Version::v5) return;
        put_section(to, [&](auto& section) {
            put(section, PropertyId::reason_string, packet.reason_string);
            put(section, packet.user);
        });
        to.raw(packet.reasons);
    });
}

}  // namespace mqtt
