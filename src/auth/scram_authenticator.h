// Lets in who proves by SCRAM-SHA-256 that it is a user of its listener's scram_file.
//
// Who names no method, or another one, is the next source's to judge; that a name is not taken
// without proof where there are users, is the chain's care.
//
// Threads: begin() is called by every shard, load() by one thread at a time. The tables are
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

class ScramAuthenticator : public UserSource {
public:
    // Reads the files, those of the realms 1, 2, ... (empty = none), in place of what was read
    // before: all of them, or, if it fails with a sentence, none. Appends what is odd about them to
    // `warnings`; that there is no cryptography, so that none of their users can come in, too.
    base::Result<void, std::string> load(std::span<const std::string> files,
                                         std::vector<std::string>& warnings);

    bool has_users(std::uint32_t realm) const override;
    broker::AuthBegun begin(const broker::Credentials& credentials) override;

    // Of a user of the realm, or keys that fit no password.
    ScramKeys keys_of(std::uint32_t realm, std::string_view user);

private:
    struct Realm {
        bool has_users = false;
        ScramTable table;
    };
    mutable base::Guarded<std::vector<Realm>> realms_;  // By number, less 1.
};

}  // namespace auth
