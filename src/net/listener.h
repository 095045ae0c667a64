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
#include "net/listen_sockets.h"
#include "net/stream.h"

namespace net {

class EventLoop;
class Listener;

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
    std::uint16_t port() const { return sockets_.port(); }
    const std::string& unix_path() const { return options_.unix_path; }
    // What it is bound to, for the log.
    const std::vector<Address>& addresses() const { return sockets_.addresses(); }
    // What has connected already, whatever the rate: before it is closed.
    void accept_waiting();
    // 0: no limit. It may change while connections come.
    void set_accepts_per_second_max(std::uint32_t rate) { options_.accepts_per_second_max = rate; }

private:
    friend class EventLoop;
    // One listening socket. libuv lets go of poll later than we do, so it lives on its own.
    struct Socket {
        uv_poll_t poll{};
        int fd = -1;         // Of sockets_.
        bool ready = false;  // There is something to accept.
    };

    Listener(EventLoop& loop, const ListenOptions& options, ListenSockets sockets,
             AcceptHandler& handler);
    base::Result<void, std::string> start();
    void shut();
    bool is_shut() const { return polls_.empty(); }
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
    ListenSockets sockets_;
    std::vector<Socket*> polls_;  // One for each of them, until it is shut.
    // What the rate allows at once, in thousandths of a connection.
    static constexpr std::uint64_t one_connection = 1000;
    std::uint64_t allowance_ = 0;
    std::uint64_t allowance_at_ms_ = 0;
    bool paused_ = false;
    bool reported_ = false;
};

}  // namespace net
