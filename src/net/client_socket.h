// A connection by TCP or by a unix socket, for a program that does one thing at a time: the
// command-line tools.
//
// Nothing here blocks for longer than it was told: connect() has a timeout (but for the name
// server, which has its own), wait() is the only place to sleep, read() and write() do what is
// possible now. Thread: one at a time. Owns its socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "net/address.h"
#include "net/fd.h"

namespace net {

// What wait() has found; all false: the time is over (or a signal came).
struct Readiness {
    bool readable = false;  // Also when the peer has closed, or an error waits to be read.
    bool writable = false;
    bool extra = false;  // The extra descriptor is readable, or at its end.
};

class ClientSocket {
public:
    // Tries each address of `host` in turn; `timeout_ms` is for all of them together, and < 0
    // means forever. `bind_address` is where to connect from, empty for anywhere. The error is a
    // sentence: "127.0.0.1:1883: Connection refused".
    static base::Result<ClientSocket, std::string> connect(const std::string& host,
                                                           std::uint16_t port,
                                                           const std::string& bind_address = {},
                                                           int timeout_ms = 10'000);

    // To a unix socket. The error names its path.
    static base::Result<ClientSocket, std::string> connect_unix(const std::string& path);

    // Sleeps until there is something to read, or room to write if `want_write`, or `extra_fd`
    // (>= 0, e.g. standard input) is readable. `timeout_ms` < 0 means forever.
    Readiness wait(int timeout_ms, bool want_write = false, int extra_fd = -1);

    // How many bytes it got: 0 if there are none now, or ever again: see at_end(). The error is
    // the system's sentence.
    base::Result<std::size_t, std::string> read(std::span<std::uint8_t> into);
    // How many bytes it took, perhaps not all: then wait(..., true) and go on.
    base::Result<std::size_t, std::string> write(base::Bytes bytes);

    // True once the peer has closed its side and read() has returned all before that.
    bool at_end() const { return at_end_; }
    int fd() const { return fd_.get(); }
    const Address& peer() const { return peer_; }

private:
    ClientSocket(Fd fd, const Address& peer) : fd_(std::move(fd)), peer_(peer) {}

    Fd fd_;
    Address peer_;
    bool at_end_ = false;
};

}  // namespace net
