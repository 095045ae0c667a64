#include "net/datagram_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

namespace net {
namespace {

// Bound in the abstract namespace, so that no file is left.
struct Receiver {
    explicit Receiver(const std::string& name) : fd(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(&address.sun_path[1], name.data(), name.size());
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
        EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    }
    std::string next() const {
        std::array<char, 100> buffer{};
        const ssize_t size = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
    }
    Fd fd;
};

std::string unique_name() {
    return "nightjar-test-" + std::to_string(::getpid());
}

TEST(DatagramSocket, WhatIsAPath) {
    constexpr std::size_t size_max = sizeof(sockaddr_un::sun_path) - 1;
    for (const std::string& bad : {std::string(), std::string("run/notify"),
                                   std::string("vsock:2:1"), '/' + std::string(size_max, 'x')}) {
        DatagramSocket socket;
        EXPECT_FALSE(socket.open(bad)) << bad;
        EXPECT_FALSE(socket.is_open());
    }
    DatagramSocket longest;
    EXPECT_TRUE(longest.open('/' + std::string(size_max - 1, 'x')));
    EXPECT_EQ(longest.send("x", Patience::none), ENOENT);
}

TEST(DatagramSocket, EachIsOneMessageAndTheReceiverMayComeLate) {
    const std::string name = unique_name();
    DatagramSocket socket;
    ASSERT_TRUE(socket.open('@' + name));
    EXPECT_EQ(socket.send("nobody", Patience::none), ECONNREFUSED);
    const Receiver receiver(name);
    EXPECT_EQ(socket.send("READY=1\nSTATUS=x", Patience::a_second), 0);
    EXPECT_EQ(socket.send("WATCHDOG=1", Patience::none), 0);
    EXPECT_EQ(receiver.next(), "READY=1\nSTATUS=x");
    EXPECT_EQ(receiver.next(), "WATCHDOG=1");
}

TEST(DatagramSocket, AReceiverThatDoesNotReadHoldsNobodyUp) {
    const std::string name = unique_name();
    const Receiver receiver(name);
    DatagramSocket socket;
    ASSERT_TRUE(socket.open('@' + name));
    int error = 0;
    for (int i = 0; i < 100'000 && error == 0; ++i) error = socket.send("x", Patience::none);
    EXPECT_EQ(error, EAGAIN);
}

}  // namespace
}  // namespace net
