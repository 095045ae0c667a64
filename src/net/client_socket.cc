#include "net/client_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <system_error>

namespace net {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::string sentence_of(int error) {
    return std::generic_category().message(error);
}

// A point in time by which something has to be done, or none.
class Deadline {
public:
    explicit Deadline(int timeout_ms) {
        if (timeout_ms >= 0) at_ = SteadyClock::now() + std::chrono::milliseconds(timeout_ms);
    }
    // As poll() wants it: -1 for never.
    int left_ms() const {
        if (!at_) return -1;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*at_ - SteadyClock::now());
        return static_cast<int>(std::max<std::int64_t>(0, left.count()));
    }

private:
    std::optional<SteadyClock::time_point> at_;
};

// Waits until a connect() in progress has ended; returns its errno value.
int wait_for_connect(int fd, const Deadline& deadline) {
    pollfd waiting{fd, POLLOUT, 0};
    int ready = 0;
    do {
        ready = ::poll(&waiting, 1, deadline.left_ms());
    } while (ready < 0 && errno == EINTR);
    if (ready < 0) return errno;
    if (ready == 0) return ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

int bind_to(int fd, const std::vector<Address>& sources, int family) {
    const auto source = std::find_if(sources.begin(), sources.end(),
                                     [family](const Address& a) { return a.family() == family; });
    if (source == sources.end()) return EADDRNOTAVAIL;
    sockaddr_storage address{};
    const socklen_t size = source->to_sockaddr(address);
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) < 0 ? errno : 0;
}

// Connects to one address; returns an errno value.
int connect_to(Fd& fd, const Address& to, const std::vector<Address>& sources,
               const Deadline& deadline) {
    fd = Fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return errno;
    const int on = 1;
    if (::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0) return errno;
    if (!sources.empty()) {
        if (const int error = bind_to(fd.get(), sources, to.family())) return error;
    }
    sockaddr_storage address{};
    const socklen_t size = to.to_sockaddr(address);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0) return 0;
    if (errno != EINPROGRESS && errno != EINTR) return errno;
    return wait_for_connect(fd.get(), deadline);
}

}  // namespace

base::Result<ClientSocket, std::string> ClientSocket::connect(const std::string& host,
                                                              std::uint16_t port,
                                                              const std::string& bind_address,
                                                              int timeout_ms) {
    const Deadline deadline(timeout_ms);
    const auto targets = resolve(host, port);
    if (!targets) return base::fail(targets.error());

    std::vector<Address> sources;
    if (!bind_address.empty()) {
        auto found = resolve(bind_address, 0);
        if (!found) return base::fail(found.error());
        sources = std::move(*found);
    }
    std::string error;
    for (const Address& target : *targets) {
        Fd fd;
        const int code = connect_to(fd, target, sources, deadline);
        if (code == 0) return ClientSocket(std::move(fd), target);
        error = target.text_with_port() + ": " + sentence_of(code);
        if (deadline.left_ms() == 0) break;
    }
    return base::fail(std::move(error));
}

base::Result<ClientSocket, std::string> ClientSocket::connect_unix(const std::string& path) {
    const auto refuse = [&](int error) { return base::fail(path + ": " + sentence_of(error)); };
    sockaddr_un address{};
    if (path.size() >= sizeof address.sun_path) return refuse(ENAMETOOLONG);
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return refuse(errno);
    // Never in progress: either there is room in the listener's backlog, or there is none.
    const auto* const to = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(fd.get(), to, sizeof address) != 0) return refuse(errno);
    const Address peer(to);
    return ClientSocket(std::move(fd), peer);
}

Readiness ClientSocket::wait(int timeout_ms, bool want_write, int extra_fd) {
    constexpr short ended = POLLERR | POLLHUP | POLLNVAL;
    const short wanted = want_write ? POLLIN | POLLOUT : POLLIN;
    // poll() skips a negative descriptor.
    std::array<pollfd, 2> waiting{{{fd_.get(), wanted, 0}, {extra_fd, POLLIN, 0}}};
    if (::poll(waiting.data(), waiting.size(), timeout_ms) <= 0) return {};
    const auto has = [](const pollfd& one, int events) { return (one.revents & events) != 0; };
    return {.readable = has(waiting[0], POLLIN | ended),
            .writable = has(waiting[0], POLLOUT),
            .extra = has(waiting[1], POLLIN | ended)};
}

base::Result<std::size_t, std::string> ClientSocket::read(std::span<std::uint8_t> into) {
    if (into.empty()) return std::size_t{0};
    const ssize_t count = ::recv(fd_.get(), into.data(), into.size(), MSG_DONTWAIT);
    if (count > 0) return static_cast<std::size_t>(count);
    if (count == 0) {
        at_end_ = true;
        return std::size_t{0};
    }
    if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
    return base::fail(sentence_of(errno));
}

base::Result<std::size_t, std::string> ClientSocket::write(base::Bytes bytes) {
    const ssize_t count =
        ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
    return base::fail(sentence_of(errno));
}

}  // namespace net
