#include "auth/peer_address.h"

#include <arpa/inet.h>

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace auth {

std::string host_of(std::string_view peer) {
    std::string_view host = peer.substr(0, peer.rfind(':'));
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return std::string(host);
}

std::string network_of(std::string_view peer) {
    std::string host = host_of(peer);
    std::array<std::uint8_t, 16> bytes{};
    if (inet_pton(AF_INET6, host.c_str(), bytes.data()) != 1) return host;
    return std::string(base::as_text(base::Bytes(bytes).first(8)));
}

}  // namespace auth
