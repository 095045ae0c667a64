// Reads MQTT's wire types off the front of a byte span. The first read past the end makes the
// reader fail, and every later read returns zero: decoders read straight through and check once.
// What it returns are views of the span it was given.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "mqtt/reason_code.h"

namespace mqtt {

using base::Bytes;
template <typename T>
using Result = base::Result<T, ReasonCode>;

class Reader {
public:
    explicit Reader(Bytes bytes) : rest_(bytes) {}

    std::uint8_t u8() {
        const Bytes taken = take(1);
        return taken.empty() ? std::uint8_t{0} : taken[0];
    }
    std::uint16_t u16() {
        const Bytes taken = take(2);
        return taken.empty() ? std::uint16_t{0}
                             : static_cast<std::uint16_t>(taken[0] << 8 | taken[1]);
    }
    std::uint32_t u32();
    // A variable byte integer; fails on a fifth byte and, being stricter than most, on a longer
    // form than needed [MQTT-1.5.5-1].
    std::uint32_t variable_int();
    // Binary data: a two-byte length, then that many bytes.
    Bytes binary() { return take(u16()); }
    // A UTF-8 string: as binary(), and fails when is_valid_utf8() says no [MQTT-1.5.4-1].
    std::string_view text();
    // The same without the UTF-8 check, for a caller that checks it in the same pass as more.
    std::string_view raw_text() { return base::as_text(binary()); }
    Bytes take(std::size_t size) {
        if (size > rest_.size()) {
            fail();
            return {};
        }
        const Bytes taken = rest_.first(size);
        rest_ = rest_.subspan(size);
        return taken;
    }
    Bytes remainder() { return take(rest_.size()); }

    std::size_t left() const { return rest_.size(); }
    bool failed() const { return failed_; }
    // For what only the caller can see to be wrong.
    void fail() {
        failed_ = true;
        rest_ = {};
    }

private:
    Bytes rest_;
    bool failed_ = false;
};

}  // namespace mqtt
