// The halves of TLS and WebSocket that connect, against those that are connected to: bytes go from
// one to the other without a socket.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "net/stacked_layer.h"
#include "net/tls_layer.h"
#include "net/web_socket_layer.h"

namespace net {
namespace {

using Status = Layer::Status;

// A layer, what it sends, and what has come out of it.
struct Side {
    explicit Side(std::unique_ptr<Layer> made) : layer(std::move(made)) {}
    void send(std::string_view text) {
        output.append(base::as_bytes(text));
        EXPECT_EQ(layer->send(output, wire, std::numeric_limits<std::size_t>::max()), Status::open);
    }
    // Takes what the other side has sent, `step` bytes at a time.
    void take(Side& from, std::size_t step) {
        while (!from.wire.empty() && status == Status::open) {
            std::array<iovec, 1> piece{};
            from.wire.gather(piece);
            const std::size_t size = std::min(step, piece[0].iov_len);
            const auto* const data = static_cast<const std::uint8_t*>(piece[0].iov_base);
            status = layer->receive({data, size}, plain, wire);
            from.wire.consume(size);
        }
    }
    std::string text() const { return std::string(base::as_text(plain.bytes())); }

    std::unique_ptr<Layer> layer;
    base::ChunkPool pool;
    base::OutputQueue output{pool};
    base::OutputQueue wire{pool};
    ByteBuffer plain;
    Status status = Status::open;
};

struct Pair {
    Pair(std::unique_ptr<Layer> of_client, std::unique_ptr<Layer> of_server)
        : client(std::move(of_client)), server(std::move(of_server)) {
        EXPECT_EQ(client.layer->start(client.wire), Status::open);
        EXPECT_FALSE(client.layer->is_ready());
    }
    void exchange(std::size_t step = 100'000) {
        while (!client.wire.empty() || !server.wire.empty()) {
            server.take(client, step);
            client.take(server, step);
            if (client.status != Status::open || server.status != Status::open) return;
        }
    }
    // Both directions, several lengths of frames and records.
    void talk() {
        std::string sent;
        for (const std::size_t size : {1U, 125U, 126U, 4097U, 65'536U, 200'000U}) {
            const std::string part(size, static_cast<char>('a' + size % 26));
            client.send(part);
            server.send(part);
            sent += part;
        }
        exchange();
        EXPECT_EQ(client.text(), sent);
        EXPECT_EQ(server.text(), sent);
    }
    void say_goodbye() {
        client.layer->finish(client.wire);
        server.take(client, 100'000);
        EXPECT_EQ(server.status, Status::closed);
    }
    Side client;
    Side server;
};

const std::vector<std::string> any_origin;

std::unique_ptr<Layer> web_socket_server() {
    return std::make_unique<WebSocketLayer>(any_origin);
}
std::unique_ptr<Layer> web_socket_client(std::string subprotocol = "mqtt") {
    WebSocketTarget target{.host = "h:1", .subprotocol = std::move(subprotocol)};
    return std::make_unique<WebSocketLayer>(std::move(target));
}

std::unique_ptr<Layer> psk_server(const std::string& keys) {
    const std::string path = testing::TempDir() + "keys." + std::to_string(::getpid());
    std::ofstream(path) << keys;
    auto context = TlsContext::make({.listener = "l", .psk_hint = "hint", .psk_file = path});
    std::remove(path.c_str());
    EXPECT_TRUE(context) << context.error();
    return TlsLayer::make(std::move(*context), UserFrom::identity, {});
}
std::unique_ptr<Layer> psk_client(const std::string& key, const std::string& version = {}) {
    auto context = TlsContext::make_client({.version = version, .psk = key, .psk_identity = "ann"});
    EXPECT_TRUE(context) << context.error();
    return TlsLayer::make_client(std::move(*context), "h", false);
}

TEST(WebSocketClient, TalksWithTheServersHalf) {
    if (!has_web_socket) GTEST_SKIP();
    for (const char* subprotocol : {"mqtt", "mqttv3.1"}) {
        for (const std::size_t step : {std::size_t{1}, std::size_t{100'000}}) {
            Pair pair(web_socket_client(subprotocol), web_socket_server());
            pair.exchange(step);
            ASSERT_TRUE(pair.client.layer->is_ready()) << pair.client.layer->error();
            pair.talk();
            pair.say_goodbye();
        }
    }
}

TEST(WebSocketClient, MasksWhatItSends) {
    if (!has_web_socket) GTEST_SKIP();
    Pair pair(web_socket_client(), web_socket_server());
    pair.exchange();
    std::vector<std::string> frames;
    for (int i = 0; i < 2; ++i) {
        pair.client.send("secret");
        std::array<iovec, 1> piece{};
        pair.client.wire.gather(piece);
        frames.emplace_back(static_cast<const char*>(piece[0].iov_base), piece[0].iov_len);
        pair.client.wire.clear();
        EXPECT_EQ(frames.back().substr(0, 2), "\x82\x86");
        EXPECT_EQ(frames.back().find("secret"), std::string::npos);
    }
    EXPECT_NE(frames[0], frames[1]);  // The mask is another one each time.
}

TEST(WebSocketClient, SaysWhatTheServerAnswers) {
    if (!has_web_socket) GTEST_SKIP();
    Side client(web_socket_client());
    client.layer->start(client.wire);
    const std::string_view answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    EXPECT_EQ(client.layer->receive(base::as_bytes(answer), client.plain, client.wire),
              Status::failed);
    EXPECT_EQ(client.layer->error(), "no WebSocket: the server answers 'HTTP/1.1 403 Forbidden'");
}

TEST(TlsClient, TalksByAPreSharedKey) {
    if (!has_tls) GTEST_SKIP();
    for (const char* version : {"tlsv1.2", "tlsv1.3"}) {
        Pair pair(psk_client("0123ABcd", version), psk_server("ann:0123abcd\n"));
        pair.exchange(17);
        ASSERT_TRUE(pair.client.layer->is_ready()) << pair.client.layer->error();
        EXPECT_EQ(pair.server.layer->facts().user, "ann");
        pair.talk();
        pair.say_goodbye();
    }
}

TEST(TlsClient, FailsWithAWrongKeyOrAStranger) {
    if (!has_tls) GTEST_SKIP();
    Pair wrong(psk_client("0123abce"), psk_server("ann:0123abcd\n"));
    wrong.exchange();
    EXPECT_FALSE(wrong.server.layer->is_ready());
    Side client(psk_client("01"));
    client.layer->start(client.wire);
    const auto answer = base::as_bytes("HTTP/1.1 400 Bad Request\r\n\r\n");
    EXPECT_EQ(client.layer->receive(answer, client.plain, client.wire), Status::failed);
    EXPECT_EQ(client.layer->error(), "TLS handshake failed: this port does not speak TLS");
}

TEST(TlsClient, CarriesAWebSocket) {
    if (!has_tls || !has_web_socket) GTEST_SKIP();
    Pair pair(std::make_unique<StackedLayer>(psk_client("ab"), web_socket_client()),
              std::make_unique<StackedLayer>(psk_server("ann:ab\n"), web_socket_server()));
    pair.exchange();
    ASSERT_TRUE(pair.client.layer->is_ready()) << pair.client.layer->error();
    pair.talk();
    pair.say_goodbye();
}

TEST(TlsClient, NamesTheOptionThatIsWrong) {
    if (!has_tls) GTEST_SKIP();
    struct Row {
        const char* sentence;
        TlsClientOptions options;
        const char* error;
    };
    const Row rows[] = {
        {"no file", {.cafile = "/no"}, "cafile '/no': No such file or directory."},
        {"no certificate", {.cert = "/no", .key = "/no"}, "cert '/no': No such file or directory."},
        {"no ciphers", {.ciphers = "none"}, "ciphers 'none': no cipher match."},
        {"an old version",
         {.version = "tlsv1.1"},
         "tls_version 'tlsv1.1' is not supported, only tlsv1.2 and tlsv1.3."},
        {"no hexadecimal",
         {.psk = "xyz", .psk_identity = "a"},
         "psk is not a key of 1 to 256 bytes in hexadecimal."},
        {"no identity", {.psk = "ab"}, "psk-identity has 1 to 256 bytes."},
    };
    for (const Row& row : rows) {
        const auto context = TlsContext::make_client(row.options);
        ASSERT_FALSE(context) << row.sentence;
        EXPECT_EQ(context.error(), row.error) << row.sentence;
    }
}

}  // namespace
}  // namespace net
