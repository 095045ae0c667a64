// From what mosquitto.conf says about a listener's TLS to what net/ is told.
#pragma once

#include <string>

#include "config/listener.h"
#include "net/tls_context.h"

namespace server {

// `name` is what errors call the listener.
net::TlsOptions tls_options(const config::Listener& listener, std::string name);
net::UserFrom user_from(const config::Tls& tls);

}  // namespace server
