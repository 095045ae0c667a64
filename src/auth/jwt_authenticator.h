// Lets in who shows, as its password, a JSON Web Token that is right for its listener (auth/jwt.h).
//
// The token says the user's name, and may say what it may do and when it has to leave. A name in
// CONNECT must be the same one; without a name it is the token's. A password that is no token is
// the next source's to judge.
//
// Threads: begin() is called by every shard, and verifies there: less than 100 us, which a trip to
// a worker and back is not worth. use() by one thread at a time. The keys are under a shared_mutex,
// held by logins for reading: they do not wait for each other.
#pragma once

#include <functional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "auth/jwt.h"
#include "auth/user_source.h"
#include "base/guarded.h"

namespace auth {

// What a listener says about tokens; no files: it takes none.
struct JwtFiles {
    std::string secret{};  // auth_jwt_secret_file
    std::string key{};     // auth_jwt_key_file
    std::string set{};     // auth_jwt_jwks_file
    JwtRules rules{};
};

struct JwtRealm {
    JwtKeys keys{};  // None: no tokens.
    JwtRules rules{};
};
// Of the realms 1, 2, ...
using JwtRealms = std::vector<JwtRealm>;

// `files` are those of the realms. Fails with a sentence, and appends what is odd to `warnings`.
base::Result<JwtRealms, std::string> read_jwt_files(std::span<const JwtFiles> files,
                                                    std::vector<std::string>& warnings);

class JwtAuthenticator : public UserSource {
public:
    using Clock = std::function<std::int64_t()>;  // Seconds since 1970.

    explicit JwtAuthenticator(Clock clock) : clock_(std::move(clock)) {}

    // In place of what was there before.
    void use(JwtRealms realms);

    bool has_users(std::uint32_t realm) const override;
    bool takes_no_name(std::uint32_t realm) const override { return has_users(realm); }
    broker::AuthBegun begin(const broker::Credentials& credentials) override;
    // Whose password is no token is for the next source to know.
    void inquire(const broker::Inquiry&, const OnUserRuling& done) override {
        done({.passes_on = true, .ruling = {.because = "auth_jwt (a token for it would do)"}});
    }

private:
    const Clock clock_{};
    base::Guarded<JwtRealms, std::shared_mutex> realms_{};
};

}  // namespace auth
