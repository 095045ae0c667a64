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

// The sources that realms are to have, and of each the options.
template <typename Source, typename Options>
struct OutsideChange {
    auth::NewSources<Source> sources{};
    std::vector<Options> options{};  // In the order of sources.table.all().
};

// `wanted` are the options of the realms 1, 2, ...; 0 has no source. A source of `before` whose
// options are among them stays as it is. `make` makes one for options that are on, from a heritage,
// which is empty or that of the realm's source of before; or it fails with a sentence.
// `has_same_users` compares the options of the two.
template <typename Source, typename Options, typename HasSameUsers, typename Make>
base::Result<OutsideChange<Source, Options>, std::string> make_sources(
    std::span<const Options> wanted, const auth::RealmSources<Source>& before,
    const std::vector<Options>& options_before, const HasSameUsers& has_same_users,
    const Make& make) {
    constexpr std::size_t none = auth::RealmSources<Source>::none;
    OutsideChange<Source, Options> change;
    std::vector<Source*> all;
    std::vector<std::size_t> of_realm{none};
    for (const Options& each : wanted) {
        of_realm.push_back(none);
        if (!each.is_on()) continue;
        const auto found = std::ranges::find(change.options, each);
        of_realm.back() = static_cast<std::size_t>(found - change.options.begin());
        if (found != change.options.end()) continue;
        change.options.push_back(each);
        if (const auto same = std::ranges::find(options_before, each);
            same != options_before.end()) {
            all.push_back(before.all()[static_cast<std::size_t>(same - options_before.begin())]);
            continue;
        }
        auth::LoginHeritage heritage;
        const std::size_t index = before.index_of(static_cast<std::uint32_t>(of_realm.size()) - 1);
        if (index != none) {
            heritage = before.all()[index]->heritage(has_same_users(options_before[index], each));
        }
        base::Result<std::unique_ptr<Source>, std::string> made = make(each, std::move(heritage));
        if (!made) return base::fail(std::move(made.error()));
        all.push_back(made->get());
        change.sources.fresh.push_back(std::move(*made));
    }
    if (!all.empty()) change.sources.table = {std::move(all), std::move(of_realm)};
    return change;
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
