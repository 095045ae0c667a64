// One listener of the configuration, as all shards share it. Outlives every connection: one that a
// reload has replaced or closed stays until the end, for those that came in by it.
//
// Threads: options do not change; counts are atomic; the files of TLS, which a reload reads again,
// are guarded.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/guarded.h"
#include "broker/options.h"
#include "config/listener.h"
#include "net/tls_context.h"
#include "server/address_limit.h"

namespace net {
struct DetachedStream;
}

namespace server {

// Sockets of all doors together, for global_max_connections.
struct ConnectionLimit {
    std::int64_t max = -1;  // -1 = no limit.
    std::atomic<std::int64_t> count{0};
};

// "127.0.0.1:40000", or "unix socket".
std::string name_of(const net::Address& peer);

struct Door {
    // What counts for all that came in there, whatever its options were.
    struct Counts {
        std::atomic<std::int64_t> connections{0};
        std::atomic<std::int64_t> handshakes{0};  // Going on.
    };

    // `before`: the door at the same place until now. Both outlive every connection.
    explicit Door(Door* before = nullptr) : counts(before ? before->counts : own_counts) {}

    broker::ListenerOptions options;
    config::Listener configured;        // By what it was made.
    std::int64_t connections_max = -1;  // -1 = no limit.
    ConnectionLimit* all = nullptr;
    AddressLimit* addresses = nullptr;

    bool has_tls = false;
    net::UserFrom user_from = net::UserFrom::nothing;

    Counts own_counts;
    Counts& counts;  // Of the first door at the place.

    // "port 1883", "unix socket /run/mqtt".
    std::string place() const;
    // Whether it may connect, and tell us by a PROXY header who its client is.
    bool trusts(const net::Address& peer) const;
    void set_tls(base::Ref<net::TlsContext> context);
    // Puts what the listener asks for between a new socket and its bytes. Or why it cannot: the
    // option whose limit is reached.
    std::string_view dress(net::DetachedStream& connection);

private:
    base::Guarded<base::Ref<net::TlsContext>> tls_;  // Of connections to come.
};

}  // namespace server
