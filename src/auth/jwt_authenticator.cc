#include "auth/jwt_authenticator.h"

#include <fmt/format.h>

#include <utility>

#include "auth/access_file.h"
#include "auth/crypto.h"
#include "auth/granted_rules.h"

namespace auth {
namespace {

using broker::AuthAnswer;
using mqtt::ReasonCode;

// Adds what `read` makes of a file to the keys.
template <typename Read>
base::Result<void, std::string> add_file(JwtKeys& keys, std::string_view option,
                                         const std::string& path, Read&& read) {
    if (path.empty()) return {};
    const auto refuse = [&](std::string_view why) {
        return base::fail(fmt::format("Error: {} '{}': {}.", option, path, why));
    };
    if (!has_crypto) return refuse("this build has no OpenSSL to check tokens with");
    const auto text = read_access_file(option, path);
    if (!text) return base::fail(text.error());
    base::Result<void, std::string> added = std::forward<Read>(read)(keys, *text);
    if (!added) return refuse(added.error());
    return {};
}

base::Result<void, std::string> add_one(JwtKeys& keys, base::Result<JwtKey, std::string> key) {
    if (!key) return base::fail(std::move(key.error()));
    return keys.add(std::move(*key));
}

// Editors end the last line, which is not part of the secret.
std::string_view without_line_end(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

base::Result<JwtKeys, std::string> read_keys(const JwtFiles& files,
                                             std::vector<std::string>& warnings) {
    JwtKeys keys;
    auto added = add_file(
        keys, "auth_jwt_secret_file", files.secret, [&](JwtKeys& into, std::string_view text) {
            warn_of_readers(files.secret, warnings);
            return add_one(into, JwtKey::from_secret(base::as_bytes(without_line_end(text))));
        });
    if (!added) return base::fail(std::move(added.error()));
    added = add_file(
        keys, "auth_jwt_key_file", files.key,
        [](JwtKeys& into, std::string_view text) { return add_one(into, JwtKey::from_pem(text)); });
    if (!added) return base::fail(std::move(added.error()));
    added =
        add_file(keys, "auth_jwt_jwks_file", files.set, [&](JwtKeys& into, std::string_view text) {
            return into.add_set(text, files.set, warnings);
        });
    if (!added) return base::fail(std::move(added.error()));
    return keys;
}

AuthAnswer accept(JwtVerdict verdict) {
    AuthAnswer answer = AuthAnswer::accept(std::move(verdict.user_name));
    answer.lasts_s = verdict.lasts_s;
    if (verdict.rights) {
        answer.granted = GrantedRules::make("JWT", std::move(*verdict.rights));
    }
    return answer;
}

const JwtRealm* find_realm(const JwtRealms& realms, std::uint32_t realm) {
    if (realm == 0 || realm > realms.size()) return nullptr;
    return realms[realm - 1].keys.size() == 0 ? nullptr : &realms[realm - 1];
}

}  // namespace

base::Result<JwtRealms, std::string> read_jwt_files(std::span<const JwtFiles> files,
                                                    std::vector<std::string>& warnings) {
    JwtRealms realms;
    for (const JwtFiles& each : files) {
        auto keys = read_keys(each, warnings);
        if (!keys) return base::fail(std::move(keys.error()));
        realms.push_back({std::move(*keys), each.rules});
    }
    return realms;
}

void JwtAuthenticator::use(JwtRealms realms) {
    realms_.with([&](JwtRealms& mine) { std::swap(mine, realms); });
}

bool JwtAuthenticator::has_users(std::uint32_t realm) const {
    return realms_.read(
        [&](const JwtRealms& realms) { return find_realm(realms, realm) != nullptr; });
}

broker::AuthBegun JwtAuthenticator::begin(const broker::Credentials& credentials) {
    if (credentials.method || !credentials.password) {
        AuthAnswer answer = AuthAnswer::pass_on();
        if (credentials.method) answer.reason = ReasonCode::bad_authentication_method;
        return {std::move(answer), nullptr};
    }
    const std::string_view token = base::as_text(*credentials.password);
    JwtVerdict verdict = realms_.read([&](const JwtRealms& realms) {
        const JwtRealm* const mine = find_realm(realms, credentials.realm);
        if (!mine) return JwtVerdict();
        return check_jwt(token, credentials.client_id, mine->keys, mine->rules, clock_());
    });
    if (verdict.kind == JwtVerdict::Kind::no_token) {
        return {AuthAnswer::pass_on("the password is no JWT"), nullptr};
    }
    const bool is_other = credentials.user_name && !credentials.user_name->empty() &&
                          *credentials.user_name != verdict.user_name;
    if (verdict.kind == JwtVerdict::Kind::valid && is_other) {
        verdict = {.kind = JwtVerdict::Kind::invalid, .why = "it is for another user name"};
    }
    if (verdict.kind == JwtVerdict::Kind::invalid) {
        return {AuthAnswer::refuse(ReasonCode::not_authorized, "JWT: " + verdict.why), nullptr};
    }
    return {accept(std::move(verdict)), nullptr};
}

}  // namespace auth
