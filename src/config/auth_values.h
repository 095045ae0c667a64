// Values of options that several kinds of users outside have: a time, a number, one word of a few.
// A text that is none fails with the sentence to show.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "config/words.h"

namespace config {

inline constexpr std::uint32_t auth_pool_size_max = 64;

// 5s, 500ms, 10m, 1h, 1d, or seconds.
Outcome set_duration(std::uint64_t& to_ms, std::string_view key, std::string_view value);

// 1 to `max`.
base::Result<std::uint32_t, std::string> read_count(std::string_view key, std::string_view value,
                                                    std::uint32_t max);

// The member that a key names; null for a key that is not in the table.
template <typename Member, std::size_t count>
const Member* find_member(const std::array<std::pair<std::string_view, Member>, count>& table,
                          std::string_view key) {
    const auto* found = std::find_if(table.begin(), table.end(),
                                     [&](const auto& each) { return each.first == key; });
    return found == table.end() ? nullptr : &found->second;
}

// A word out of a few, which stand for the values 0, 1, ...
template <typename Value, std::size_t count>
Outcome set_choice(Value& to, std::string_view key, std::string_view value,
                   const std::array<std::string_view, count>& words) {
    const auto* found = std::find(words.begin(), words.end(), value);
    if (found == words.end()) return base::fail(invalid_value(key, value));
    to = static_cast<Value>(found - words.begin());
    return {};
}

}  // namespace config
