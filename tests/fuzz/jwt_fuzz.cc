// JSON Web Tokens and sets of keys: nothing that a client or a file says does harm, and no token
// that is not signed comes in.
//
//     input := 0, set of keys
//            | size of the header, header, claims
//            | 255, token
#include <cstdlib>
#include <string>

#include "../auth/jwt_tokens.h"
#include "auth/jwt.h"

namespace {

using Kind = auth::JwtVerdict::Kind;
constexpr auto publish = broker::Access::publish;

void require(bool condition) {
    if (!condition) std::abort();
}

const auth::JwtKeys& some_keys() {
    static const auth::JwtKeys keys = [] {
        auth::JwtKeys made;
        std::vector<std::string> warnings;
        require(made.add_set(auth::openssl_set, "set", warnings).has_value());
        auto secret = auth::JwtKey::from_secret(base::as_bytes(auth::token_secret));
        require(made.add(std::move(*secret)).has_value());
        return made;
    }();
    return keys;
}

void read_set(std::string_view text) {
    auth::JwtKeys keys;
    std::vector<std::string> warnings;
    const auto added = keys.add_set(text, "set", warnings);
    require(added ? keys.size() > 0 : !added.error().empty());
}

void read_token(std::string_view token) {
    static const auth::JwtRules rules{.audience = "a", .acl_claim = "acl"};
    const auth::JwtVerdict verdict = auth::check_jwt(token, "client", some_keys(), rules, 1'000);
    require((verdict.kind == Kind::invalid) == !verdict.why.empty());
    require((verdict.kind == Kind::valid) == !verdict.user_name.empty());
    require((verdict.kind == Kind::valid) == verdict.rights.has_value());
    // Neither a wildcard nor a name reaches what begins with "$".
    if (verdict.rights && verdict.rights->allows(publish, "$x/y")) {
        require(verdict.rights->explain(publish, "$x/y").find(" $x") != std::string::npos);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || !auth::has_crypto) return 0;
    const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
    if (data[0] == 0) {
        read_set(text);
    } else if (data[0] == 255) {
        read_token(text);
    } else {
        const std::string header = text.substr(0, data[0]);
        const std::string claims = text.substr(header.size());
        read_token(auth::make_token(claims, header));
        // By another secret: never.
        const std::string forged = auth::make_token(claims, header, std::string(32, 'f'));
        require(auth::check_jwt(forged, "client", some_keys(), {}, 1'000).kind != Kind::valid);
    }
    return 0;
}
