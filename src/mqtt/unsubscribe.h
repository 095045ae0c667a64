// UNSUBSCRIBE, section 3.10, and UNSUBACK, section 3.11.
#pragma once

#include <optional>
#include <string_view>

#include "mqtt/properties.h"

namespace mqtt {

struct Unsubscribe {
    PacketId id = 0;
    UserProperties user{};
    Bytes filters{};  // Still encoded, already checked.

    // Calls `each(std::string_view filter)` in order.
    template <typename Each>
    void for_each(Each&& each) const {
        Reader in(filters);
        while (in.left() > 0) each(in.raw_text());
    }
    // The next one, which leaves `filters`; nothing if there is none.
    std::optional<std::string_view> take() {
        if (filters.empty()) return std::nullopt;
        Reader in(filters);
        const std::string_view filter = in.raw_text();
        filters = filters.last(in.left());
        return filter;
    }
    std::size_t count() const;
};

// Allocates nothing. At least one filter [MQTT-3.10.3-2].
Result<Unsubscribe> decode_unsubscribe(Bytes body, Version version);
void encode_unsubscribe(Writer& out, const Unsubscribe& packet,
                        std::span<const std::string_view> filters, Version version);

struct Unsuback {
    PacketId id = 0;
    std::optional<std::string_view> reason_string{};
    UserProperties user{};
    Bytes reasons{};  // One ReasonCode byte a filter; empty below v5.
};

Result<Unsuback> decode_unsuback(Bytes body, Version version);
void encode(Writer& out, const Unsuback& packet, Version version);

}  // namespace mqtt
