// One listener of the configuration, as all shards share it. Outlives every connection.
#pragma once

#include <atomic>
#include <cstdint>

#include "broker/options.h"
#include "server/address_limit.h"

namespace server {

// Sockets of all doors together, for global_max_connections.
struct ConnectionLimit {
    std::int64_t max = -1;  // -1 = no limit.
    std::atomic<std::int64_t> count{0};
};

struct Door {
    broker::ListenerOptions options;
    std::int64_t connections_max = -1;  // -1 = no limit.
    std::atomic<std::int64_t> connections{0};
    ConnectionLimit* all = nullptr;
    AddressLimit* addresses = nullptr;
};

}  // namespace server
