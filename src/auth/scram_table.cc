#include "auth/scram_table.h"

#include <fmt/format.h>

#include <charconv>

#include "auth/access_file.h"
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

}  // namespace

base::Result<ScramTable, std::string> ScramTable::parse(std::string_view text,
                                                        std::string_view file) {
    ScramTable table;
    table.file_ = file;
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
    return with_line(text, user, to_line(user, keys));
}

}  // namespace auth
