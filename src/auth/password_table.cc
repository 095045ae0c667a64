#include "auth/password_table.h"

#include <fmt/format.h>

#include "auth/access_file.h"

namespace auth {
namespace {

constexpr std::size_t decoys_max = 64;
constexpr std::size_t user_bytes_max = 65'535;  // Of a user name in CONNECT.
constexpr std::uint32_t empty_file_iterations = 1000;

}  // namespace

std::string judge_password_user(std::string_view user) {
    if (user.empty()) return "there is no user name";
    if (user.size() > user_bytes_max) {
        return fmt::format("a user name has at most {} bytes", user_bytes_max);
    }
    if (user[0] == '#') return "a user name does not begin with #";
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < ' ' || c == '\x7F';
    };
    if (std::ranges::any_of(user, is_control) || user.find(':') != std::string_view::npos) {
        return "a user name has no colon and no control characters";
    }
    return {};
}

base::Result<PasswordTable, std::string> PasswordTable::parse(std::string_view text,
                                                              std::string_view file) {
    PasswordTable table;
    table.file_ = file;
    std::string error;
    std::size_t number = 0;
    for_each_line(text, [&](std::string_view line, std::string_view) {
        ++number;
        if (!error.empty() || !is_record(line)) return;
        if (const std::string why = table.add(line); !why.empty()) {
            error = fmt::format("{}:{}: Error: {}.", file, number, why);
        }
    });
    if (!error.empty()) return base::fail(std::move(error));
    for (const auto& [user, hash] : table.users_) {
        if (table.decoys_.size() < decoys_max) table.decoys_.push_back(hash.decoy());
    }
    if (table.decoys_.empty()) {
        table.decoys_.push_back(MosquittoHash::make(MosquittoHash::Kind::pbkdf2, random_bytes(16),
                                                    empty_file_iterations));
    }
    return table;
}

// Empty, or what is wrong with the line.
std::string PasswordTable::add(std::string_view line) {
    const std::string_view user = user_of(line);
    if (user.size() == line.size()) return "there is no colon behind the user name";
    if (std::string why = judge_password_user(user); !why.empty()) return why;
    const std::string_view secret = line.substr(user.size() + 1);
    if (secret.empty()) return fmt::format("user '{}' has no password hash", user);
    if (secret[0] != '$') {
        return fmt::format(
            "what user '{}' has is not a hash; nightjar passwd -U makes hashes of a "
            "file with plain passwords",
            user);
    }
    auto hash = MosquittoHash::parse(secret);
    if (!hash) return fmt::format("the hash of user '{}' is malformed: {}", user, hash.error());
    if (users_.emplace(user, std::move(*hash)).second) return {};
    return fmt::format("user '{}' is here twice", user);
}

PasswordTable::Found PasswordTable::find(std::string_view user) const {
    const auto found = users_.find(user);
    if (found != users_.end()) return {found->second, true};
    return {decoys_[base::hash(user) % decoys_.size()], false};
}

}  // namespace auth
