#include "net/listen_sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace net {
namespace {

// What bind_one() made: a listening socket, or the errno value of what refused it.
struct Bound {
    Fd fd;
    int error = 0;
};

bool set(int fd, int level, int option, int value) {
    return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

bool switch_on(int fd, int level, int option) {
    return set(fd, level, option, 1);
}

bool apply(int fd, const Address& address, const ListenOptions& options) {
    if (!switch_on(fd, SOL_SOCKET, SO_REUSEADDR)) return false;
    if (options.joins && !switch_on(fd, SOL_SOCKET, SO_REUSEPORT)) return false;
    // Accepted sockets inherit it: no system call for each.
    if (options.no_delay && !switch_on(fd, IPPROTO_TCP, TCP_NODELAY)) return false;
    const auto user_timeout_ms = static_cast<int>(options.user_timeout_s * 1000);
    if (user_timeout_ms != 0 && !set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms)) {
        return false;
    }
    // IPv4 has a socket of its own.
    if (address.family() == AF_INET6 && !switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY)) return false;
    const std::string& device = options.bind_interface;
    return device.empty() || ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device.c_str(),
                                          static_cast<socklen_t>(device.size() + 1)) == 0;
}

// The first of those that share a port binds as if it were alone, so that a port which another
// process shares among its own loops is in use and not joined. From then on others may come.
bool bind_shared(int fd, const sockaddr* address, socklen_t size, const ListenOptions& options) {
    if (::bind(fd, address, size) != 0) return false;
    return options.joins || !options.shared_port || switch_on(fd, SOL_SOCKET, SO_REUSEPORT);
}

Bound bind_one(const Address& address, const ListenOptions& options) {
    Bound bound;
    bound.fd = Fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_storage storage{};
    const socklen_t size = address.to_sockaddr(storage);
    const int fd = bound.fd.get();
    const bool done = fd >= 0 && apply(fd, address, options) &&
                      bind_shared(fd, reinterpret_cast<const sockaddr*>(&storage), size, options) &&
                      ::listen(fd, options.backlog) == 0;
    if (!done) bound.error = errno;
    return bound;
}

// A machine without one address family still serves the other.
bool is_family_missing(int error) {
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

}  // namespace

base::Result<ListenSockets, std::string> ListenSockets::open(const ListenOptions& options) {
    ListenSockets sockets;
    if (auto bound = sockets.bind(options); !bound) return base::fail(std::move(bound.error()));
    return sockets;
}

base::Result<void, std::string> ListenSockets::bind(const ListenOptions& options) {
    if (!options.unix_path.empty()) return bind_unix(options);
    const auto addresses =
        resolve(options.host, options.port, {.family = options.family, .passive = true});
    if (!addresses) return base::fail(addresses.error());
    // The port that the system picks for one family may be taken in the other: then again.
    for (int tries = options.port == 0 ? 16 : 1;; --tries) {
        auto bound = bind_all(*addresses, options);
        if (bound || tries == 1) return bound;
    }
}

base::Result<void, std::string> ListenSockets::bind_unix(const ListenOptions& options) {
    unix_socket_ = std::make_unique<UnixSocket>();
    auto fd = unix_socket_->listen(options.unix_path, options.backlog, options.unix_mode);
    if (!fd) return base::fail(std::move(fd.error()));
    fds_.push_back(std::move(*fd));
    return {};
}

base::Result<void, std::string> ListenSockets::bind_all(const std::vector<Address>& addresses,
                                                        const ListenOptions& options) {
    close();
    port_ = options.port;
    std::string error;
    for (const Address& wanted : addresses) {
        const Address address = wanted.with_port(port_);
        Bound bound = bind_one(address, options);
        if (bound.error != 0) {
            error = address.text_with_port() + ": " + std::generic_category().message(bound.error);
            if (is_family_missing(bound.error)) continue;
            close();
            return base::fail(std::move(error));
        }
        addresses_.push_back(Address::local_of(bound.fd.get()));
        port_ = addresses_.back().port();
        fds_.push_back(std::move(bound.fd));
    }
    if (fds_.empty()) return base::fail(std::move(error));
    return {};
}

void ListenSockets::close() {
    fds_.clear();
    addresses_.clear();
    unix_socket_.reset();
}

}  // namespace net
