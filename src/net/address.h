// One end of a connection: an IPv4 or IPv6 address and its port, in 24 bytes. A unix socket has
// neither: its text is empty and its port 0.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace net {

class Address {
public:
    Address() = default;
    explicit Address(const sockaddr* address);
    // The two ends of a connected (or bound) socket; empty if the system does not say.
    static Address peer_of(int fd);
    static Address local_of(int fd);

    // "127.0.0.1", "::1", "fe80::1%eth0".
    std::string text() const;
    // "127.0.0.1:1883", "[::1]:1883".
    std::string text_with_port() const;
    std::uint16_t port() const { return port_; }
    // Fills `out` for bind() or connect() and returns its length.
    socklen_t to_sockaddr(sockaddr_storage& out) const;
    int family() const { return family_; }
    bool is_loopback() const;
    bool is_unix() const { return family_ == AF_UNIX; }
    Address with_port(std::uint16_t port) const;
    // What one host has at least, without a port: an IPv4 address, or 64 bits of an IPv6 one.
    Address network() const;

    // As an IPv6 address: one of IPv4 stands behind ::ffff:.
    std::array<std::uint8_t, 16> as_v6() const;

private:
    std::array<std::uint8_t, 16> bytes_{};
    std::uint32_t scope_ = 0;
    std::uint16_t port_ = 0;
    std::uint16_t family_ = AF_UNSPEC;
};

struct ResolveOptions {
    int family = AF_UNSPEC;  // Or AF_INET, AF_INET6.
    bool passive = false;    // For listening: an empty host is every address of this machine.
};

// Every address of `host`, best first. Blocks while the name server thinks: not for the loop.
base::Result<std::vector<Address>, std::string> resolve(const std::string& host, std::uint16_t port,
                                                        const ResolveOptions& options = {});

}  // namespace net
