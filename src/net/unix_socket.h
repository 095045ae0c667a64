// A unix socket that listens at a path of the file system, which is removed with it.
//
// Owned by a Listener; thread: its loop's.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "net/fd.h"

namespace net {

class UnixSocket {
public:
    UnixSocket() = default;
    UnixSocket(const UnixSocket&) = delete;
    UnixSocket& operator=(const UnixSocket&) = delete;
    ~UnixSocket() { remove(); }

    // Binds and listens. A socket that a process has left behind is replaced, one at which somebody
    // listens is not, nor is any other file. `mode`: who may connect, from the first moment on; 0:
    // the umask's. The error is a sentence that names the path.
    base::Result<Fd, std::string> listen(const std::string& path, int backlog, mode_t mode = 0);
    // Unless something else stands there by now.
    void remove();
    const std::string& path() const { return path_; }

private:
    std::string path_;  // Empty: there is nothing to remove.
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

}  // namespace net
