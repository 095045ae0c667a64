#include "auth/scram_authenticator.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

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

// As Mosquitto does about files with secrets.
void warn_of_readers(const std::string& file, std::vector<std::string>& warnings) {
    std::error_code error;
    const auto permissions = std::filesystem::status(file, error).permissions();
    if (error || (permissions & std::filesystem::perms::others_read) == std::filesystem::perms{}) {
        return;
    }
    warnings.push_back(fmt::format(
        "Warning: File {} has world readable permissions. To mend it: chmod 0600 {}", file, file));
}

}  // namespace

base::Result<void, std::string> ScramAuthenticator::load(std::span<const std::string> files,
                                                         std::vector<std::string>& warnings) {
    std::vector<ScramTable> fresh;
    for (const std::string& file : files) {
        const auto text = read_scram_file(file);
        if (!text) return base::fail(text.error());
        auto table = ScramTable::parse(*text, file);
        if (!table) return base::fail(std::move(table.error()));
        fresh.push_back(std::move(*table));
        warn_of_readers(file, warnings);
    }
    tables_.with([&](std::vector<ScramTable>& tables) { tables.swap(fresh); });
    return {};
}

broker::AuthBegun ScramAuthenticator::begin(const broker::Credentials& credentials) {
    const bool has_users = credentials.realm != 0;
    if (!credentials.method) {
        if (has_users && credentials.user_name) {
            return {AuthAnswer::refuse(ReasonCode::bad_user_name_or_password), nullptr};
        }
        return others_.begin(credentials);
    }
    if (!has_crypto || !has_users || *credentials.method != scram_method) {
        return others_.begin(credentials);
    }
    auto exchange = std::make_unique<ScramExchange>(*this, credentials.realm);
    AuthAnswer first = exchange->step(credentials.data);
    return {std::move(first), std::move(exchange)};
}

ScramKeys ScramAuthenticator::keys_of(std::uint32_t realm, std::string_view user) {
    std::optional<ScramKeys> keys;
    ScramDecoys decoys;
    tables_.with([&](const std::vector<ScramTable>& tables) {
        ASSERT(realm - 1 < tables.size());
        const ScramTable& table = tables[realm - 1];
        decoys = table.decoys();
        if (const ScramKeys* found = table.find(user)) keys = *found;
    });
    ScramKeys decoy = decoys.keys_of(user);  // In any case: the time it takes tells nothing.
    return keys ? std::move(*keys) : std::move(decoy);
}

}  // namespace auth
