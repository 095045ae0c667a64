#include "net/client_socket.h"

#include <gtest/gtest.h>

#include <array>

#include "fixture.h"

namespace net {
namespace {

TEST(ClientSocket, SaysWhyItCannotConnect) {
    // A port that was free a moment ago, and that nobody listens on.
    std::uint16_t dead_port = 0;
    {
        Host host;
        dead_port = host.listen().port();
    }
    struct Row {
        const char* sentence;
        const char* host;
        const char* bind_address;
        std::string error;
    };
    const Row rows[] = {
        {"refused", "127.0.0.1", "",
         "127.0.0.1:" + std::to_string(dead_port) + ": Connection refused"},
        {"not a name", "no such host", "", "no such host: "},
        {"bound to what is not ours", "127.0.0.1", "192.0.2.1", "127.0.0.1:"},
        {"bound to the other family", "127.0.0.1", "::1",
         "127.0.0.1:" + std::to_string(dead_port) + ": Cannot assign requested address"},
    };
    for (const Row& row : rows) {
        const auto socket = ClientSocket::connect(row.host, dead_port, row.bind_address, 2000);
        ASSERT_FALSE(socket.has_value()) << row.sentence;
        EXPECT_EQ(socket.error().substr(0, row.error.size()), row.error) << row.sentence;
    }
}

TEST(ClientSocket, BindsToTheAddressItIsGiven) {
    Host host;
    Listener& listener = host.listen();
    const auto client = ClientSocket::connect("127.0.0.1", listener.port(), "127.0.0.3");
    ASSERT_TRUE(client.has_value()) << client.error();
    ASSERT_TRUE(host.turn_until([&] { return host.recorders.size() == 1; }));
    EXPECT_EQ(host.recorders[0]->stream->peer().text(), "127.0.0.3");
}

TEST(ClientSocket, WaitsForWhatItIsAskedFor) {
    Host host;
    Listener& listener = host.listen();
    auto [client, recorder] = host.connect(listener);
    Readiness ready = client.wait(0);
    EXPECT_FALSE(ready.readable || ready.writable || ready.extra);
    EXPECT_TRUE(client.wait(0, true).writable);

    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const Fd reader(pipe[0]);
    Fd writer(pipe[1]);
    EXPECT_FALSE(client.wait(0, false, reader.get()).extra);
    writer.reset();
    EXPECT_TRUE(client.wait(0, false, reader.get()).extra) << "its end is readable";

    recorder->stream->output().append(base::as_bytes("last"));
    recorder->stream->close_when_flushed();
    host.loop->run_turn(host, false);
    std::array<std::uint8_t, 16> buffer{};
    ready = client.wait(10'000);
    EXPECT_TRUE(ready.readable);
    EXPECT_EQ(client.read(buffer).value_or(0), 4U);
    EXPECT_FALSE(client.at_end());
    client.wait(10'000);
    EXPECT_EQ(client.read(buffer).value_or(9), 0U);
    EXPECT_TRUE(client.at_end());
}

TEST(Address, ReadsBackAsItWasWritten) {
    struct Row {
        const char* host;
        const char* text;
        bool loopback;
    };
    const Row rows[] = {
        {"127.0.0.1", "127.0.0.1:1883", true},
        {"10.1.2.3", "10.1.2.3:1883", false},
        {"::1", "[::1]:1883", true},
        {"2001:db8::7", "[2001:db8::7]:1883", false},
    };
    for (const Row& row : rows) {
        const auto found = resolve(row.host, 1883);
        ASSERT_TRUE(found.has_value()) << found.error();
        EXPECT_EQ(found->front().text_with_port(), row.text);
        EXPECT_EQ(found->front().is_loopback(), row.loopback);
        sockaddr_storage storage{};
        found->front().to_sockaddr(storage);
        EXPECT_EQ(Address(reinterpret_cast<const sockaddr*>(&storage)).text_with_port(), row.text);
    }
    EXPECT_EQ(Address().text(), "");
}

}  // namespace
}  // namespace net
