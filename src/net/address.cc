#include "net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace net {
namespace {

template <typename Ask>
Address address_from(Ask ask, int fd) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    return ask(fd, address, &size) < 0 ? Address() : Address(address);
}

}  // namespace

Address::Address(const sockaddr* address) {
    if (address->sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, address, sizeof v4);
        std::memcpy(bytes_.data(), &v4.sin_addr, sizeof v4.sin_addr);
        port_ = ntohs(v4.sin_port);
    } else if (address->sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, address, sizeof v6);
        std::memcpy(bytes_.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
        port_ = ntohs(v6.sin6_port);
        scope_ = v6.sin6_scope_id;
    }
    family_ = address->sa_family;
}

Address Address::peer_of(int fd) {
    return address_from(::getpeername, fd);
}

Address Address::local_of(int fd) {
    return address_from(::getsockname, fd);
}

std::string Address::text() const {
    if (family_ != AF_INET && family_ != AF_INET6) return {};
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    ::inet_ntop(family_, bytes_.data(), buffer.data(), buffer.size());
    std::string text = buffer.data();
    if (scope_ != 0) {
        std::array<char, IF_NAMESIZE> name{};
        const char* known = ::if_indextoname(scope_, name.data());
        text += '%';
        text += known ? std::string(known) : std::to_string(scope_);
    }
    return text;
}

std::string Address::text_with_port() const {
    const std::string port = ":" + std::to_string(port_);
    return family_ == AF_INET6 ? "[" + text() + "]" + port : text() + port;
}

socklen_t Address::to_sockaddr(sockaddr_storage& out) const {
    if (family_ == AF_INET6) {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port_);
        v6.sin6_scope_id = scope_;
        std::memcpy(&v6.sin6_addr, bytes_.data(), sizeof v6.sin6_addr);
        std::memcpy(&out, &v6, sizeof v6);
        return sizeof v6;
    }
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port_);
    std::memcpy(&v4.sin_addr, bytes_.data(), sizeof v4.sin_addr);
    std::memcpy(&out, &v4, sizeof v4);
    return sizeof v4;
}

bool Address::is_loopback() const {
    if (family_ == AF_INET) return bytes_[0] == 127;
    in6_addr v6{};
    std::memcpy(&v6, bytes_.data(), sizeof v6);
    return family_ == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6);
}

Address Address::with_port(std::uint16_t port) const {
    Address other = *this;
    other.port_ = port;
    return other;
}

Address Address::network() const {
    constexpr std::size_t ipv6_host_begins = 8;
    Address network = with_port(0);
    if (family_ != AF_INET6) return network;
    std::fill(network.bytes_.begin() + ipv6_host_begins, network.bytes_.end(), std::uint8_t{0});
    return network;
}

std::array<std::uint8_t, 16> Address::as_v6() const {
    if (family_ == AF_INET6) return bytes_;
    std::array<std::uint8_t, 16> mapped{};
    mapped[10] = mapped[11] = 0xFF;
    std::copy(bytes_.begin(), bytes_.begin() + 4, mapped.begin() + 12);
    return mapped;
}

base::Result<std::vector<Address>, std::string> resolve(const std::string& host, std::uint16_t port,
                                                        const ResolveOptions& options) {
    addrinfo hints{};
    hints.ai_family = options.family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = options.passive ? AI_PASSIVE : AI_ADDRCONFIG;
    addrinfo* list = nullptr;
    const char* node = host.empty() ? nullptr : host.c_str();
    const std::string service = std::to_string(port);
    int error = ::getaddrinfo(node, service.c_str(), &hints, &list);
    if (error != 0 && !options.passive) {
        // AI_ADDRCONFIG hides even the loopback addresses of a machine without a network.
        hints.ai_flags = 0;
        error = ::getaddrinfo(node, service.c_str(), &hints, &list);
    }
    if (error != 0) return base::fail(host + ": " + ::gai_strerror(error));

    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, ::freeaddrinfo);
    std::vector<Address> found;
    for (const addrinfo* one = list; one; one = one->ai_next) {
        if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
        found.emplace_back(one->ai_addr);
    }
    if (found.empty()) return base::fail(host + ": no address");
    return found;
}

}  // namespace net
