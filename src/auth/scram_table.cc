#include "auth/scram_table.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "auth/base64.h"

namespace auth {
namespace {

using base::as_bytes;

constexpr std::string_view method_word = "SCRAM-SHA-256";
constexpr std::size_t salt_bytes_min = 8;
constexpr std::size_t salt_bytes_max = 64;

// Takes what precedes the next `separator`, and the separator, off the front.
std::string_view take_until(std::string_view& rest, char separator) {
    const std::size_t end = std::min(rest.find(separator), rest.size());
    const std::string_view taken = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return taken;
}

bool is_record(std::string_view line) {
    return !line.empty() && line[0] != '#';
}

std::string_view user_of(std::string_view line) {
    return line.substr(0, line.find(':'));
}

bool read_digest(std::string_view text, Digest& digest) {
    const auto bytes = decode_base64(text);
    if (!bytes || bytes->size() != digest.size()) return false;
    std::copy(bytes->begin(), bytes->end(), digest.begin());
    return true;
}

// What follows the user's name and its colon.
base::Result<ScramKeys, std::string> read_keys(std::string_view text) {
    const std::string_view method = take_until(text, '$');
    const std::string_view iterations = take_until(text, ':');
    const std::string_view salt_text = take_until(text, '$');
    const std::string_view stored_key = take_until(text, ':');
    if (method != method_word) {
        return base::fail(fmt::format("the user's keys do not begin with {}$", method_word));
    }
    ScramKeys keys;
    const char* const end = iterations.data() + iterations.size();
    const auto read = std::from_chars(iterations.data(), end, keys.iterations);
    const bool is_number = read.ec == std::errc() && read.ptr == end;
    if (!is_number || keys.iterations < scram_iterations_min ||
        keys.iterations > scram_iterations_max) {
        return base::fail(
            fmt::format("iterations must be {} to {}", scram_iterations_min, scram_iterations_max));
    }
    auto salt = decode_base64(salt_text);
    if (!salt || salt->size() < salt_bytes_min || salt->size() > salt_bytes_max) {
        return base::fail(fmt::format("the salt is not {} to {} bytes in base 64", salt_bytes_min,
                                      salt_bytes_max));
    }
    keys.salt = std::move(*salt);
    if (!read_digest(stored_key, keys.stored_key) || !read_digest(text, keys.server_key)) {
        return base::fail(std::string("a key is not 32 bytes in base 64"));
    }
    return keys;
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

}  // namespace

base::Result<ScramTable, std::string> ScramTable::parse(std::string_view text,
                                                        std::string_view file) {
    ScramTable table;
    std::string all_keys;
    std::string error;
    std::size_t number = 0;
    for_each_line(text, [&](std::string_view line, std::string_view) {
        ++number;
        if (!error.empty() || !is_record(line)) return;
        const auto refuse = [&](std::string_view why) {
            error = fmt::format("{}:{}: Error: {}.", file, number, why);
        };
        const std::string_view user = user_of(line);
        if (user.size() == line.size()) return refuse("there is no colon behind the user's name");
        if (const auto why = judge_user_name(user); !why.empty()) return refuse(why);
        auto keys = read_keys(line.substr(user.size() + 1));
        if (!keys) return refuse(keys.error());
        if (table.users_.empty()) {
            table.decoys_.iterations = keys->iterations;
            table.decoys_.salt_bytes = keys->salt.size();
        }
        all_keys.append(line.substr(user.size()));
        if (!table.users_.emplace(user, std::move(*keys)).second) {
            refuse(fmt::format("user '{}' is here twice", user));
        }
    });
    if (!error.empty()) return base::fail(std::move(error));
    table.decoys_.secret = sha256(as_bytes(all_keys));
    return table;
}

const ScramKeys* ScramTable::find(std::string_view user) const {
    const auto found = users_.find(user);
    return found == users_.end() ? nullptr : &found->second;
}

ScramKeys ScramDecoys::keys_of(std::string_view user) const {
    const auto made_of = [&](std::string_view purpose) {
        return hmac_sha256(secret, as_bytes(fmt::format("{}:{}", purpose, user)));
    };
    ScramKeys keys;
    keys.iterations = iterations;
    const Digest salt = made_of("salt");
    while (keys.salt.size() < salt_bytes) {
        const std::size_t part = std::min(salt_bytes - keys.salt.size(), salt.size());
        keys.salt.insert(keys.salt.end(), salt.begin(),
                         salt.begin() + static_cast<std::ptrdiff_t>(part));
    }
    keys.stored_key = made_of("stored key");
    keys.server_key = made_of("server key");
    return keys;
}

std::string judge_user_name(std::string_view user) {
    if (user.size() > scram_user_bytes_max) {
        return fmt::format("a user's name has at most {} bytes", scram_user_bytes_max);
    }
    if (!is_prepared(user)) return "a user's name is UTF-8 without control characters, not empty";
    if (user.find(':') != std::string_view::npos || user[0] == '#') {
        return "a user's name has no colon and does not begin with #";
    }
    return {};
}

std::string to_line(std::string_view user, const ScramKeys& keys) {
    return fmt::format("{}:{}${}:{}${}:{}", user, method_word, keys.iterations,
                       encode_base64(keys.salt), encode_base64(keys.stored_key),
                       encode_base64(keys.server_key));
}

std::string with_user(std::string_view text, std::string_view user, const ScramKeys& keys) {
    const std::string own_line = to_line(user, keys) + '\n';
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

base::Result<std::string, std::string> read_scram_file(const std::string& path) {
    const auto refuse = [&](std::string_view why) {
        return base::fail(fmt::format("Error: Unable to read scram_file '{}': {}.", path, why));
    };
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) return refuse("is a directory");
    std::ifstream file(path, std::ios::binary);
    if (!file) return refuse(std::generic_category().message(errno));
    // One byte more than may be shows that there is more; a pipe has no size to ask for.
    std::string text(scram_file_bytes_max + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return refuse(std::generic_category().message(errno));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > scram_file_bytes_max) {
        return refuse(fmt::format("it is longer than {} bytes", scram_file_bytes_max));
    }
    return text;
}

}  // namespace auth
