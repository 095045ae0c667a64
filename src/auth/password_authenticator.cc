#include "auth/password_authenticator.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "auth/access_file.h"

namespace auth {

using broker::AuthAnswer;
using mqtt::ReasonCode;

base::Result<PasswordTables, std::string> PasswordTables::read(std::span<const std::string> files,
                                                               std::vector<std::string>& warnings) {
    PasswordTables read;
    for (const std::string& file : files) {
        if (has_crypto || file.empty()) continue;
        return base::fail(
            fmt::format("Error: password_file {} cannot be read: this build has no "
                        "OpenSSL to check passwords with.",
                        file));
    }
    for (auto file = files.begin(); file != files.end(); ++file) {
        const auto before = std::find(files.begin(), file, *file);
        if (file->empty() || before != file) {
            const auto same = static_cast<std::size_t>(before - files.begin());
            read.table_of_realm_.push_back(file->empty() ? none : read.table_of_realm_[same]);
            continue;
        }
        const auto text = read_access_file("password_file", *file);
        if (!text) return base::fail(text.error());
        auto table = PasswordTable::parse(*text, *file);
        if (!table) return base::fail(std::move(table.error()));
        warn_of_readers(*file, warnings);
        read.table_of_realm_.push_back(read.tables_.size());
        read.tables_.push_back(std::move(*table));
    }
    return read;
}

const PasswordTable* PasswordTables::of(std::uint32_t realm) const {
    if (realm == 0 || realm > table_of_realm_.size()) return nullptr;
    const std::size_t table = table_of_realm_[realm - 1];
    return table == none ? nullptr : &tables_[table];
}

void PasswordAuthenticator::use(PasswordTables tables) {
    tables_.with([&](PasswordTables& mine) { std::swap(mine, tables); });
}

bool PasswordAuthenticator::has_users(std::uint32_t realm) const {
    return tables_.with([&](const PasswordTables& tables) { return tables.of(realm) != nullptr; });
}

broker::AuthBegun PasswordAuthenticator::begin(const broker::Credentials& credentials) {
    if (credentials.method || !credentials.user_name) {
        AuthAnswer answer = AuthAnswer::pass_on();
        if (credentials.method) answer.reason = ReasonCode::bad_authentication_method;
        return {std::move(answer), nullptr};
    }
    // Whoever the name is: it tells nothing about who there is.
    if (!credentials.password) {
        return {AuthAnswer::refuse(ReasonCode::not_authorized, "no password"), nullptr};
    }
    std::optional<PasswordTable::Found> found;
    tables_.with([&](const PasswordTables& tables) {
        const PasswordTable* const table = tables.of(credentials.realm);
        if (table) found = table->find(*credentials.user_name);
    });
    if (!found) return {AuthAnswer::pass_on(), nullptr};
    return late_.begin(
        credentials.shard,
        [found = std::move(*found),
         password = std::string(base::as_text(*credentials.password))](std::size_t) -> AuthAnswer {
            const bool is_right = found.hash.matches(base::as_bytes(password));
            if (!found.is_user) return AuthAnswer::pass_on();
            if (is_right) return AuthAnswer::accept();
            return AuthAnswer::refuse(ReasonCode::not_authorized);
        });
}

void PasswordAuthenticator::inquire(const broker::Inquiry& inquiry, const OnUserRuling& done) {
    const std::string& user = *inquiry.user_name;
    done(tables_.with([&](const PasswordTables& tables) {
        const PasswordTable* const table = tables.of(inquiry.realm);
        if (!table) return UserRuling{.passes_on = true};
        return ruling_of_file("password_file", table->file(), table->has(user), user);
    }));
}

}  // namespace auth
