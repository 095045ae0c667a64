#include "net/datagram_socket.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace net {

bool DatagramSocket::open(std::string_view path) {
    constexpr std::size_t size_max = sizeof(sockaddr_un::sun_path);
    if (path.empty() || (path[0] != '/' && path[0] != '@') || path.size() >= size_max) return false;
    path_ = path;
    if (path_[0] == '@') path_[0] = '\0';
    fd_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const timeval a_second{.tv_sec = 1, .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &a_second, sizeof a_second);
    return true;
}

// Not connected: the receiver may be started anew.
int DatagramSocket::send(std::string_view datagram, Patience patience) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(path_.begin(), path_.end(), std::begin(address.sun_path));
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
    const int flags = MSG_NOSIGNAL | (patience == Patience::none ? MSG_DONTWAIT : 0);
    const ssize_t sent = ::sendto(fd_.get(), datagram.data(), datagram.size(), flags,
                                  reinterpret_cast<const sockaddr*>(&address), size);
    return sent < 0 ? errno : 0;
}

}  // namespace net
