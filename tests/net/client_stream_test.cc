#include "net/client_stream.h"

#include <algorithm>

#include "fixture.h"
#include "net/web_socket_layer.h"

namespace net {
namespace {

const std::vector<std::string> any_origin;

struct WebSocketHost : Host {
    void on_connection(Listener& listener, DetachedStream connection) override {
        connection.layer = std::make_unique<WebSocketLayer>(any_origin);
        Host::on_connection(listener, std::move(connection));
    }
};

std::unique_ptr<ClientStream> web_socket_to(std::uint16_t port) {
    auto socket = ClientSocket::connect("127.0.0.1", port);
    EXPECT_TRUE(socket) << socket.error();
    WebSocketTarget target{.host = "h"};
    return std::make_unique<ClientStream>(std::move(*socket),
                                          std::make_unique<WebSocketLayer>(std::move(target)));
}

// The handshake needs both sides, and this is one thread.
void open(ClientStream& client, WebSocketHost& host) {
    EXPECT_TRUE(host.turn_until([&] { return client.open(1).has_value(); }));
}

TEST(ClientStream, ReadsAndWritesThroughItsLayer) {
    if (!has_web_socket) GTEST_SKIP();
    WebSocketHost host;
    auto client = web_socket_to(host.listen().port());
    open(*client, host);
    ASSERT_TRUE(client->write(base::as_bytes("ping")));
    ASSERT_TRUE(host.turn_until([&] { return host.recorders[0]->text == "ping"; }));
    host.recorders[0]->stream->output().append(base::as_bytes("pong"));
    host.recorders[0]->stream->close_when_flushed();
    std::string text;
    std::array<std::uint8_t, 3> room{};  // Less than there is: the rest is kept.
    ASSERT_TRUE(host.turn_until([&] {
        if (!client->wait(0).readable) return false;
        const auto size = client->read(room);
        if (size) text.append(reinterpret_cast<char*>(room.data()), *size);
        return client->at_end();
    }));
    EXPECT_EQ(text, "pong");
}

TEST(ClientStream, TakesNoMoreThanItsLimitFromThePeersSlowness) {
    if (!has_web_socket) GTEST_SKIP();
    WebSocketHost host;
    auto client = web_socket_to(host.listen().port());
    open(*client, host);
    host.recorders[0]->stream->pause_reading();
    const std::vector<std::uint8_t> much(std::size_t{1} << 20, 'x');
    std::size_t taken = 1;
    for (std::size_t total = 0; taken > 0; total += taken) {
        ASSERT_LT(total, std::size_t{1} << 30);
        taken = client->write(much).value();
    }
    EXPECT_TRUE(client->has_unsent());
    EXPECT_FALSE(client->wait(0, true).writable);
}

TEST(ClientStream, GivesUpOnAServerThatSaysNothing) {
    if (!has_web_socket) GTEST_SKIP();
    WebSocketHost host;
    auto client = web_socket_to(host.listen().port());
    const auto opened = client->open(1);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error(), "the server does not answer the handshake: is this the right port?");
}

TEST(ClientSocket, NamesTheUnixSocketThatIsNotThere) {
    const auto none = ClientSocket::connect_unix("/nowhere/socket");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error(), "/nowhere/socket: No such file or directory");
    const auto long_path = ClientSocket::connect_unix(std::string(200, 'x'));
    ASSERT_FALSE(long_path);
    EXPECT_TRUE(long_path.error().ends_with("File name too long"));
}

}  // namespace
}  // namespace net
