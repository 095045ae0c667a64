#include "auth/access_file.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace auth {

base::Result<std::string, std::string> read_access_file(std::string_view option,
                                                        const std::string& path) {
    const auto refuse = [&](std::string_view why) {
        return base::fail(fmt::format("Error: Unable to read {} '{}': {}.", option, path, why));
    };
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) return refuse("is a directory");
    std::ifstream file(path, std::ios::binary);
    if (!file) return refuse(std::generic_category().message(errno));
    std::string text;
    std::array<char, 65'536> part{};  // A pipe has no size to ask for.
    do {
        file.read(part.data(), part.size());
        text.append(part.data(), static_cast<std::size_t>(file.gcount()));
    } while (file && text.size() <= access_file_bytes_max);
    if (file.bad()) return refuse(std::generic_category().message(errno));
    if (text.size() > access_file_bytes_max) {
        return refuse(fmt::format("it is longer than {} bytes", access_file_bytes_max));
    }
    return text;
}

void warn_of_readers(const std::string& path, std::vector<std::string>& warnings) {
    std::error_code error;
    const auto permissions = std::filesystem::status(path, error).permissions();
    if (error || (permissions & std::filesystem::perms::others_read) == std::filesystem::perms{}) {
        return;
    }
    warnings.push_back(fmt::format(
        "Warning: File {} has world readable permissions. To mend it: chmod 0600 {}", path, path));
}

std::string with_line(std::string_view text, std::string_view user, std::string_view line_of_user) {
    const std::string own_line = std::string(line_of_user) + '\n';
    std::string edited;
    bool is_there = false;
    for_each_line(text, [&](std::string_view line, std::string_view whole) {
        const bool is_own = is_record(line) && user_of(line) == user;
        edited.append(is_own ? own_line : whole);
        is_there = is_there || is_own;
    });
    if (is_there) return edited;
    if (!edited.empty() && !edited.ends_with('\n')) edited += '\n';
    return edited + own_line;
}

std::optional<std::string> without_user(std::string_view text, std::string_view user) {
    std::string edited;
    bool is_there = false;
    for_each_line(text, [&](std::string_view line, std::string_view whole) {
        if (is_record(line) && user_of(line) == user) {
            is_there = true;
        } else {
            edited.append(whole);
        }
    });
    if (!is_there) return std::nullopt;
    return edited;
}

}  // namespace auth
