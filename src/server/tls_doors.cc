#include "server/tls_doors.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace server {
namespace {

net::TlsOptions tls_options(const config::Listener& listener) {
    const config::Tls& tls = listener.tls;
    return {.listener = name_of(listener),
            .cafile = tls.cafile,
            .capath = tls.capath,
            .certfile = tls.certfile,
            .keyfile = tls.keyfile,
            .crlfile = tls.crlfile,
            .ciphers = tls.ciphers,
            .ciphers_tls13 = tls.ciphers_tls13,
            .version = tls.version,
            .psk_hint = tls.psk_hint,
            .psk_file = listener.security.psk_file,
            .require_certificate = tls.require_certificate,
            .check_certificate_dates = !tls.disable_client_cert_date_checks};
}

net::UserFrom user_from(const config::Tls& tls) {
    const bool is_asked_for = tls.use_identity_as_username || tls.use_subject_as_username;
    if (!is_asked_for) return net::UserFrom::nothing;
    // A pre-shared key has an identity and no subject.
    const bool is_identity = tls.use_identity_as_username || !tls.psk_hint.empty();
    return is_identity ? net::UserFrom::identity : net::UserFrom::subject;
}

auto place_of(const config::Listener& listener) {
    return std::tie(listener.port, listener.host, listener.unix_path, listener.bind_interface,
                    listener.socket_domain);
}

}  // namespace

std::string name_of(const config::Listener& listener) {
    if (!listener.unix_path.empty()) return fmt::format("listener 0 {}", listener.unix_path);
    if (listener.host.empty()) return fmt::format("listener {}", listener.port);
    return fmt::format("listener {} {}", listener.port, listener.host);
}

base::Result<void, std::string> load_tls(Door& door, const config::Listener& listener) {
    if (!listener.tls.is_on()) return {};
    auto made = net::TlsContext::make(tls_options(listener));
    if (!made) return base::fail(std::move(made.error()));
    door.user_from = user_from(listener.tls);
    door.has_tls = true;
    door.set_tls(std::move(*made));
    return {};
}

base::Result<TlsReload, std::string> TlsReload::read(
    const std::vector<std::unique_ptr<Door>>& doors, const config::Config& fresh) {
    TlsReload reload;
    for (const auto& door : doors) {
        const auto found = std::find_if(
            fresh.listeners.begin(), fresh.listeners.end(),
            [&](const auto& each) { return place_of(each) == place_of(door->configured); });
        if (found == fresh.listeners.end()) continue;  // It goes on until the restart it needs.
        if (found->tls.is_on() != door->has_tls) reload.switched_.push_back(name_of(*found));
        if (!found->tls.is_on() || !door->has_tls) continue;
        auto made = net::TlsContext::make(tls_options(*found));
        if (!made) return base::fail(std::move(made.error()));
        reload.contexts_.emplace_back(door.get(), std::move(*made));
    }
    return reload;
}

void TlsReload::apply() {
    for (auto& [door, context] : contexts_) door->set_tls(std::move(context));
}

}  // namespace server
