#include "broker/refusal.h"

#include <limits>

#include "base/hash.h"

namespace broker {

using mqtt::ReasonCode;

std::string_view name_of(Refusal cause) {
    constexpr std::array<std::string_view, refusal_count> names = {
        "not_mqtt",      "connect_timeout",  "connection_limit",   "connection_rate",
        "handshake",     "handshake_limit",  "untrusted_proxy",    "connect",
        "auth_failures", "malformed_packet", "protocol_error",     "packet_too_large",
        "topic",         "topic_alias",      "receive_maximum",    "message_rate",
        "byte_rate",     "user_properties",  "subscription_limit", "retained_limit",
        "store_failed",  "mysql_store",      "session_takeover",   "not_authorized",
        "other"};
    return names[static_cast<std::size_t>(cause)];
}

Refusal refusal_of(ReasonCode reason) {
    switch (reason) {
        case ReasonCode::malformed_packet:
            return Refusal::malformed_packet;
        case ReasonCode::protocol_error:
            return Refusal::protocol_error;
        case ReasonCode::packet_too_large:
            return Refusal::packet_too_large;
        case ReasonCode::topic_name_invalid:
        case ReasonCode::topic_filter_invalid:
            return Refusal::topic;
        case ReasonCode::topic_alias_invalid:
            return Refusal::topic_alias;
        case ReasonCode::receive_maximum_exceeded:
            return Refusal::receive_maximum;
        case ReasonCode::quota_exceeded:
            return Refusal::user_properties;
        default:
            return Refusal::other;
    }
}

std::string_view address_of(std::string_view peer) {
    return peer.substr(0, peer.rfind(':'));
}

std::uint32_t RefusalLog::begin_line(Refusal cause, std::string_view offender) {
    const std::uint64_t hash = base::hash(offender) + static_cast<std::uint64_t>(cause);
    const std::uint64_t key = hash | 1;  // 0 is nobody.
    Offence& offence = offences_[(hash >> 1) % remembered];
    const std::uint64_t now = clock_.monotonic_ms();
    const bool is_known = offence.key == key;
    if (is_known && now < offence.quiet_until_ms) {
        if (offence.silenced < std::numeric_limits<std::uint32_t>::max() - 1) ++offence.silenced;
        return not_due;
    }
    if (!takes_line()) return not_due;
    const std::uint32_t silenced = is_known ? offence.silenced : 0;
    offence = {key, now + quiet_ms, 0};
    return silenced;
}

void RefusalLog::write(std::string line, std::uint32_t silenced) {
    if (silenced > 0) fmt::format_to(std::back_inserter(line), " ({} more like it)", silenced);
    log_.write(base::LogType::notice, line);
}

bool RefusalLog::takes_line() {
    const std::uint64_t now = clock_.monotonic_ms();
    if (now >= minute_ends_ms_) {
        if (left_out_ > 0) {
            log_.print(base::LogType::notice,
                       "{} refusals were not logged: no more than {} lines a minute.", left_out_,
                       lines_max);
        }
        minute_ends_ms_ = now + quiet_ms;
        lines_ = 0;
        left_out_ = 0;
    }
    if (lines_ < lines_max) {
        ++lines_;
        return true;
    }
    ++left_out_;
    return false;
}

}  // namespace broker
