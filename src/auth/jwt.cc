#include "auth/jwt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "auth/base64.h"
#include "auth/json_acl.h"
#include "auth/scram.h"

namespace auth {
namespace {

using Json = nlohmann::json;
using Kind = JwtVerdict::Kind;
using Octets = std::optional<std::vector<std::uint8_t>>;

constexpr bool no_exceptions = false;

// RFC 4648, section 5, without padding.
Octets decode_base64url(std::string_view text) {
    std::string plain(text);
    for (char& c : plain) {
        if (c == '+' || c == '/' || c == '=') return std::nullopt;
        if (c == '-') c = '+';
        if (c == '_') c = '/';
    }
    plain.append((4 - plain.size() % 4) % 4, '=');
    return decode_base64(plain);
}

// An object; nothing for all other values, and for what is not JSON.
std::optional<Json> read_object(std::string_view text) {
    Json json = Json::parse(text, nullptr, no_exceptions);
    if (!json.is_object()) return std::nullopt;
    return json;
}

std::optional<Json> read_part(std::string_view part) {
    const Octets bytes = decode_base64url(part);
    if (!bytes) return std::nullopt;
    return read_object(base::as_text(*bytes));
}

// Null if it is not there, or no string.
const std::string* find_text(const Json& object, const std::string& name) {
    const auto found = object.find(name);
    if (found == object.end()) return nullptr;
    return found->get_ptr<const Json::string_t*>();
}

bool has_other(const Json& object, const std::string& name, std::string_view value) {
    if (!object.contains(name)) return false;
    const std::string* const text = find_text(object, name);
    return text == nullptr || *text != value;
}

Octets find_octets(const Json& object, const std::string& name) {
    const std::string* const text = find_text(object, name);
    return text ? decode_base64url(*text) : std::nullopt;
}

base::Result<JwtKey, std::string> read_jwk(const Json& json) {
    const std::string type = *find_text(json, "kty");
    if (type == "oct") {
        const Octets secret = find_octets(json, "k");
        if (!secret) return base::fail(std::string("'k' is not there in base64url"));
        return JwtKey::from_secret(*secret);
    }
    const bool is_rsa = type == "RSA";
    const Octets one = find_octets(json, is_rsa ? "n" : "x");
    const Octets other = find_octets(json, is_rsa ? "e" : "y");
    if (!one || !other) {
        return base::fail(
            fmt::format("'{}' are not there in base64url", is_rsa ? "n' and 'e" : "x' and 'y"));
    }
    return is_rsa ? JwtKey::from_rsa(*one, *other) : JwtKey::from_p256(*one, *other);
}

// Empty if it is a key for us.
std::string_view why_not_ours(const Json& json) {
    const std::string* const type = find_text(json, "kty");
    if (!type || (*type != "oct" && *type != "RSA" && *type != "EC")) return "its type";
    if (has_other(json, "use", "sig")) return "its use";
    if (*type == "EC" && has_other(json, "crv", "P-256")) return "its curve";
    const std::string_view algorithm = name_of(*type == "oct"   ? JwtAlgorithm::hs256
                                               : *type == "RSA" ? JwtAlgorithm::rs256
                                                                : JwtAlgorithm::es256);
    return has_other(json, "alg", algorithm) ? "its algorithm" : "";
}

struct Token {
    std::string_view header;
    std::string_view claims;
    std::string_view signature;
    std::string_view signed_text;  // Header and claims.
};

// Nothing if it has not the form of a token.
std::optional<Token> split(std::string_view text) {
    const std::size_t first = text.find('.');
    const std::size_t last = text.rfind('.');
    if (first == std::string_view::npos || first == last) return std::nullopt;
    const Token token{text.substr(0, first), text.substr(first + 1, last - first - 1),
                      text.substr(last + 1), text.substr(0, last)};
    if (token.claims.find('.') != std::string_view::npos) return std::nullopt;
    return token;
}

// The one that is right for the token, or why there is none.
base::Result<const JwtKey*, std::string> choose_key(const Json& header, const JwtKeys& keys) {
    if (header.contains("crit")) return base::fail(std::string("it has a 'crit' header"));
    const std::string* const name = find_text(header, "alg");
    const auto algorithm = name ? find_jwt_algorithm(*name) : std::nullopt;
    if (!algorithm) {
        return base::fail(std::string("its algorithm is none of HS256, RS256 and ES256"));
    }
    const std::string* const id = find_text(header, "kid");
    if (!id && header.contains("kid")) return base::fail(std::string("its 'kid' is no string"));
    const JwtKey* const key = keys.find(*algorithm, id ? *id : std::string_view());
    if (key) return key;
    return base::fail(fmt::format("there is no key for {}{}", name_of(*algorithm),
                                  id ? " with its 'kid'" : ", or several and it has no 'kid'"));
}

// Empty if the time is right.
std::string judge_times(const Json& claims, const JwtRules& rules, std::int64_t now_s) {
    const auto now = static_cast<double>(now_s);
    const double leeway = rules.leeway_s;
    if (const auto end = claims.find("exp"); end != claims.end()) {
        if (!end->is_number()) return "its 'exp' is no number";
        const double late = now - end->get<double>();
        if (late >= leeway) return fmt::format("it has expired {:.0f} s ago", late);
    }
    if (const auto begin = claims.find("nbf"); begin != claims.end()) {
        if (!begin->is_number()) return "its 'nbf' is no number";
        const double early = begin->get<double>() - now;
        if (early > leeway) return fmt::format("it is not valid before {:.0f} s from now", early);
    }
    return {};
}

// RFC 7519, 4.1.3: a token that names whom it is for is for nobody else.
bool is_for(const Json& claims, const std::string& audience) {
    const auto found = claims.find("aud");
    if (found == claims.end()) return audience.empty();
    if (audience.empty()) return false;
    const auto is_it = [&](const Json& each) { return each.is_string() && each == audience; };
    return found->is_array() ? std::any_of(found->begin(), found->end(), is_it) : is_it(*found);
}

std::string judge_claims(const Json& claims, const JwtRules& rules, std::int64_t now_s) {
    if (std::string why = judge_times(claims, rules, now_s); !why.empty()) return why;
    if (!rules.issuer.empty()) {
        const std::string* const issuer = find_text(claims, "iss");
        if (!issuer || *issuer != rules.issuer) return "its 'iss' is not auth_jwt_issuer";
    }
    if (is_for(claims, rules.audience)) return {};
    return rules.audience.empty() ? "it has an 'aud', and auth_jwt_audience is not set"
                                  : "auth_jwt_audience is not in its 'aud'";
}

// Of a token that has not expired.
std::uint32_t remaining_s(const Json& claims, const JwtRules& rules, std::int64_t now_s) {
    const auto end = claims.find("exp");
    if (!rules.ends_login || end == claims.end()) return 0;
    const double left = end->get<double>() + rules.leeway_s - static_cast<double>(now_s);
    return left > UINT32_MAX ? 0 : static_cast<std::uint32_t>(std::ceil(left));
}

}  // namespace

base::Result<void, std::string> JwtKeys::add(JwtKey key, std::string id) {
    const bool is_double = std::any_of(keys_.begin(), keys_.end(), [&](const Entry& each) {
        return each.key.algorithm() == key.algorithm() && each.id == id;
    });
    if (is_double) {
        return base::fail(id.empty() ? fmt::format("there are two keys for {} without 'kid'",
                                                   name_of(key.algorithm()))
                                     : fmt::format("there are two keys for {} with that 'kid'",
                                                   name_of(key.algorithm())));
    }
    if (keys_.size() == keys_max) return base::fail(fmt::format("at most {} keys", keys_max));
    keys_.push_back({std::move(id), std::move(key)});
    return {};
}

base::Result<void, std::string> JwtKeys::add_set(std::string_view json, std::string_view file,
                                                 std::vector<std::string>& warnings) {
    const auto set = read_object(json);
    if (!set || !set->contains("keys") || !(*set)["keys"].is_array()) {
        return base::fail(std::string("it is no JWK Set: {\"keys\": [...]}"));
    }
    const std::size_t before = size();
    std::size_t number = 0;
    for (const Json& each : (*set)["keys"]) {
        ++number;
        const auto refuse = [&](std::string_view why) {
            return base::fail(fmt::format("key {}: {}", number, why));
        };
        if (!each.is_object()) return refuse("it is no object");
        if (const auto why = why_not_ours(each); !why.empty()) {
            warnings.push_back(fmt::format(
                "Warning: {}: key {} is left out for {}: tokens are signed by HS256, RS256 or "
                "ES256.",
                file, number, why));
            continue;
        }
        const std::string* const id = find_text(each, "kid");
        if (!id && each.contains("kid")) return refuse("its 'kid' is no string");
        auto key = read_jwk(each);
        if (!key) return refuse(key.error());
        if (auto added = add(std::move(*key), id ? *id : std::string()); !added) {
            return refuse(added.error());
        }
    }
    if (size() == before) return base::fail(std::string("it has no key for tokens"));
    return {};
}

const JwtKey* JwtKeys::find(JwtAlgorithm algorithm, std::string_view id) const {
    const JwtKey* found = nullptr;
    for (const Entry& each : keys_) {
        if (each.key.algorithm() != algorithm) continue;
        if (each.id == id) return &each.key;
        const bool may_be = id.empty() || each.id.empty();
        if (!may_be) continue;
        if (found && id.empty()) return nullptr;
        found = &each.key;
    }
    return found;
}

JwtVerdict check_jwt(std::string_view text, std::string_view client_id, const JwtKeys& keys,
                     const JwtRules& rules, std::int64_t now_s) {
    const auto refuse = [](std::string why) {
        return JwtVerdict{.kind = Kind::invalid, .why = std::move(why)};
    };
    const auto token = split(text);
    if (!token) return {};
    if (text.size() > token_bytes_max) {
        return refuse(fmt::format("it is longer than {} bytes", token_bytes_max));
    }
    const auto header = read_part(token->header);
    if (!header) return {};
    const auto key = choose_key(*header, keys);
    if (!key) return refuse(key.error());
    const Octets signature = decode_base64url(token->signature);
    if (!signature || !(*key)->has_signed(token->signed_text, *signature)) {
        return refuse("its signature is wrong");
    }
    const auto claims = read_part(token->claims);
    if (!claims) return refuse("its claims are no JSON object");
    if (std::string why = judge_claims(*claims, rules, now_s); !why.empty()) return refuse(why);
    const std::string* const user = find_text(*claims, rules.user_name_claim);
    if (!user || !is_prepared(*user)) {
        return refuse(fmt::format("its claim '{}' is no user name", rules.user_name_claim));
    }
    JwtVerdict verdict{
        .kind = Kind::valid, .user_name = *user, .lasts_s = remaining_s(*claims, rules, now_s)};
    if (rules.acl_claim.empty()) return verdict;
    auto rights =
        read_acl_claim(*claims, rules.acl_claim, {.user_name = *user, .client_id = client_id});
    if (!rights) return refuse(std::move(rights.error()));
    verdict.rights = std::move(*rights);
    return verdict;
}

}  // namespace auth
