#include "net/stream.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "fixture.h"

namespace net {
namespace {

static_assert(sizeof(Stream) <= 304, "what an idle connection costs");

std::string random_text(std::mt19937& random, std::size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>('a' + random() % 26);
    return text;
}

// Messages of this test's protocol: a length in five digits, then as many bytes.
std::string message_of(const std::string& body) {
    return fmt::format("{:05}", body.size()) + body;
}

// Takes whole messages only, as a protocol does; asks for as much as the length says.
struct Parser {
    std::vector<std::string> messages;
    std::size_t longest_wait = 0;

    std::size_t operator()(Stream& stream, base::Bytes bytes) {
        std::string_view rest = base::as_text(bytes);
        while (rest.size() >= 5) {
            const std::size_t total = 5 + std::stoul(std::string(rest.substr(0, 5)));
            if (rest.size() < total) {
                stream.expect(total);
                break;
            }
            messages.emplace_back(rest.substr(5, total - 5));
            rest.remove_prefix(total);
        }
        return bytes.size() - rest.size();
    }
};

TEST(Stream, HandsOverEveryByteInOrderHoweverItIsSliced) {
    for (unsigned seed = 1; seed <= 6; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        Host host;
        Listener& listener = host.listen();
        auto [client, recorder] = host.connect(listener);
        Parser parser;
        recorder->on_bytes_do = [&](Stream& stream, base::Bytes bytes) {
            return parser(stream, bytes);
        };
        std::vector<std::string> sent;
        std::string wire;
        for (int i = 0; i < 150; ++i) {
            const std::size_t sizes[] = {3, 200, 9'000, 70'000};
            sent.push_back(random_text(random, random() % sizes[random() % 4]));
            wire += message_of(sent.back());
        }
        for (std::size_t at = 0; at < wire.size();) {
            const std::size_t spans[] = {4, 600, 30'000, 200'000};
            const std::size_t size = 1 + random() % spans[random() % 4];
            const auto slice = std::string_view(wire).substr(at, size);
            const auto count = client.write(base::as_bytes(slice));
            ASSERT_TRUE(count.has_value());
            at += *count;
            host.loop->run_turn(host, false);
        }
        ASSERT_TRUE(host.turn_until([&] { return parser.messages.size() >= sent.size(); }));
        EXPECT_EQ(parser.messages, sent);
    }
}

TEST(Stream, IsNotCalledBeforeWhatItExpectsIsThere) {
    Host host;
    Listener& listener = host.listen();
    auto [client, recorder] = host.connect(listener);
    std::size_t seen = 0;
    recorder->on_bytes_do = [&](Stream& stream, base::Bytes bytes) -> std::size_t {
        seen = bytes.size();
        if (bytes.size() >= 300'000) return bytes.size();
        stream.expect(300'000);
        return 0;
    };
    const std::string text(300'007, 'x');
    for (std::size_t at = 0; at < text.size(); at += 10'000) {
        send_text(client, std::string_view(text).substr(at, 10'000));
        host.loop->run_turn(host, false);
    }
    ASSERT_TRUE(host.turn_until([&] { return seen == 7 || seen > 300'000; }));
    EXPECT_LE(recorder->calls, 3) << "the first piece, the whole, what came behind it";
}

TEST(Stream, WritesMoreThanTheSocketHoldsToASlowReaderWithoutLoss) {
    std::mt19937 random(7);
    Host host;
    Listener& listener = host.listen();
    auto [client, recorder] = host.connect(listener);
    Stream& stream = *recorder->stream;
    const std::string text = random_text(random, 12 << 20);
    stream.output().append(base::as_bytes(std::string_view(text).substr(0, 100)));
    stream.output().append_shared(
        {base::as_bytes(std::string_view(text).substr(100)), nullptr, [](const void*) {}});
    stream.mark_dirty();
    ASSERT_TRUE(host.turn_until([&] { return stream.is_stuck(); }));
    EXPECT_EQ(recorder->writable, 0);

    send_text(client, "still read");
    ASSERT_TRUE(host.turn_until([recorder = recorder] { return recorder->text == "still read"; }));
    EXPECT_TRUE(stream.is_stuck());

    std::string got;
    std::vector<std::uint8_t> buffer(300'000);
    while (got.size() < text.size()) {
        const auto count = client.read(std::span(buffer).first(1 + random() % buffer.size()));
        ASSERT_TRUE(count.has_value());
        got.append(reinterpret_cast<const char*>(buffer.data()), *count);
        host.loop->run_turn(host, false);
    }
    EXPECT_TRUE(got == text);
    ASSERT_TRUE(host.turn_until([recorder = recorder] { return recorder->writable > 0; }));
    EXPECT_EQ(recorder->writable, 1);
    EXPECT_TRUE(stream.output().empty());
    EXPECT_FALSE(stream.is_stuck());
}

TEST(Stream, ClosesWhenAllIsWrittenAlsoIfThePeerStillSends) {
    Host host;
    Listener& listener = host.listen();
    auto [client, recorder] = host.connect(listener);
    recorder->on_bytes_do = [](Stream& stream, base::Bytes) -> std::size_t {
        stream.output().append(base::as_bytes("the reason why"));
        stream.close_when_flushed();
        return 0;
    };
    send_text(client, std::string(200'000, 'x'));
    ASSERT_TRUE(host.turn_until([recorder = recorder] { return recorder->closed > 0; }));
    EXPECT_EQ(recorder->reason.kind, CloseReason::Kind::local);
    EXPECT_EQ(recorder->calls, 1) << "nothing is handed over after the close";

    std::string got;
    std::array<std::uint8_t, 100> buffer{};
    while (!client.at_end()) {
        client.wait(10'000);
        const auto count = client.read(buffer);
        ASSERT_TRUE(count.has_value()) << "reset: the last words are lost: " << count.error();
        got.append(reinterpret_cast<const char*>(buffer.data()), *count);
    }
    EXPECT_EQ(got, "the reason why");
}

TEST(Stream, WithheldBytesAreNotWrittenAndTheCloseWaitsForThem) {
    Host host;
    Listener& listener = host.listen();
    auto [client, recorder] = host.connect(listener);
    Stream& stream = *recorder->stream;
    stream.output().append(base::as_bytes("promise"));
    stream.output().withhold();
    stream.close_when_flushed();
    for (int turn = 0; turn < 3; ++turn) host.loop->run_turn(host, false);
    EXPECT_EQ(stream.output().size(), 7U);
    EXPECT_EQ(recorder->closed, 0);

    stream.output().release_all();
    stream.mark_dirty();
    ASSERT_TRUE(host.turn_until([recorder = recorder] { return recorder->closed > 0; }));
    std::array<std::uint8_t, 100> buffer{};
    client.wait(10'000);
    const auto count = client.read(buffer);
    ASSERT_TRUE(count.has_value()) << count.error();
    EXPECT_EQ(base::as_text(base::Bytes(buffer).first(*count)), "promise");
}

TEST(Stream, GivesUpOnAPeerThatDoesNotTakeItsLastWords) {
    Host host;
    Listener& listener = host.listen();
    auto [client, recorder] = host.connect(listener);
    recorder->stream->output().append(base::as_bytes(std::string(12 << 20, 'x')));
    recorder->stream->close_when_flushed();
    ASSERT_TRUE(host.turn_until([recorder = recorder] { return recorder->stream->is_stuck(); }));
    host.loop->timers().fire_due(host.loop->now_ms() + EventLoop::drain_ms + 200);
    ASSERT_TRUE(host.turn_until([recorder = recorder] { return recorder->closed > 0; }));
    EXPECT_EQ(host.loop->stream_count(), 0U);
}

TEST(Stream, PausedItReadsNothingAndResumedItGetsWhatItHadLeft) {
    Host host;
    Listener& listener = host.listen();
    auto [client, recorder] = host.connect(listener);
    std::string got;
    recorder->on_bytes_do = [&](Stream& stream, base::Bytes bytes) -> std::size_t {
        got += static_cast<char>(bytes[0]);
        stream.pause_reading();
        return 1;
    };
    Stream& stream = *recorder->stream;
    send_text(client, "abc");
    ASSERT_TRUE(host.turn_until([&] { return got == "a"; }));
    send_text(client, "d");
    for (int i = 0; i < 5; ++i) host.loop->run_turn(host, false);
    EXPECT_EQ(got, "a");
    { const ClientSocket closes = std::move(client); }
    // The peer is gone; what it had sent is not.
    for (const char* want : {"ab", "abc", "abcd"}) {
        stream.resume_reading();
        ASSERT_TRUE(host.turn_until([&] { return got == want; }));
    }
    EXPECT_EQ(recorder->closed, 0);
    stream.resume_reading();
    ASSERT_TRUE(host.turn_until([recorder = recorder] { return recorder->closed == 1; }));
    EXPECT_EQ(recorder->reason.kind, CloseReason::Kind::peer);
    EXPECT_EQ(got, "abcd");
}

TEST(Stream, SaysWhyItWasClosedOnce) {
    struct Row {
        const char* sentence;
        bool reset;
        CloseReason::Kind kind;
        const char* text;
    };
    const Row rows[] = {
        {"the peer closes", false, CloseReason::Kind::peer, "Connection closed by the peer"},
        {"the peer resets", true, CloseReason::Kind::error, "Connection reset by peer"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        Host host;
        Listener& listener = host.listen();
        auto [client, recorder] = host.connect(listener);
        if (row.reset) {
            const linger now{1, 0};
            ::setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        }
        { const ClientSocket closes = std::move(client); }
        ASSERT_TRUE(host.turn_until([&] { return host.loop->stream_count() == 0; }));
        EXPECT_EQ(recorder->closed, 1);
        EXPECT_EQ(recorder->reason.kind, row.kind);
        EXPECT_EQ(recorder->reason.text(), row.text);
    }
}

// Ends a stream at every place where a handler could, to meet any use after its death.
TEST(Stream, MayBeAbortedAnywhere) {
    Host host;
    Listener& listener = host.listen();
    auto [client, recorder] = host.connect(listener);
    recorder->on_bytes_do = [&](Stream& stream, base::Bytes bytes) {
        stream.output().append(bytes);
        stream.mark_dirty();
        stream.abort();
        stream.abort();
        stream.pause_reading();
        stream.resume_reading();
        stream.close_when_flushed();
        stream.output().append(bytes);
        stream.mark_dirty();
        EXPECT_FALSE(stream.is_open());
        return bytes.front() == 'a' ? bytes.size() : 0;  // The bytes are still there.
    };
    send_text(client, std::string(20'000, 'a'));
    ASSERT_TRUE(host.turn_until([recorder = recorder] { return recorder->closed == 1; }));
    EXPECT_EQ(recorder->calls, 1);

    // While dirty; while another one is dirty for it; from the other's on_closed().
    auto [client_b, recorder_b] = host.connect(listener);
    auto [client_c, recorder_c] = host.connect(listener);
    recorder_b->stream->output().append(base::as_bytes("never written"));
    recorder_b->stream->mark_dirty();
    recorder_c->stream->mark_dirty();
    recorder_b->stream->abort();
    recorder_c->stream->set_handler(nullptr);
    recorder_c->stream->abort();
    ASSERT_TRUE(host.turn_until([&] { return host.loop->stream_count() == 0; }));
    EXPECT_EQ(recorder_b->closed, 1);
    EXPECT_EQ(recorder_c->closed, 0) << "nobody wanted to know";
    host.loop->run_turn(host, false);
    host.loop->run_turn(host, false);
}

TEST(Stream, AbortFromOnClosedOfAnotherWhileThatIsDirty) {
    struct Chain : Recorder {
        void on_closed(Stream& from, CloseReason why) override {
            Recorder::on_closed(from, why);
            next->output().append(base::as_bytes("late"));
            next->mark_dirty();
            next->abort();
        }
        Stream* next = nullptr;
    };
    Host host;
    Listener& listener = host.listen();
    auto [client_a, recorder_a] = host.connect(listener);
    auto [client_b, recorder_b] = host.connect(listener);
    Chain chain;
    chain.next = recorder_b->stream;
    recorder_a->stream->set_handler(&chain);
    recorder_a->stream->abort();
    ASSERT_TRUE(host.turn_until([&] { return host.loop->stream_count() == 0; }));
    host.loop->run_turn(host, false);
    EXPECT_EQ(chain.closed, 1);
    EXPECT_EQ(recorder_b->closed, 1);
}

TEST(Stream, KnowsBothEnds) {
    Host host;
    Listener& listener = host.listen();
    auto [client, recorder] = host.connect(listener);
    EXPECT_EQ(recorder->stream->peer().text_with_port(),
              Address::local_of(client.fd()).text_with_port());
    EXPECT_EQ(recorder->stream->local_port(), listener.port());
    EXPECT_TRUE(recorder->stream->peer().is_loopback());
}

}  // namespace
}  // namespace net
