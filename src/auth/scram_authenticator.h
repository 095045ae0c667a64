// Lets in who proves by SCRAM-SHA-256 that it is a user of its listener's scram_file.
//
// Who names no method is another authenticator's to judge, but for one thing: a name of which
// nobody can say whether it is the client's is not taken where there are users.
//
// Threads: begin() is called by every shard, load() by one thread at a time. The tables are
// copied from under a lock, for no longer than a look-up takes: an exchange that goes on during a
// reload ends with the keys it began with.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "auth/scram_table.h"
#include "base/guarded.h"
#include "broker/authenticator.h"

namespace auth {

inline constexpr std::string_view scram_method = "SCRAM-SHA-256";

class ScramAuthenticator : public broker::Authenticator {
public:
    // `others` judges who names no method, or another one. Outlives us.
    explicit ScramAuthenticator(broker::Authenticator& others) : others_(others) {}

    // Reads the files, those of the realms 1, 2, ..., in place of what was read before: all of
    // them, or, if it fails with a sentence, none. Appends what is odd about them to `warnings`.
    base::Result<void, std::string> load(std::span<const std::string> files,
                                         std::vector<std::string>& warnings);

    broker::AuthBegun begin(const broker::Credentials& credentials) override;

    // Of a user of the realm, or keys that fit no password.
    ScramKeys keys_of(std::uint32_t realm, std::string_view user);

private:
    broker::Authenticator& others_;
    base::Guarded<std::vector<ScramTable>> tables_;  // By realm, less 1.
};

}  // namespace auth
