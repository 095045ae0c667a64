// Users and the hashes of their passwords, as a password_file has them: "user:hash" on each line.
//
// A value, immutable once read. Limits: access_file_bytes_max, and every line must be right: one
// that is not could stand for a user without a password.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/mosquitto_hash.h"
#include "base/hash.h"

namespace auth {

class PasswordTable {
public:
    // Fails with "file:line: message".
    static base::Result<PasswordTable, std::string> parse(std::string_view text,
                                                          std::string_view file);

    struct Found {
        MosquittoHash hash;
        bool is_user = false;  // Else the hash is of no password, and as costly as some user's.
    };
    // The same for the same name until the process ends.
    Found find(std::string_view user) const;
    bool has(std::string_view user) const { return users_.find(user) != users_.end(); }
    const std::string& file() const { return file_; }
    std::size_t size() const { return users_.size(); }

private:
    std::string add(std::string_view line);

    std::string file_;
    std::unordered_map<std::string, MosquittoHash, base::TextHash, std::equal_to<>> users_;
    // A few, spread over the costs that there are, so that a name which takes long to refuse may be
    // a user's, and may not.
    std::vector<MosquittoHash> decoys_;
};

// Empty if it may stand in the file, else why not.
std::string judge_password_user(std::string_view user);

}  // namespace auth
