// One line of mosquitto.conf as words: what the setters of the options read.
//
// Owns nothing: the views live as long as the text of the file. Errors are the sentence to show.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace config {

using Outcome = base::Result<void, std::string>;

inline constexpr std::size_t string_bytes_max = 65'535;

// "Error: Invalid 'name' value (value)."
std::string invalid_value(std::string_view name, std::string_view value);

class Words {
public:
    // The key of a line is what precedes the first space; leading spaces do not count.
    explicit Words(std::string_view line);

    std::string_view key() const { return key_; }

    // The next word; empty at the end of the line. Only the space separates words.
    std::string_view word();
    // The same, but its absence is an error.
    base::Result<std::string_view, std::string> needed_word();
    // All that is left, without the blanks around it: never empty, UTF-8, at most 65,535 bytes.
    base::Result<std::string, std::string> text();
    // "true", "false", "1" or "0".
    base::Result<bool, std::string> boolean();
    // As strtol reads it with base 0: 0x10 is 16, 010 is 8. The whole word must be a number.
    base::Result<std::int64_t, std::string> number();
    // What is left, as it is.
    std::string_view rest() const { return rest_; }
    void drop_rest() { rest_ = {}; }
    void skip(std::size_t bytes) { rest_.remove_prefix(bytes); }

private:
    std::string_view rest_;
    std::string_view key_;
};

}  // namespace config
