#include "config/auth_values.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace config {

Outcome set_duration(std::uint64_t& to_ms, std::string_view key, std::string_view value) {
    constexpr std::array<std::pair<std::string_view, std::uint64_t>, 6> units{{
        {"", 1'000},
        {"ms", 1},
        {"s", 1'000},
        {"m", 60'000},
        {"h", 3'600'000},
        {"d", 86'400'000},
    }};
    std::uint32_t count = 0;
    const char* const end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, count);
    const std::string_view unit(read.ptr, static_cast<std::size_t>(end - read.ptr));
    const auto* found = std::find_if(units.begin(), units.end(),
                                     [&](const auto& each) { return each.first == unit; });
    if (read.ec != std::errc() || found == units.end()) {
        return base::fail(invalid_value(key, value) + " Write 5s, 500ms, 10m, 1h or 1d.");
    }
    to_ms = count * found->second;
    return {};
}

base::Result<std::uint32_t, std::string> read_count(std::string_view key, std::string_view value,
                                                    std::uint32_t max) {
    std::uint32_t number = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
    if (read.ec != std::errc() || read.ptr != value.data() + value.size() || number < 1 ||
        number > max) {
        return base::fail(invalid_value(key, value) + fmt::format(" It must be 1 to {}.", max));
    }
    return number;
}

}  // namespace config
