#include "server/tls_options.h"

#include <utility>

namespace server {

net::TlsOptions tls_options(const config::Listener& listener, std::string name) {
    const config::Tls& tls = listener.tls;
    return {.listener = std::move(name),
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

}  // namespace server
