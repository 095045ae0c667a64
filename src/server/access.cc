#include "server/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "server/settings.h"

namespace server {
namespace {

// A password hash takes a worker for some milliseconds. What waits longer than connect_timeout is
// hashed for nobody.
constexpr std::size_t hash_workers_max = 4;
constexpr std::size_t hash_queue_max = 10'000;

auth::WorkPool::Limits hash_limits() {
    const std::size_t cpus = std::max(1U, std::thread::hardware_concurrency());
    return {.workers = std::min(cpus, hash_workers_max), .queue_max = hash_queue_max};
}

std::int64_t seconds_since_1970() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

// `has_rights`: what tokens say that their bearers may do counts.
std::vector<auth::JwtFiles> jwt_files(const Realms& realms, bool has_rights) {
    std::vector<auth::JwtFiles> files;
    for (const Realms::Realm& realm : realms.all) {
        const config::JwtAuth jwt = realm.in_use ? realm.security.jwt : config::JwtAuth();
        files.push_back({jwt.secret_file,
                         jwt.key_file,
                         jwt.jwks_file,
                         {.user_name_claim = jwt.username_claim,
                          .issuer = jwt.issuer,
                          .audience = jwt.audience,
                          .acl_claim = has_rights ? jwt.acl_claim : std::string(),
                          .leeway_s = jwt.leeway_s,
                          .ends_login = jwt.disconnect_on_expiry}});
    }
    return files;
}

}  // namespace

Access::Access(const config::Config& config, base::Log& log, auth::LateAnswers::Post post)
    : is_closed_(!config.authorization_unavailable_because.empty()),
      log_(log),
      post_(std::move(post)),
      pool_(hash_limits()),
      late_(pool_, post_),
      anonymous_(config.authentication_unavailable_because.empty()),
      tokens_(&seconds_since_1970),
      passwords_(late_),
      chain_(anonymous_),
      retirement_(shard_count(config), post_) {
    chain_.add(tokens_);  // A password that is a token is nobody else's.
    chain_.add(passwords_);
    chain_.add(sql_.users());
    chain_.add(http_.users());
    chain_.add(scram_);
}

// Realms without listeners have no users any more.
std::vector<std::string> Access::paths(const Realms& realms, std::string config::Security::*file) {
    std::vector<std::string> found;
    for (const Realms::Realm& realm : realms.all) {
        found.push_back(realm.in_use ? realm.security.*file : std::string());
    }
    return found;
}

base::Result<Access::Files, std::string> Access::read(Realms realms,
                                                      std::vector<std::string>& warnings) {
    auto passwords =
        auth::PasswordTables::read(paths(realms, &config::Security::password_file), warnings);
    if (!passwords) return base::fail(std::move(passwords.error()));
    auto rules = auth::read_acl_files(paths(realms, &config::Security::acl_file), warnings);
    if (!rules) return base::fail(std::move(rules.error()));
    auto scram = auth::read_scram_files(paths(realms, &config::Security::scram_file), warnings);
    if (!scram) return base::fail(std::move(scram.error()));
    auto tokens = auth::read_jwt_files(jwt_files(realms, !is_closed_), warnings);
    if (!tokens) return base::fail(std::move(tokens.error()));
    for (std::size_t i = 0; i < realms.all.size(); ++i) {
        // Its sessions have what rights they had.
        if (!realms.all[i].in_use) (*rules)[i] = acl_.table(i);
    }
    Files files{std::move(realms),
                std::move(*passwords),
                std::move(*rules),
                std::move(*scram),
                std::move(*tokens),
                {},
                {}};
    if (auto outside = read_outside(files); !outside) return base::fail(std::move(outside.error()));
    return files;
}

base::Result<void, std::string> Access::read_outside(Files& files) {
    if (!retirement_.has_room()) {
        return base::fail(
            fmt::format("Error: the databases and services of the last {} reloads have not ended "
                        "yet. Reload again later.",
                        Retirement::batches_max));
    }
    auto sql = sql_.prepare(files.realms, log_, post_);
    if (!sql) return base::fail(std::move(sql.error()));
    files.databases = std::move(*sql);
    auto http = http_.prepare(files.realms, log_, post_);
    if (!http) return base::fail(std::move(http.error()));
    files.services = std::move(*http);
    return {};
}

void Access::use(Files files) {
    // Rules may move from a file to a database, or back: at no moment a realm has neither.
    acl_.use(joined_with_before(files.rules));
    RetiredUsers retired;
    chain_.change([&] {
        retired.databases = sql_.use(std::move(files.databases));
        retired.services = http_.use(std::move(files.services));
        passwords_.use(std::move(files.passwords));
        scram_.use(std::move(files.scram));
        tokens_.use(std::move(files.tokens));
    });
    acl_.use(std::move(files.rules));
    retirement_.add(std::move(retired));
    realms_ = std::move(files.realms);
}

// Where a realm has no file any more, that of before.
auth::AclTables Access::joined_with_before(const auth::AclTables& rules) {
    auth::AclTables joined = rules;
    for (std::size_t i = 0; i < realms_.all.size(); ++i) {
        if (!joined[i]) joined[i] = acl_.table(i);
    }
    return joined;
}

}  // namespace server
