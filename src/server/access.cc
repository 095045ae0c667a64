#include "server/access.h"

#include <algorithm>
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

}  // namespace

Access::Access(const config::Config& config, auth::LateAnswers::Post post)
    : realms_(server::realms(config)),
      is_closed_(!config.authorization_unavailable_because.empty()),
      post_(std::move(post)),
      pool_(hash_limits()),
      late_(pool_, post_),
      anonymous_(config.authentication_unavailable_because.empty()),
      passwords_(late_),
      chain_(anonymous_) {
    chain_.add(passwords_);
    chain_.add(sql_.users());
    chain_.add(scram_);
}

std::vector<std::string> Access::files(std::string config::Security::*file) const {
    std::vector<std::string> paths;
    for (const config::Security& realm : realms_) paths.push_back(realm.*file);
    return paths;
}

base::Result<void, std::string> Access::load(std::vector<std::string>& warnings) {
    auto passwords = auth::PasswordTables::read(files(&config::Security::password_file), warnings);
    if (!passwords) return base::fail(std::move(passwords.error()));
    auto rules = auth::read_acl_files(files(&config::Security::acl_file), warnings);
    if (!rules) return base::fail(std::move(rules.error()));
    // The last that can fail.
    if (auto loaded = scram_.load(files(&config::Security::scram_file), warnings); !loaded) {
        return loaded;
    }
    passwords_.use(std::move(*passwords));
    acl_.use(std::move(*rules));
    return {};
}

}  // namespace server
