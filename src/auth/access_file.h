// What the files about users and their rights have in common: a record on each line, and lines that
// are empty or begin with "#" between them. Those about users are "user:secret".
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace auth {

inline constexpr std::size_t access_file_bytes_max = std::size_t{16} << 20;

// The whole file; `option` is the one that names it. Fails with a sentence that names both.
base::Result<std::string, std::string> read_access_file(std::string_view option,
                                                        const std::string& path);
// As Mosquitto does about files with secrets: appends a sentence if others may read it.
void warn_of_readers(const std::string& path, std::vector<std::string>& warnings);

inline bool is_record(std::string_view line) {
    return !line.empty() && line[0] != '#';
}

inline std::string_view user_of(std::string_view line) {
    return line.substr(0, line.find(':'));
}

// Calls `each(line, line with its end)` for the lines of a text.
template <typename Each>
void for_each_line(std::string_view text, Each&& each) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
        const std::string_view whole = text.substr(0, end);
        std::string_view line = whole;
        while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
        each(line, whole);
        text.remove_prefix(end);
    }
}

// `text` with the user's line replaced, or added at the end, and nothing else changed.
std::string with_line(std::string_view text, std::string_view user, std::string_view line);
// `text` without the user's line; nothing if there is none.
std::optional<std::string> without_user(std::string_view text, std::string_view user);

}  // namespace auth
