#include "server/http_access.h"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <utility>

namespace server {
namespace {

using config::HttpAuth;

base::Result<void, std::string> check_files(const HttpAuth& http) {
    for (const std::string& file : {http.ca_file, http.cert_file, http.key_file}) {
        if (file.empty() || std::ifstream(file).good()) continue;
        return base::fail(
            fmt::format("Error: {}: the file {} cannot be read.", http.place.text, file));
    }
    return {};
}

// A query may have a token in it.
std::string name_of(const std::string& url) {
    return url.substr(0, url.find('?'));
}

// What connections, waiting and caches are like makes nobody else of them.
bool has_same_users(const HttpAuth& one, const HttpAuth& other) {
    return one.url == other.url && one.headers == other.headers;
}

// Fails with a sentence that names the option's file and line.
base::Result<auth::HttpSettings, std::string> http_settings(const HttpAuth& http) {
    if (!auth::has_http) {
        return base::fail(
            fmt::format("Error: {}: users over HTTP are not in this build. Build it with "
                        "libcurl4-openssl-dev and libssl-dev.",
                        http.place.text));
    }
    if (auto checked = check_files(http); !checked) return base::fail(std::move(checked.error()));
    constexpr std::uint64_t for_ever_ms = std::uint64_t{1} << 62;
    const bool is_for_ever = http.on_error == HttpAuth::OnError::stale;
    auth::HttpSettings settings;
    settings.name = name_of(http.url);
    settings.service = {.url = http.url,
                        .headers = http.headers,
                        .ca_file = http.ca_file,
                        .cert_file = http.cert_file,
                        .key_file = http.key_file,
                        .timeout = std::chrono::milliseconds(http.timeout_ms)};
    settings.workers = http.pool_size;
    settings.logins = {.cache_ms = http.cache_ms,
                       .negative_cache_ms = http.negative_cache_ms,
                       .rules = {.fresh_ms = http.cache_ms,
                                 .stale_ms = is_for_ever ? for_ever_ms : http.stale_if_error_ms},
                       .on_error = static_cast<auth::LoginCache::OnError>(http.on_error)};
    return settings;
}

}  // namespace

base::Result<void, std::string> check_http(const config::Config& config) {
    for (const config::Listener& listener : config.listeners) {
        if (!listener.security.http.is_on()) continue;
        if (auto settings = http_settings(listener.security.http); !settings) {
            return base::fail(std::move(settings.error()));
        }
    }
    return {};
}

base::Result<HttpAccess::Change, std::string> HttpAccess::prepare(
    const Realms& realms, base::Log& log, const auth::LateAnswers::Post& post) const {
    using Made = base::Result<std::unique_ptr<auth::HttpSource>, std::string>;
    std::vector<HttpAuth> wanted;
    for (const Realms::Realm& realm : realms.all) {
        // Without listeners nobody comes in; rights are the sessions' own.
        wanted.push_back(realm.in_use ? realm.security.http : HttpAuth());
    }
    return make_sources<auth::HttpSource, HttpAuth>(
        wanted, users_.sources(), options_, &has_same_users,
        [&](const HttpAuth& http, auth::LoginHeritage heritage) -> Made {
            auto settings = http_settings(http);
            if (!settings) return base::fail(std::move(settings.error()));
            settings->has_rights = has_rights_;
            return std::make_unique<auth::HttpSource>(std::move(*settings), log, post,
                                                      std::move(heritage));
        });
}

auth::RetiredSources<auth::HttpSource> HttpAccess::use(Change change) {
    options_ = std::move(change.options);
    return users_.use(std::move(change.sources));
}

void HttpAccess::print(base::Log& log) const {
    for (auth::HttpSource* const source : users_.sources().all()) {
        const auth::HttpSource::Figures figures = source->figures();
        print_figures(log, "service " + source->name(), "requests",
                      {figures.logins, figures.server, figures.refused, figures.waiting});
    }
}

}  // namespace server
