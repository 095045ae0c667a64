#include "auth/scram_authenticator.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "auth/access_file.h"
#include "auth/base64.h"
#include "base/assert.h"

namespace auth {
namespace {

using broker::AuthAnswer;
using mqtt::ReasonCode;

constexpr std::size_t nonce_bytes = 24;

class ScramExchange : public broker::AuthExchange {
public:
    ScramExchange(ScramAuthenticator& users, std::uint32_t realm)
        : users_(users), realm_(realm), server_(encode_base64(random_bytes(nonce_bytes))) {}

    AuthAnswer step(base::Bytes data) override {
        const std::string_view message = base::as_text(data);
        // MQTT lets the client's first message wait for an AUTH of the server, without data.
        if (!was_asked_ && message.empty()) {
            was_asked_ = true;
            return AuthAnswer::proceed({});
        }
        return user_.empty() ? take_first(message) : take_final(message);
    }

private:
    AuthAnswer take_first(std::string_view message) {
        auto user = server_.read_first(message);
        if (!user) return AuthAnswer::refuse(ReasonCode::not_authorized, std::move(user.error()));
        user_ = std::move(*user);
        was_asked_ = true;
        return AuthAnswer::proceed(server_.challenge(users_.keys_of(realm_, user_)));
    }

    AuthAnswer take_final(std::string_view message) {
        auto proof = server_.read_final(message);
        if (!proof) {
            return AuthAnswer::refuse(ReasonCode::not_authorized,
                                      fmt::format("{} (user '{}')", proof.error(), user_));
        }
        return AuthAnswer::accept(std::move(user_), std::move(*proof));
    }

    ScramAuthenticator& users_;
    std::uint32_t realm_;
    ScramServer server_;
    std::string user_;  // Empty until the first message.
    bool was_asked_ = false;
};

std::string without_crypto(const std::string& file) {
    return fmt::format(
        "Warning: scram_file {} is not read: this build has no OpenSSL. Its users "
        "cannot come in.",
        file);
}

}  // namespace

base::Result<ScramTables, std::string> read_scram_files(std::span<const std::string> files,
                                                        std::vector<std::string>& warnings) {
    ScramTables fresh(files.size());
    for (std::size_t i = 0; i < files.size(); ++i) {
        const std::string& file = files[i];
        fresh[i].has_users = !file.empty();
        if (file.empty()) continue;
        const auto first = std::find(files.begin(), files.end(), file);
        const bool is_first = static_cast<std::size_t>(first - files.begin()) == i;
        if (!has_crypto) {
            if (is_first) warnings.push_back(without_crypto(file));
            continue;
        }
        const auto text = read_access_file("scram_file", file);
        if (!text) return base::fail(text.error());
        auto table = ScramTable::parse(*text, file);
        if (!table) return base::fail(std::move(table.error()));
        fresh[i].table = std::move(*table);
        if (is_first) warn_of_readers(file, warnings);
    }
    return fresh;
}

void ScramAuthenticator::use(ScramTables tables) {
    realms_.with([&](ScramTables& realms) { realms.swap(tables); });
}

bool ScramAuthenticator::has_users(std::uint32_t realm) const {
    return realms_.with([&](const ScramTables& realms) {
        return realm != 0 && realm <= realms.size() && realms[realm - 1].has_users;
    });
}

broker::AuthBegun ScramAuthenticator::begin(const broker::Credentials& credentials) {
    const bool is_ours = has_crypto && credentials.method == scram_method;
    if (!is_ours || !has_users(credentials.realm)) {
        AuthAnswer answer = AuthAnswer::pass_on();
        answer.reason = credentials.method ? ReasonCode::bad_authentication_method
                                           : ReasonCode::bad_user_name_or_password;
        return {std::move(answer), nullptr};
    }
    auto exchange = std::make_unique<ScramExchange>(*this, credentials.realm);
    AuthAnswer first = exchange->step(credentials.data);
    return {std::move(first), std::move(exchange)};
}

void ScramAuthenticator::inquire(const broker::Inquiry& inquiry, const OnUserRuling& done) {
    const std::string& user = *inquiry.user_name;
    UserRuling found = realms_.with([&](const ScramTables& realms) {
        if (inquiry.realm == 0 || inquiry.realm > realms.size())
            return UserRuling{.passes_on = true};
        const ScramTable& table = realms[inquiry.realm - 1].table;
        return ruling_of_file("scram_file", table.file(), table.find(user) != nullptr, user);
    });
    if (!found.passes_on) found.ruling.because += fmt::format(" by {}", scram_method);
    done(std::move(found));
}

ScramKeys ScramAuthenticator::keys_of(std::uint32_t realm, std::string_view user) {
    std::optional<ScramKeys> keys;
    ScramDecoys decoys;
    realms_.with([&](const ScramTables& realms) {
        ASSERT(realm - 1 < realms.size());
        const ScramTable& table = realms[realm - 1].table;
        decoys = table.decoys();
        if (const ScramKeys* found = table.find(user)) keys = *found;
    });
    ScramKeys decoy = decoys.keys_of(user);  // In any case: the time it takes tells nothing.
    return keys ? std::move(*keys) : std::move(decoy);
}

}  // namespace auth
