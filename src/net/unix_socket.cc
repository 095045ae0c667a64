#include "net/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace net {
namespace {

Fd open_socket() {
    return Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

// Whether the file there may be replaced; an errno value if not.
int clear_path(const sockaddr_un& address) {
    struct stat there {};
    if (::lstat(address.sun_path, &there) != 0) return errno == ENOENT ? 0 : errno;
    if (!S_ISSOCK(there.st_mode)) return EEXIST;
    const Fd probe = open_socket();
    if (!probe) return errno;
    const auto* to = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(probe.get(), to, sizeof address) == 0 || errno == EAGAIN) return EADDRINUSE;
    if (errno != ECONNREFUSED) return errno;
    return ::unlink(address.sun_path) == 0 || errno == ENOENT ? 0 : errno;
}

}  // namespace

base::Result<Fd, std::string> UnixSocket::listen(const std::string& path, int backlog,
                                                 mode_t mode) {
    const auto refuse = [&](int error) {
        return base::fail(path + ": " + std::generic_category().message(error));
    };
    sockaddr_un address{};
    if (path.size() >= sizeof address.sun_path) return refuse(ENAMETOOLONG);
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (const int error = clear_path(address)) return refuse(error);

    Fd fd = open_socket();
    if (!fd) return refuse(errno);
    // Linux gives the file the permissions of the socket, so that there is no moment without them.
    if (mode != 0 && ::fchmod(fd.get(), mode) != 0) return refuse(errno);
    const auto* at = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(fd.get(), at, sizeof address) != 0) return refuse(errno);
    struct stat made {};
    if (::lstat(path.c_str(), &made) == 0) {
        path_ = path;
        device_ = made.st_dev;
        inode_ = made.st_ino;
    }
    if (::listen(fd.get(), backlog) != 0) return refuse(errno);
    return fd;
}

void UnixSocket::remove() {
    if (path_.empty()) return;
    const std::string path = std::exchange(path_, {});
    struct stat there {};
    const bool is_ours = ::lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode) &&
                         there.st_dev == device_ && there.st_ino == inode_;
    if (is_ours) ::unlink(path.c_str());
}

}  // namespace net
