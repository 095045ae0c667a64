// Lets in who knows the password of a user of its listener's password_file.
//
// A login costs a hash, made by `late`'s workers; so does one of a name that there is not. What the
// answer says and how long it takes is the same for both, and the name may be another source's.
//
// Owned by server/. Threads: begin() and has_users() by every shard; use() by one thread at a time,
// the first time before any begin(). The tables are looked at under a lock, no longer than a
// look-up takes: a login that goes on during a reload ends with the hash it began with.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "auth/late_answers.h"
#include "auth/password_table.h"
#include "auth/user_source.h"
#include "base/guarded.h"

namespace auth {

// The tables of all realms; a file that several of them have is there once.
class PasswordTables {
public:
    // `files` are those of the realms 1, 2, ...; empty = none. Fails with a sentence, and appends
    // what is odd about the files to `warnings`.
    static base::Result<PasswordTables, std::string> read(std::span<const std::string> files,
                                                          std::vector<std::string>& warnings);
    // Null if the realm has none.
    const PasswordTable* of(std::uint32_t realm) const;

private:
    static constexpr std::size_t none = SIZE_MAX;
    std::vector<PasswordTable> tables_;
    std::vector<std::size_t> table_of_realm_;  // By realm, less 1.
};

class PasswordAuthenticator : public UserSource {
public:
    explicit PasswordAuthenticator(LateAnswers& late) : late_(late) {}

    // In place of what was there before.
    void use(PasswordTables tables);

    bool has_users(std::uint32_t realm) const override;
    broker::AuthBegun begin(const broker::Credentials& credentials) override;
    void inquire(const broker::Inquiry& inquiry, const OnUserRuling& done) override;

private:
    LateAnswers& late_;
    mutable base::Guarded<PasswordTables> tables_;
};

}  // namespace auth
