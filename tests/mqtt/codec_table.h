// The tables that each packet's test fills: packets that are valid, and packets that are not, with
// the reason. Every valid one is checked by round trip and by cutting it short everywhere.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>

#include "mqtt/bytes.h"
#include "mqtt/recode.h"

namespace mqtt::testing {

struct Valid {
    const char* sentence = "";
    Version version{};
    const char* text = "";
    // Sizes of the body at which a packet cut short is itself valid.
    std::vector<std::size_t> valid_cuts = {};
    // The encoder has a shorter or differently ordered form, and is not to give back the same
    // bytes.
    bool is_canonical = true;
};

struct Invalid {
    const char* sentence;
    Version version;
    const char* text;
    ReasonCode want;
};

// The frame at the front of `bytes`; the test fails if it is not the whole of them.
inline Frame whole_frame(const std::vector<std::uint8_t>& bytes, Version version) {
    const FrameResult result = next_frame(bytes, 0, version);
    EXPECT_EQ(result.status, FrameResult::Status::whole);
    EXPECT_EQ(result.frame.size, bytes.size());
    return result.frame;
}

inline void check_truncations(const Frame& frame, const Valid& row) {
    for (std::size_t size = 0; size < frame.body.size(); ++size) {
        // A copy of its exact size, so that a sanitizer sees a read past its end.
        const std::vector<std::uint8_t> body(
            frame.body.begin(), frame.body.begin() + static_cast<std::ptrdiff_t>(size));
        Frame cut = frame;
        cut.body = body;
        const bool may_decode =
            std::find(row.valid_cuts.begin(), row.valid_cuts.end(), size) != row.valid_cuts.end();
        EXPECT_EQ(recode(cut, row.version).reason == ReasonCode::success, may_decode)
            << "cut to " << size << " of " << frame.body.size();
    }
}

inline void check_valid(std::initializer_list<Valid> rows) {
    for (const Valid& row : rows) {
        SCOPED_TRACE(row.sentence);
        const std::vector<std::uint8_t> bytes = packet(row.text);
        const Frame frame = whole_frame(bytes, row.version);
        const Recoded first = recode(frame, row.version);
        ASSERT_EQ(first.reason, ReasonCode::success);
        if (row.is_canonical) {
            EXPECT_EQ(first.bytes, bytes);
        }
        const Recoded second = recode(whole_frame(first.bytes, row.version), row.version);
        EXPECT_EQ(second.words, first.words);
        EXPECT_EQ(second.bytes, first.bytes);
        check_truncations(frame, row);
    }
}

inline void check_invalid(std::initializer_list<Invalid> rows) {
    for (const Invalid& row : rows) {
        SCOPED_TRACE(row.sentence);
        const std::vector<std::uint8_t> bytes = packet(row.text);
        EXPECT_EQ(recode(whole_frame(bytes, row.version), row.version).reason, row.want);
    }
}

}  // namespace mqtt::testing
