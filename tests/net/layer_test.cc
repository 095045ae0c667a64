// A stream with something between its socket and its handler: here letters that are one further on
// in the alphabet, after a greeting.
#include "net/layer.h"

#include "net/fixture.h"

namespace net {
namespace {

// "?" asks for a greeting, "!" is the peer's goodbye, "#" an error.
class ShiftLayer : public Layer {
public:
    Status receive(base::Bytes bytes, ByteBuffer& plain, base::OutputQueue& wire) override {
        for (const std::uint8_t byte : bytes) {
            if (byte == '!') return Status::closed;
            if (byte == '#') {
                wire.append(base::as_bytes("alarm"));
                return Status::failed;
            }
            if (byte == '?') {
                wire.append(base::as_bytes("hello "));
                ready_ = true;
                continue;
            }
            plain.room(1)[0] = static_cast<std::uint8_t>(byte - 1);
            plain.commit(1);
        }
        return Status::open;
    }
    bool is_ready() const override { return ready_; }
    Status send(base::OutputQueue& plain, base::OutputQueue& wire, std::size_t max) override {
        while (plain.sendable() > 0 && wire.size() < max) {
            std::array<iovec, 1> piece{};
            plain.gather(piece);
            const auto* data = static_cast<const std::uint8_t*>(piece[0].iov_base);
            const std::size_t size = std::min<std::size_t>(piece[0].iov_len, 1000);
            std::uint8_t* const out = wire.extend(size);
            std::transform(data, data + size, out,
                           [](std::uint8_t c) { return static_cast<std::uint8_t>(c + 1); });
            plain.consume(size);
        }
        return Status::open;
    }
    void finish(base::OutputQueue& wire) override { wire.append(base::as_bytes(" bye")); }
    PeerFacts facts() const override { return {"ann", "shifted", {}}; }
    std::string error() const override { return "a sharp"; }

private:
    bool ready_ = false;
};

struct LayeredHost : Host {
    void on_connection(Listener& listener, DetachedStream connection) override {
        connection.layer = std::make_unique<ShiftLayer>();
        Host::on_connection(listener, std::move(connection));
    }
    std::string read_all(ClientSocket& client) {
        std::string text;
        std::vector<std::uint8_t> buffer(std::size_t{1} << 18);
        const auto read = [&] {
            const auto count = client.read(buffer);
            if (count) text.append(reinterpret_cast<char*>(buffer.data()), *count);
            return client.at_end() || !count;
        };
        EXPECT_TRUE(turn_until(read));
        return text;
    }
};

TEST(Layers, BytesAreTranslatedBothWays) {
    LayeredHost host;
    auto [client, recorder] = host.connect(host.listen());
    send_text(client, "?bcd");
    ASSERT_TRUE(host.turn_until([&, r = recorder] { return r->text == "abc"; }));
    EXPECT_EQ(recorder->stream->facts().user, "ann");
    recorder->stream->output().append(base::as_bytes("HAL"));
    recorder->stream->close_when_flushed();
    EXPECT_EQ(host.read_all(client), "hello IBM bye");
    EXPECT_EQ(recorder->reason.kind, CloseReason::Kind::local);
}

TEST(Layers, OutputWaitsUntilTheLayerIsReady) {
    LayeredHost host;
    auto [client, recorder] = host.connect(host.listen());
    recorder->stream->output().append(base::as_bytes("HAL"));
    recorder->stream->mark_dirty();
    host.loop->run_turn(host, false);
    EXPECT_EQ(recorder->stream->output().size(), 3U);
    send_text(client, "?");
    ASSERT_TRUE(host.turn_until([&, r = recorder] { return r->stream->output().empty(); }));
}

TEST(Layers, ClosingBeforeItIsReadyDropsTheOutput) {
    LayeredHost host;
    auto [client, recorder] = host.connect(host.listen());
    recorder->stream->output().append(base::as_bytes("HAL"));
    recorder->stream->close_when_flushed();
    EXPECT_EQ(host.read_all(client), " bye");
}

TEST(Layers, WhatIsLeftOverIsHandedOverWithWhatFollows) {
    LayeredHost host;
    std::vector<std::string> seen;
    host.on_bytes_do = [&](Stream& stream, base::Bytes bytes) {
        seen.emplace_back(base::as_text(bytes));
        if (bytes.size() >= 6) return bytes.size();
        stream.expect(6);
        return std::size_t{0};
    };
    auto [client, recorder] = host.connect(host.listen());
    for (const char* part : {"bb", "cc", "dde"}) {
        send_text(client, part);
        for (int turn = 0; turn < 50; ++turn) host.loop->run_turn(host, false);
    }
    ASSERT_TRUE(host.turn_until([&] { return seen.size() == 2; }));
    EXPECT_EQ(seen, (std::vector<std::string>{"aa", "aabbccd"}));
}

TEST(Layers, ALongPacketIsCollected) {
    constexpr std::size_t size = 3'000'000;
    LayeredHost host;
    std::size_t got = 0;
    host.on_bytes_do = [&](Stream& stream, base::Bytes bytes) {
        stream.expect(size);
        if (bytes.size() < size) return std::size_t{0};
        got = bytes.size();
        return got;
    };
    auto [client, recorder] = host.connect(host.listen());
    std::string rest(size, 'b');
    ASSERT_TRUE(host.turn_until([&, c = &client] {
        if (!rest.empty()) rest.erase(0, *c->write(base::as_bytes(rest)));
        return got > 0;
    }));
    EXPECT_EQ(got, size);
}

TEST(Layers, AnErrorIsToldToThePeerAndToTheHandler) {
    LayeredHost host;
    auto [client, recorder] = host.connect(host.listen());
    send_text(client, "bc#de");
    EXPECT_EQ(host.read_all(client), "alarm");
    EXPECT_EQ(recorder->text, "ab");
    EXPECT_EQ(recorder->reason.kind, CloseReason::Kind::layer);
    EXPECT_EQ(recorder->reason.text(), "a sharp");
}

TEST(Layers, AGoodbyeIsAClose) {
    LayeredHost host;
    auto [client, recorder] = host.connect(host.listen());
    send_text(client, "b!");
    ASSERT_TRUE(host.turn_until([&, r = recorder] { return r->closed == 1; }));
    EXPECT_EQ(recorder->text, "a");
    EXPECT_EQ(recorder->reason.kind, CloseReason::Kind::peer);
}

TEST(Layers, AGoodbyeWaitsForWhatIsNotReadYet) {
    LayeredHost host;
    std::string seen;
    host.on_bytes_do = [&](Stream& stream, base::Bytes bytes) {
        seen += base::as_text(bytes.first(1));
        stream.pause_reading();
        return std::size_t{1};
    };
    auto [client, recorder] = host.connect(host.listen());
    send_text(client, "bcd!");
    for (const char* const text : {"a", "ab", "abc"}) {
        ASSERT_EQ(recorder->closed, 0) << text;
        if (recorder->stream->is_paused()) recorder->stream->resume_reading();
        ASSERT_TRUE(host.turn_until([&] { return seen == text; }));
        for (int turn = 0; turn < 20; ++turn) host.loop->run_turn(host, false);
        ASSERT_EQ(seen, text);
    }
    EXPECT_EQ(recorder->closed, 1);
    EXPECT_EQ(recorder->reason.kind, CloseReason::Kind::peer);
}

TEST(Layers, AGoodbyeMovesAlong) {
    LayeredHost host;
    DetachedStream moved;
    host.on_bytes_do = [&](Stream& stream, base::Bytes) {
        moved = stream.detach(1);
        return std::size_t{1};
    };
    auto [client, recorder] = host.connect(host.listen());
    send_text(client, "bcd#");
    ASSERT_TRUE(host.turn_until([&] { return static_cast<bool>(moved.fd); }));
    Host other;
    Recorder there;
    other.loop->adopt(std::move(moved), there);
    ASSERT_TRUE(other.turn_until([&] { return there.closed == 1; }));
    EXPECT_EQ(there.text, "bc");
    EXPECT_EQ(there.reason.kind, CloseReason::Kind::layer);
}

TEST(Layers, AMoveTakesTheLayerAlong) {
    LayeredHost host;
    DetachedStream moved;
    host.on_bytes_do = [&](Stream& stream, base::Bytes bytes) {
        if (bytes.size() < 3) return std::size_t{0};
        stream.output().append(base::as_bytes("HAL"));
        moved = stream.detach(1);
        return std::size_t{1};
    };
    auto [client, recorder] = host.connect(host.listen());
    send_text(client, "?bcd");
    ASSERT_TRUE(host.turn_until([&] { return static_cast<bool>(moved.fd); }));
    Host other;
    Recorder there;
    Stream& stream = other.loop->adopt(std::move(moved), there);
    ASSERT_TRUE(other.turn_until([&] { return there.text == "bc"; }));
    send_text(client, "e");
    ASSERT_TRUE(other.turn_until([&] { return there.text == "bcd"; }));
    stream.close_when_flushed();
    ASSERT_TRUE(other.turn_until([&] { return there.closed == 1; }));
    EXPECT_EQ(host.read_all(client), "hello IBM bye");
}

TEST(Layers, APeerThatDoesNotReadLeavesTheOutputInItsQueue) {
    LayeredHost host;
    auto [client, recorder] = host.connect(host.listen());
    send_text(client, "?");
    constexpr std::size_t size = std::size_t{32} << 20;
    const std::string much(size, 'x');
    recorder->stream->output().append(base::as_bytes(much));
    recorder->stream->mark_dirty();
    ASSERT_TRUE(host.turn_until([&, r = recorder] { return r->stream->is_stuck(); }));
    EXPECT_GT(recorder->stream->output().size(), size / 2);
    recorder->stream->close_when_flushed();
    EXPECT_EQ(host.read_all(client).size(), size + std::string("hello  bye").size());
}

}  // namespace
}  // namespace net
