// Decodes any packet, says in words all that it holds, and encodes it again: what the round trip
// tests and the decoder's fuzz target share.
#pragma once

#include <string>
#include <vector>

#include "mqtt/framer.h"
#include "mqtt/ping.h"
#include "packet_words.h"

namespace mqtt::testing {

struct Recoded {
    ReasonCode reason = ReasonCode::success;  // Why it does not decode.
    std::string words;                        // Every field, "name=value" each.
    std::vector<std::uint8_t> bytes;          // The whole packet, encoded again.
};

template <typename Packet, typename Encode>
Recoded recoded(const Result<Packet>& packet, const Encode& encode_again) {
    Recoded result;
    if (!packet) {
        result.reason = packet.error();
        return result;
    }
    Words words;
    say(words, *packet);
    result.words = words.text();
    Writer out(result.bytes);
    encode_again(out, *packet);
    return result;
}

inline void encode_again(Writer& out, const Subscribe& packet, Version version) {
    std::vector<SubscribeEntry> entries;
    packet.for_each([&](const SubscribeEntry& entry) { entries.push_back(entry); });
    encode_subscribe(out, packet, entries, version);
}

inline void encode_again(Writer& out, const Unsubscribe& packet, Version version) {
    std::vector<std::string_view> filters;
    packet.for_each([&](std::string_view filter) { filters.push_back(filter); });
    encode_unsubscribe(out, packet, filters, version);
}

inline Recoded recode_ping(const Frame& frame) {
    Recoded result;
    if (!is_valid_ping(frame.body)) {
        result.reason = ReasonCode::malformed_packet;
        return result;
    }
    Writer out(result.bytes);
    frame.type == PacketType::pingreq ? encode_pingreq(out) : encode_pingresp(out);
    return result;
}

// `from_server` is true, so that a PUBLISH may have subscription identifiers.
inline Recoded recode(const Frame& frame, Version version) {
    const auto plainly = [&](Writer& out, const auto& packet) { encode(out, packet, version); };
    const auto again = [&](Writer& out, const auto& packet) { encode_again(out, packet, version); };
    const auto versionless = [](Writer& out, const auto& packet) { encode(out, packet); };
    const Bytes body = frame.body;
    switch (frame.type) {
        case PacketType::connect:
            return recoded(decode_connect(body), versionless);
        case PacketType::connack:
            return recoded(decode_connack(body, version), plainly);
        case PacketType::publish:
            return recoded(decode_publish(frame.flags, body, version, true), plainly);
        case PacketType::puback:
        case PacketType::pubrec:
        case PacketType::pubrel:
        case PacketType::pubcomp:
            return recoded(decode_ack(frame.type, body, version), plainly);
        case PacketType::subscribe:
            return recoded(decode_subscribe(body, version), again);
        case PacketType::suback:
            return recoded(decode_suback(body, version), plainly);
        case PacketType::unsubscribe:
            return recoded(decode_unsubscribe(body, version), again);
        case PacketType::unsuback:
            return recoded(decode_unsuback(body, version), plainly);
        case PacketType::pingreq:
        case PacketType::pingresp:
            return recode_ping(frame);
        case PacketType::disconnect:
            return recoded(decode_disconnect(body, version), plainly);
        case PacketType::auth:
            return recoded(decode_auth(body), versionless);
    }
    return {ReasonCode::malformed_packet, {}, {}};
}

}  // namespace mqtt::testing
