// What the tests of net/ share: a loop that a test turns by hand, streams that write down what
// happens to them, and blocking sockets for the other side.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/client_socket.h"
#include "net/event_loop.h"

namespace net {

struct Recorder : StreamHandler {
    std::size_t on_bytes(Stream& from, base::Bytes bytes) override {
        ++calls;
        if (on_bytes_do) return on_bytes_do(from, bytes);
        text += base::as_text(bytes);
        return bytes.size();
    }
    void on_writable(Stream&) override { ++writable; }
    void on_closed(Stream&, CloseReason why) override {
        ++closed;
        reason = why;
        stream = nullptr;
    }
    std::function<std::size_t(Stream&, base::Bytes)> on_bytes_do;
    Stream* stream = nullptr;
    std::string text;
    CloseReason reason;
    int calls = 0;
    int writable = 0;
    int closed = 0;
};

// Accepts everything into its loop, one Recorder each.
struct Host : TurnHandler, AcceptHandler {
    Host() { loop = std::move(*EventLoop::create()); }
    ~Host() override { loop.reset(); }
    void end_of_turn() override {}
    void on_connection(Listener&, DetachedStream connection) override {
        if (refuse) return;
        recorders.push_back(std::make_unique<Recorder>());
        Recorder& recorder = *recorders.back();
        recorder.on_bytes_do = on_bytes_do;
        recorder.stream = &loop->adopt(std::move(connection), recorder);
    }
    void on_accept_paused(Listener&, std::string_view why) override {
        ++pauses;
        pause_reason = why;
    }

    Listener& listen(ListenOptions options = {}) {
        if (options.host.empty()) options.host = "127.0.0.1";
        auto listener = loop->listen(options, *this);
        EXPECT_TRUE(listener.has_value()) << listener.error();
        return **listener;
    }
    // Turns until `done`, for at most ten seconds.
    template <typename Done>
    [[nodiscard]] bool turn_until(Done done) {
        using namespace std::chrono_literals;
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (!done()) {
            if (std::chrono::steady_clock::now() > end) return false;
            loop->run_turn(*this, false);
        }
        return true;
    }
    // A client's socket, and its recorder on our side.
    std::pair<ClientSocket, Recorder*> connect(Listener& listener) {
        auto client = ClientSocket::connect("127.0.0.1", listener.port());
        EXPECT_TRUE(client.has_value()) << client.error();
        const std::size_t before = recorders.size();
        EXPECT_TRUE(turn_until([&] { return recorders.size() > before; }));
        return {std::move(*client), recorders.back().get()};
    }

    std::unique_ptr<EventLoop> loop;
    std::vector<std::unique_ptr<Recorder>> recorders;
    std::function<std::size_t(Stream&, base::Bytes)> on_bytes_do;
    bool refuse = false;
    int pauses = 0;
    std::string pause_reason;
};

// Writes all of `text`; the socket has room for it.
inline void send_text(ClientSocket& client, std::string_view text) {
    while (!text.empty()) {
        const auto count = client.write(base::as_bytes(text));
        ASSERT_TRUE(count.has_value()) << count.error();
        text.remove_prefix(*count);
    }
}

}  // namespace net
