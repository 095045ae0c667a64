// Users and their SCRAM keys, as a file has them, a line each:
//
//     user:SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY
//
// with salt and keys in base 64: what PostgreSQL keeps in pg_authid. Empty lines and those that
// begin with "#" are skipped.
//
// A value, immutable once read. Limits: access_file_bytes_max, and the lines must be right, all of
// them. Needs cryptography (auth/crypto.h).
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/scram.h"
#include "base/hash.h"

namespace auth {

inline constexpr std::size_t scram_user_bytes_max = 1024;

// Makes keys for users that there are not: keys which no password fits. They are as plausible as
// others, the same each time, and take as long, so that nobody can ask for names.
struct ScramDecoys {
    ScramKeys keys_of(std::string_view user) const;

    // Made of all keys of the table, so that it outlives a restart and nobody knows it.
    Digest secret{};
    // As the table's first user has it.
    std::uint32_t iterations = scram_iterations_min;
    std::size_t salt_bytes = 16;
};

class ScramTable {
public:
    // Fails with "file:line: message".
    static base::Result<ScramTable, std::string> parse(std::string_view text,
                                                       std::string_view file);

    // Null if there is no such user.
    const ScramKeys* find(std::string_view user) const;
    const std::string& file() const { return file_; }
    const ScramDecoys& decoys() const { return decoys_; }
    std::size_t size() const { return users_.size(); }

private:
    std::string file_;
    std::unordered_map<std::string, ScramKeys, base::TextHash, std::equal_to<>> users_;
    ScramDecoys decoys_;
};

// Empty if it may stand in the file, else why not.
std::string judge_user_name(std::string_view user);
// The line of a user, without its end.
std::string to_line(std::string_view user, const ScramKeys& keys);
// `text` with the user's line replaced, or added at the end, and nothing else changed.
std::string with_user(std::string_view text, std::string_view user, const ScramKeys& keys);
}  // namespace auth
