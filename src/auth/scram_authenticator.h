// Lets in who proves by SCRAM-SHA-256 that it is a user of its listener's scram_file.
//
// Who names no method, or another one, is the next source's to judge; that a name is not taken
// without proof where there are users, is the chain's care.
//
// Threads: begin() is called by every shard, use() by one thread at a time. The tables are
// copied from under a lock, for no longer than a look-up takes: an exchange that goes on during a
// reload ends with the keys it began with.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "auth/scram_table.h"
#include "auth/user_source.h"
#include "base/guarded.h"

namespace auth {

inline constexpr std::string_view scram_method = "SCRAM-SHA-256";

struct ScramUsers {
    bool has_users = false;
    ScramTable table;
};
// Of the realms 1, 2, ...
using ScramTables = std::vector<ScramUsers>;

// `files` are those of the realms; empty = none. Fails with a sentence, and appends what is odd
// about them to `warnings`; that there is no cryptography, so that none of their users can come in,
// too.
base::Result<ScramTables, std::string> read_scram_files(std::span<const std::string> files,
                                                        std::vector<std::string>& warnings);

class ScramAuthenticator : public UserSource {
public:
    // In place of what was there before.
    void use(ScramTables tables);

    bool has_users(std::uint32_t realm) const override;
    broker::AuthBegun begin(const broker::Credentials& credentials) override;
    void inquire(const broker::Inquiry& inquiry, const OnUserRuling& done) override;

    // Of a user of the realm, or keys that fit no password.
    ScramKeys keys_of(std::uint32_t realm, std::string_view user);

private:
    mutable base::Guarded<ScramTables> realms_;
};

}  // namespace auth
