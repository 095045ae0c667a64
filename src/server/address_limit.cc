#include "server/address_limit.h"

namespace server {

bool AddressLimit::take(const net::Address& peer) {
    if (max_ == 0 || peer.is_unix()) return true;
    return counts_.with([this, key = peer.network().text()](Counts& counts) {
        std::uint32_t& count = counts[key];
        if (count >= max_) return false;
        ++count;
        return true;
    });
}

void AddressLimit::give_back(const net::Address& peer) {
    if (max_ == 0 || peer.is_unix()) return;
    counts_.with([key = peer.network().text()](Counts& counts) {
        const auto found = counts.find(key);
        if (found != counts.end() && --found->second == 0) counts.erase(found);
    });
}

}  // namespace server
