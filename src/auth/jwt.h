// JSON Web Tokens (RFC 7519): who a token says its bearer is, once it is known to be right.
//
//     token := base64url(header) "." base64url(claims) "." base64url(signature)
//
// Nothing but "kid" and "alg" of the header counts before the signature does, and those only choose
// a key: which algorithm is right is the key's to say, so that "none", or an HMAC by a public key,
// never is.
//
// Limits: token_bytes_max, keys_max. Threads: a JwtKeys that is not changed any more, any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt_key.h"
#include "auth/topic_rules.h"

namespace auth {

class JwtKeys {
public:
    static constexpr std::size_t keys_max = 64;

    // `id` may be empty: then it is for tokens of any. Fails with a sentence without its end.
    base::Result<void, std::string> add(JwtKey key, std::string id = {});
    // Those of a JWK Set (RFC 7517). Keys for other purposes are left out, with a line in
    // `warnings`; one that is wrong, or none that is left, is an error.
    base::Result<void, std::string> add_set(std::string_view json, std::string_view file,
                                            std::vector<std::string>& warnings);

    // Null if none fits, or without an id more than one.
    const JwtKey* find(JwtAlgorithm algorithm, std::string_view id) const;
    std::size_t size() const { return keys_.size(); }

private:
    struct Entry {
        std::string id{};
        JwtKey key;
    };
    std::vector<Entry> keys_{};
};

struct JwtRules {
    std::string user_name_claim = "sub";
    std::string issuer{};     // Empty: not looked at.
    std::string audience{};   // Empty: a token that names any is for others.
    std::string acl_claim{};  // Empty: tokens do not say what their bearer may do.
    std::uint32_t leeway_s = 0;
    bool ends_login = true;  // Who came by it leaves when it expires.
};

struct JwtVerdict {
    enum class Kind : std::uint8_t { valid, invalid, no_token };
    Kind kind = Kind::no_token;
    std::string why{};  // Of invalid, for the log: it has nothing out of the token.
    // Of valid:
    std::string user_name{};
    std::optional<TopicRules> rights{};  // With an acl_claim: what it may do.
    std::uint32_t lasts_s = 0;           // How long its bearer may stay; 0: without end.
};

inline constexpr std::size_t token_bytes_max = 16'384;

// `client_id`: of who shows it. `now_s`: since 1970.
JwtVerdict check_jwt(std::string_view token, std::string_view client_id, const JwtKeys& keys,
                     const JwtRules& rules, std::int64_t now_s);

}  // namespace auth
