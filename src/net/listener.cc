#include "net/listener.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "base/assert.h"
#include "net/event_loop.h"

namespace net {

Listener::Listener(EventLoop& loop, const ListenOptions& options, ListenSockets sockets,
                   AcceptHandler& handler)
    : loop_(loop),
      handler_(handler),
      options_(options),
      resume_(
          [](base::Timer&, void* self) {
              auto& listener = *static_cast<Listener*>(self);
              listener.paused_ = false;
              listener.watch();
          },
          this),
      sockets_(std::move(sockets)) {
    if (!options_.accept) options_.accept = ::accept4;
}

Listener::~Listener() {
    shut();
}

base::Result<void, std::string> Listener::start() {
    for (const Fd& fd : sockets_.fds()) {
        auto socket = std::make_unique<Socket>();
        const int error = uv_poll_init(&loop_.uv_, &socket->poll, fd.get());
        if (error != 0) return base::fail(std::string(uv_strerror(error)));
        socket->fd = fd.get();
        socket->poll.data = socket.get();
        polls_.push_back(socket.release());
    }
    watch();
    return {};
}

void Listener::shut() {
    for (Socket* socket : polls_) {
        socket->fd = -1;
        uv_close(reinterpret_cast<uv_handle_t*>(&socket->poll),
                 [](uv_handle_t* handle) { delete static_cast<Socket*>(handle->data); });
    }
    polls_.clear();
    sockets_.close();
    resume_.cancel();
}

void Listener::watch() {
    const auto on_ready = [](uv_poll_t* poll, int, int) {
        static_cast<Socket*>(poll->data)->ready = true;
    };
    for (Socket* socket : polls_) {
        const int error = uv_poll_start(&socket->poll, UV_READABLE, on_ready);
        ASSERT(error == 0);
    }
}

void Listener::rest(std::uint64_t duration_ms) {
    paused_ = true;
    for (Socket* socket : polls_) uv_poll_stop(&socket->poll);
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
    for (std::size_t i = 0; i < polls_.size() && !paused_; ++i) {
        if (polls_[i]->ready) accept_from(*polls_[i], budget);
    }
}

void Listener::accept_waiting() {
    std::size_t budget = SIZE_MAX;
    options_.accepts_per_second_max = 0;
    for (std::size_t i = 0; i < polls_.size(); ++i) accept_from(*polls_[i], budget);
}

void Listener::accept_from(Socket& socket, std::size_t& budget) {
    // Whatever the budget leaves waiting, the level-triggered poll announces again.
    socket.ready = false;
    for (; budget > 0 && socket.fd >= 0 && has_allowance(); --budget) {
        sockaddr_storage storage{};
        socklen_t size = sizeof storage;
        auto* address = reinterpret_cast<sockaddr*>(&storage);
        Fd fd(options_.accept(socket.fd, address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
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
