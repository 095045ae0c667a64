// Sends datagrams to a unix socket of another program, which need not be there.
//
// Owned by who sends; thread: one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/fd.h"

namespace net {

enum class Patience : std::uint8_t { none, a_second };

class DatagramSocket {
public:
    // "/run/systemd/notify", or "@name" in Linux's abstract namespace. False if the path is none.
    bool open(std::string_view path);
    bool is_open() const { return static_cast<bool>(fd_); }
    // 0, or an errno value. Waits no longer than that for a receiver that is behind.
    int send(std::string_view datagram, Patience patience);

private:
    Fd fd_;
    std::string path_;
};

}  // namespace net
