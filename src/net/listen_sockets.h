// Sockets that listen at one place for one event loop: one per address family, as Mosquitto does;
// or a unix socket. Nobody accepts yet: what comes waits with the system until a Listener has them,
// so that several places can be opened all or none.
//
// Owned by who opened them, then by a Listener. Threads: any, one at a time.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/fd.h"
#include "net/unix_socket.h"

namespace net {

// The shape of accept4(), so that a test can be the system that has no descriptors left.
using AcceptFunction = int (*)(int fd, sockaddr* address, socklen_t* size, int flags);

struct ListenOptions {
    std::string host = {};             // Empty: every address, IPv4 and IPv6.
    std::string unix_path = {};        // Not empty: a unix socket there, and nothing else.
    mode_t unix_mode = 0;              // Its permissions; 0: the umask's.
    std::uint16_t port = 0;            // 0: the system picks one, the same for all families.
    int family = AF_UNSPEC;            // AF_INET or AF_INET6 restricts it.
    std::string bind_interface = {};   // Only what comes in through it, e.g. "eth0".
    bool shared_port = false;          // Other loops listen there too (SO_REUSEPORT).
    bool joins = false;                // One of them has the port already: this is not the first.
    bool no_delay = true;              // TCP_NODELAY on each connection.
    std::uint32_t user_timeout_s = 0;  // TCP_USER_TIMEOUT; 0: as long as the system tries.
    int backlog = 4096;                // The system clamps it.
    std::size_t accepts_per_turn_max = 256;
    std::uint32_t accepts_per_second_max = 0;  // 0: no limit.
    AcceptFunction accept = nullptr;           // nullptr: accept4().
};

class ListenSockets {
public:
    // Fails with a sentence that names the address or path.
    static base::Result<ListenSockets, std::string> open(const ListenOptions& options);

    // The real one, also if port 0 was asked for.
    std::uint16_t port() const { return port_; }
    const std::vector<Address>& addresses() const { return addresses_; }
    const std::vector<Fd>& fds() const { return fds_; }
    void close();

private:
    base::Result<void, std::string> bind(const ListenOptions& options);
    // Binds all addresses to one port.
    base::Result<void, std::string> bind_all(const std::vector<Address>& addresses,
                                             const ListenOptions& options);
    base::Result<void, std::string> bind_unix(const ListenOptions& options);

    std::vector<Fd> fds_;
    std::vector<Address> addresses_;
    std::unique_ptr<UnixSocket> unix_socket_;  // Null unless it is one.
    std::uint16_t port_ = 0;
};

}  // namespace net
