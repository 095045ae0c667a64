// The form of records, which who writes them (record.cc) and who reads them (record_reading.cc)
// share. No one else includes it. Pure.
#pragma once

#include "mqtt/reader.h"
#include "mqtt/writer.h"
#include "storage/record.h"

namespace storage::record_form {

inline constexpr std::uint8_t value_version = 1;
// Of a message's record that has the message itself.
inline constexpr std::uint8_t value_version_whole = 2;
// Of a retained message's record that names its publisher.
inline constexpr std::uint8_t value_version_named = 2;
inline constexpr std::size_t checksum_bytes = 4;
inline constexpr std::uint8_t part_kept = 0;
inline constexpr std::uint8_t part_sent = 1;

// Bits of a message's, a subscription's or a queued message's first byte; QoS is in the lowest two.
inline constexpr std::uint8_t bit_retain = 4;
inline constexpr std::uint8_t bit_expires = 8;
inline constexpr std::uint8_t bit_ids = 8;
inline constexpr std::uint8_t bit_no_local = 4;
inline constexpr std::uint8_t bit_as_published = 8;
inline constexpr unsigned shift_retain_handling = 4;
inline constexpr unsigned shift_state = 4;
// Of a session's: a will waits, and it has an expiry.
inline constexpr std::uint8_t bit_will = 1;
inline constexpr std::uint8_t bit_will_expires = 2;

inline void u64(mqtt::Writer& out, std::uint64_t value) {
    out.u32(static_cast<std::uint32_t>(value >> 32));
    out.u32(static_cast<std::uint32_t>(value));
}

inline std::uint64_t u64(mqtt::Reader& in) {
    const std::uint64_t high = in.u32();
    return high << 32 | in.u32();
}

// What stands behind a value; `value` is without it.
std::uint32_t checksum(Bytes key, Bytes value);

}  // namespace storage::record_form
