// What users in databases and behind HTTP have in common here: one source for each set of options
// that realms have, and the line of figures that SIGUSR1 asks for.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "auth/login_cache.h"
#include "auth/realm_sources.h"
#include "auth/server_health.h"
#include "base/log.h"
#include "base/result.h"
#include "config/listener.h"

namespace server {

// `realms` are those of the numbers 1, 2, ...; `make` makes the source for options that are on, or
// fails with a sentence.
template <typename Source, typename Options, typename Make>
base::Result<auth::RealmSources<Source>, std::string> make_sources(
    std::span<const config::Security> realms, Options config::Security::*options,
    const Make& make) {
    constexpr std::size_t none = auth::RealmSources<Source>::none;
    std::vector<Options> seen;
    std::vector<std::unique_ptr<Source>> sources;
    std::vector<std::size_t> of_realm{none};
    for (const config::Security& realm : realms) {
        const Options& wanted = realm.*options;
        of_realm.push_back(none);
        if (!wanted.is_on()) continue;
        const auto found = std::find(seen.begin(), seen.end(), wanted);
        of_realm.back() = static_cast<std::size_t>(found - seen.begin());
        if (found != seen.end()) continue;
        base::Result<std::unique_ptr<Source>, std::string> made = make(wanted);
        if (!made) return base::fail(std::move(made.error()));
        seen.push_back(wanted);
        sources.push_back(std::move(*made));
    }
    return auth::RealmSources<Source>(std::move(sources), std::move(of_realm));
}

struct OutsideFigures {
    auth::LoginCache::Figures logins;
    auth::ServerHealth::Figures server;
    std::uint64_t refused = 0;
    std::size_t waiting = 0;
};
// `what` is "database mysql users", or the like; `questions` is what it is asked by.
void print_figures(base::Log& log, const std::string& what, std::string_view questions,
                   const OutsideFigures& figures);

}  // namespace server
