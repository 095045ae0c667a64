#include "config/words.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>

namespace config {
namespace {

constexpr std::string_view blanks = " \t\v\f\r\n";

std::string empty_value(std::string_view name) {
    return fmt::format("Error: Empty '{}' value in configuration.", name);
}

// The length of the well-formed character that `text` begins with; 0 if there is none. The table is
// Unicode's 3-7: shortest forms only, no surrogates, nothing beyond U+10FFFF.
std::size_t character_bytes(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    const unsigned first = byte(0);
    const unsigned second = byte(1);
    if (first < 0x80) return 1;
    if (first < 0xC2 || first > 0xF4 || !continues(1)) return 0;
    if (first < 0xE0) return 2;
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
    if (first < 0xF0) return continues(2) ? 3 : 0;
    if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
    return continues(2) && continues(3) ? 4 : 0;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t bytes = character_bytes(text);
        if (bytes == 0) return false;
        text.remove_prefix(bytes);
    }
    return true;
}

}  // namespace

std::string invalid_value(std::string_view name, std::string_view value) {
    return fmt::format("Error: Invalid '{}' value ({}).", name, value);
}

Words::Words(std::string_view line) : rest_(line) {
    key_ = word();
}

std::string_view Words::word() {
    const std::size_t begin = rest_.find_first_not_of(' ');
    if (begin == std::string_view::npos) {
        rest_ = {};
        return {};
    }
    rest_.remove_prefix(begin);
    const std::string_view found = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(found.size());
    if (!rest_.empty()) rest_.remove_prefix(1);
    return found;
}

base::Result<std::string_view, std::string> Words::needed_word() {
    const std::string_view found = word();
    if (found.empty()) return base::fail(empty_value(key_));
    return found;
}

base::Result<std::string, std::string> Words::text() {
    const std::size_t begin = rest_.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return base::fail(empty_value(key_));
    const std::string_view found = rest_.substr(begin, rest_.find_last_not_of(blanks) + 1 - begin);
    drop_rest();
    if (found.size() > string_bytes_max) {
        return base::fail(
            fmt::format("Error: '{}' value longer than {} bytes.", key_, string_bytes_max));
    }
    if (!is_utf8(found)) return base::fail(std::string("Error: Malformed UTF-8 in configuration."));
    return std::string(found);
}

base::Result<bool, std::string> Words::boolean() {
    const auto found = needed_word();
    if (!found) return base::fail(found.error());
    if (*found == "true" || *found == "1") return true;
    if (*found == "false" || *found == "0") return false;
    return base::fail(invalid_value(key_, *found));
}

base::Result<std::int64_t, std::string> Words::number() {
    const auto found = needed_word();
    if (!found) return base::fail(found.error());
    const std::string digits(*found);
    char* end = nullptr;
    errno = 0;
    const long long value = std::strtoll(digits.c_str(), &end, 0);
    if (end == digits.c_str() || *end != '\0') {
        return base::fail(fmt::format("Error: '{}' value not a number.", key_));
    }
    if (errno == ERANGE) return base::fail(fmt::format("Error: '{}' value out of range.", key_));
    return static_cast<std::int64_t>(value);
}

}  // namespace config
