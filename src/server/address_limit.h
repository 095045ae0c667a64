// How many connections each address has, for max_connections_per_address: one host, or one that
// claims to be many, does not take every place.
//
// Owned by the Server. Threads: any; shards accept in parallel. Limit: one entry for each address
// that has a connection. Without a maximum nothing is counted and nothing is locked.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/guarded.h"
#include "net/address.h"

namespace server {

class AddressLimit {
public:
    // 0 = no limit.
    explicit AddressLimit(std::uint32_t max) : max_(max) {}

    // False: the address has all that it may have. An IPv6 address counts with its neighbours of
    // the same /64, which are one host's to choose from.
    bool take(const net::Address& peer);
    // For each take() that was true.
    void give_back(const net::Address& peer);

private:
    using Counts = std::unordered_map<std::string, std::uint32_t>;

    std::uint32_t max_;
    base::Guarded<Counts> counts_;
};

}  // namespace server
