#include "net/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/assert.h"
#include "net/event_loop.h"

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

Listener::Listener(EventLoop& loop, const ListenOptions& options, AcceptHandler& handler)
    : loop_(loop),
      handler_(handler),
      options_(options),
      resume_(
          [](base::Timer&, void* self) {
              auto& listener = *static_cast<Listener*>(self);
              listener.paused_ = false;
              listener.watch();
          },
          this) {
    if (!options_.accept) options_.accept = ::accept4;
}

Listener::~Listener() {
    shut();
}

base::Result<std::unique_ptr<Listener>, std::string> Listener::open(EventLoop& loop,
                                                                    const ListenOptions& options,
                                                                    AcceptHandler& handler) {
    std::unique_ptr<Listener> listener(new Listener(loop, options, handler));
    if (auto bound = listener->bind(); !bound) return base::fail(bound.error());
    const auto started = listener->start();
    if (!started) return base::fail(started.error());
    return listener;
}

base::Result<void, std::string> Listener::bind() {
    if (!options_.unix_path.empty()) return bind_unix();
    const auto addresses =
        resolve(options_.host, options_.port, {.family = options_.family, .passive = true});
    if (!addresses) return base::fail(addresses.error());
    // The port that the system picks for one family may be taken in the other: then again.
    for (int tries = options_.port == 0 ? 16 : 1;; --tries) {
        auto bound = bind_all(*addresses);
        if (bound || tries == 1) return bound;
    }
}

base::Result<void, std::string> Listener::bind_unix() {
    auto fd = unix_socket_.listen(options_.unix_path, options_.backlog);
    if (!fd) return base::fail(std::move(fd.error()));
    add_socket(std::move(*fd));
    return {};
}

void Listener::add_socket(Fd fd) {
    sockets_.push_back(new Socket);
    sockets_.back()->fd = std::move(fd);
    sockets_.back()->listener = this;
}

base::Result<void, std::string> Listener::bind_all(const std::vector<Address>& addresses) {
    shut();
    port_ = options_.port;
    std::string error;
    for (const Address& wanted : addresses) {
        const Address address = wanted.with_port(port_);
        Bound bound = bind_one(address, options_);
        if (bound.error != 0) {
            error = address.text_with_port() + ": " + std::generic_category().message(bound.error);
            if (is_family_missing(bound.error)) continue;
            shut();
            return base::fail(std::move(error));
        }
        addresses_.push_back(Address::local_of(bound.fd.get()));
        port_ = addresses_.back().port();
        add_socket(std::move(bound.fd));
    }
    if (sockets_.empty()) return base::fail(std::move(error));
    return {};
}

base::Result<void, std::string> Listener::start() {
    for (Socket* socket : sockets_) {
        const int error = uv_poll_init(&loop_.uv_, &socket->poll, socket->fd.get());
        if (error != 0) return base::fail(std::string(uv_strerror(error)));
        socket->poll.data = socket;
        socket->polled = true;
    }
    watch();
    return {};
}

void Listener::shut() {
    for (Socket* socket : sockets_) {
        if (!socket->polled) {
            delete socket;
            continue;
        }
        uv_close(reinterpret_cast<uv_handle_t*>(&socket->poll),
                 [](uv_handle_t* handle) { delete static_cast<Socket*>(handle->data); });
        socket->fd.reset();
    }
    sockets_.clear();
    addresses_.clear();
    unix_socket_.remove();
    resume_.cancel();
}

void Listener::watch() {
    const auto on_ready = [](uv_poll_t* poll, int, int) {
        static_cast<Socket*>(poll->data)->ready = true;
    };
    for (Socket* socket : sockets_) {
        const int error = uv_poll_start(&socket->poll, UV_READABLE, on_ready);
        ASSERT(error == 0);
    }
}

void Listener::rest(std::uint64_t duration_ms) {
    paused_ = true;
    for (Socket* socket : sockets_) uv_poll_stop(&socket->poll);
    loop_.timers_.add(resume_, loop_.now_ms() + duration_ms);
}

bool Listener::has_allowance() {
    const std::uint64_t rate = options_.accepts_per_second_max;
    if (rate == 0) return true;
    const std::uint64_t now = loop_.now_ms();
    const std::uint64_t full = rate * one_connection;
    // A second is enough to fill it, however long it was not looked at.
    const std::uint64_t elapsed_ms = std::min<std::uint64_t>(now - allowance_at_ms_, 1000);
    allowance_ = std::min(full, allowance_ + elapsed_ms * rate);
    allowance_at_ms_ = now;
    if (allowance_ >= one_connection) return true;
    rest(throttle_ms);
    handler_.on_accept_throttled(*this);
    return false;
}

void Listener::pause(int error) {
    rest(pause_ms);
    if (std::exchange(reported_, true)) return;
    handler_.on_accept_paused(*this, std::generic_category().message(error));
}

void Listener::accept_ready() {
    std::size_t budget = options_.accepts_per_turn_max;
    // By index: on_connection() may close this listener.
    for (std::size_t i = 0; i < sockets_.size() && !paused_; ++i) {
        if (sockets_[i]->ready) accept_from(*sockets_[i], budget);
    }
}

void Listener::accept_from(Socket& socket, std::size_t& budget) {
    // Whatever the budget leaves waiting, the level-triggered poll announces again.
    socket.ready = false;
    for (; budget > 0 && socket.fd && has_allowance(); --budget) {
        sockaddr_storage storage{};
        socklen_t size = sizeof storage;
        auto* address = reinterpret_cast<sockaddr*>(&storage);
        Fd fd(options_.accept(socket.fd.get(), address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (fd) {
            reported_ = false;
            allowance_ -= std::min(allowance_, one_connection);
            handler_.on_connection(*this, {std::move(fd), Address(address)});
            continue;
        }
        if (errno == EAGAIN) return;
        // The connection has died in the queue: the next one may be well.
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
        pause(errno);  // EMFILE, ENFILE, ENOBUFS, ENOMEM: the socket would stay ready.
        return;
    }
}

}  // namespace net
