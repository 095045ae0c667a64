// A port that accepts connections: one socket per address family, as Mosquitto does; or a unix
// socket.
//
// Accepting comes last in a turn and is bounded, so that a storm of connections does not starve
// those that exist. When the process is out of file descriptors the listener pauses for a second
// and says so once, instead of spinning on a socket that stays ready. With a rate of its own it
// takes no more connections a second than that, in bursts of a second's worth at most; the others
// wait with the system, which refuses none but when its backlog is full.
//
// Ownership and thread: the EventLoop's that made it.
#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timer_wheel.h"
#include "net/address.h"
#include "net/fd.h"
#include "net/stream.h"
#include "net/unix_socket.h"

namespace net {

class EventLoop;
class Listener;

// The shape of accept4(), so that a test can be the system that has no descriptors left.
using AcceptFunction = int (*)(int fd, sockaddr* address, socklen_t* size, int flags);

struct ListenOptions {
    std::string host = {};             // Empty: every address, IPv4 and IPv6.
    std::string unix_path = {};        // Not empty: a unix socket there, and nothing else.
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

class AcceptHandler {
public:
    virtual ~AcceptHandler() = default;
    // A new connection. Keep it with EventLoop::adopt(), here or in another loop; dropping it
    // refuses it.
    virtual void on_connection(Listener& listener, DetachedStream connection) = 0;
    // Accepting rests for a second, because of `reason`; once until it works again.
    virtual void on_accept_paused(Listener& listener, std::string_view reason) = 0;
    // The rate is reached: what comes next has to wait. Every time that it is.
    virtual void on_accept_throttled(Listener&) {}
};

class Listener {
public:
    static constexpr std::uint64_t pause_ms = 1000;
    static constexpr std::uint64_t throttle_ms = 100;  // How long accepting rests at the rate.

    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener();

    // The real one, also if port 0 was asked for.
    std::uint16_t port() const { return port_; }
    const std::string& unix_path() const { return options_.unix_path; }
    // What it is bound to, for the log.
    const std::vector<Address>& addresses() const { return addresses_; }

private:
    friend class EventLoop;
    // One listening socket. libuv lets go of poll later than we do, so it lives on its own.
    struct Socket {
        uv_poll_t poll{};
        Fd fd;
        Listener* listener = nullptr;
        bool polled = false;  // libuv knows poll.
        bool ready = false;   // There is something to accept.
    };

    Listener(EventLoop& loop, const ListenOptions& options, AcceptHandler& handler);
    static base::Result<std::unique_ptr<Listener>, std::string> open(EventLoop& loop,
                                                                     const ListenOptions& options,
                                                                     AcceptHandler& handler);
    base::Result<void, std::string> bind();
    // Binds all addresses to one port; the error is an errno value's sentence.
    base::Result<void, std::string> bind_all(const std::vector<Address>& addresses);
    base::Result<void, std::string> bind_unix();
    void add_socket(Fd fd);
    base::Result<void, std::string> start();
    void shut();
    bool is_shut() const { return sockets_.empty(); }
    void watch();
    void rest(std::uint64_t duration_ms);
    void pause(int error);
    // False, and accepting rests, if the rate allows no more for now.
    bool has_allowance();
    void accept_ready();
    // Accepts until nothing is left, or `budget` is, or accepting has to pause.
    void accept_from(Socket& socket, std::size_t& budget);

    EventLoop& loop_;
    AcceptHandler& handler_;
    ListenOptions options_;
    base::Timer resume_;
    std::vector<Socket*> sockets_;
    UnixSocket unix_socket_;
    std::vector<Address> addresses_;
    std::uint16_t port_ = 0;
    // What the rate allows at once, in thousandths of a connection.
    static constexpr std::uint64_t one_connection = 1000;
    std::uint64_t allowance_ = 0;
    std::uint64_t allowance_at_ms_ = 0;
    bool paused_ = false;
    bool reported_ = false;
};

}  // namespace net
