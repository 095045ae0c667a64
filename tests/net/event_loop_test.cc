#include "net/event_loop.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <atomic>
#include <string>
#include <thread>

#include "fixture.h"

namespace net {
namespace {

TEST(EventLoop, GivesEverybodyATurnInOrder) {
    struct Diary : Host {
        void end_of_turn() override { order += "end,"; }
        std::string order;
    };
    Diary host;
    Listener& listener = host.listen();
    auto [client, recorder] = host.connect(listener);
    recorder->on_bytes_do = [&](Stream& stream, base::Bytes bytes) {
        host.order += "read,";
        host.loop->inbox().post([&host] { host.order += "inbox,"; });
        stream.output().append(base::as_bytes("answer"));
        stream.mark_dirty();
        EXPECT_EQ(stream.output().size(), 6U);
        return bytes.size();
    };
    host.order.clear();
    send_text(client, "question");
    ASSERT_TRUE(host.turn_until([recorder = recorder] { return recorder->calls == 1; }));
    EXPECT_TRUE(recorder->stream->output().empty()) << "written in the turn that read";
    const std::string turn = "read,inbox,end,";
    ASSERT_GE(host.order.size(), turn.size());
    EXPECT_EQ(host.order.substr(host.order.size() - turn.size()), turn);
}

TEST(EventLoop, AnIdleLoopSleepsUntilATimerIsDue) {
    struct Counter : TurnHandler {
        void end_of_turn() override { ++turns; }
        int turns = 0;
    };
    auto loop = std::move(*EventLoop::create());
    Counter counter;
    base::Timer timer([](base::Timer&, void* self) { static_cast<EventLoop*>(self)->stop(); },
                      loop.get());
    base::Timer far([](base::Timer&, void*) {}, nullptr);
    loop->timers().add(far, loop->now_ms() + 3'600'000);
    loop->timers().add(timer, loop->now_ms() + 300);
    const std::uint64_t start = loop->now_ms();
    loop->run(counter);
    EXPECT_GE(loop->now_ms(), start + 300);
    EXPECT_LE(counter.turns, 5);
}

TEST(EventLoop, StopsFromAnotherThread) {
    Host host;
    std::thread other([&] { host.loop->stop(); });
    host.loop->run(host);
    other.join();
    host.loop->inbox().post([&] { host.loop->stop(); });
    host.loop->run(host);
}

TEST(EventLoop, DiesWithOpenStreamsWithoutTellingTheirHandlers) {
    auto host = std::make_unique<Host>();
    Listener& listener = host->listen();
    auto [client, recorder] = host->connect(listener);
    recorder->stream->output().append(base::as_bytes("unsent"));
    recorder->stream->mark_dirty();
    host->loop.reset();
    EXPECT_EQ(recorder->closed, 0);
}

// Shards on threads: a connection is accepted anywhere, reads its destination, and moves there with
// the bytes behind it, while other connections talk.
class Shards {
public:
    explicit Shards(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) shards_.push_back(std::make_unique<Shard>(*this));
        ListenOptions options{.shared_port = true};
        for (auto& shard : shards_) {
            options.port = shard->listen(options).port();
            port = options.port;
            options.joins = true;
        }
        for (auto& shard : shards_) {
            threads_.emplace_back([&shard] { shard->loop->run(*shard); });
        }
    }
    ~Shards() {
        for (auto& shard : shards_) shard->loop->stop();
        for (std::thread& thread : threads_) thread.join();
    }
    std::uint16_t port = 0;
    std::atomic<int> moves{0};

private:
    // The first byte names the shard ('0' + index); everything after it is echoed from there.
    struct Shard : Host {
        explicit Shard(Shards& everyone) : all(everyone) {
            on_bytes_do = [this](Stream& stream, base::Bytes bytes) {
                return enter(stream, bytes);
            };
        }
        std::size_t enter(Stream& stream, base::Bytes bytes) {
            const auto target = static_cast<std::size_t>(bytes[0] - '0');
            Shard& to = *all.shards_[target];
            if (&to != this) ++all.moves;
            // Sent before the move: it must arrive first, although nobody has written it yet.
            stream.output().append(base::as_bytes(">"));
            auto moving = stream.detach(1);
            to.loop->inbox().post([&to, moving = std::move(moving)]() mutable {
                to.recorders.push_back(std::make_unique<Recorder>());
                Recorder& recorder = *to.recorders.back();
                recorder.on_bytes_do = echo;
                recorder.stream = &to.loop->adopt(std::move(moving), recorder);
            });
            return 0;
        }
        static std::size_t echo(Stream& stream, base::Bytes bytes) {
            stream.output().append(bytes);
            stream.mark_dirty();
            return bytes.size();
        }
        Shards& all;
    };
    std::vector<std::unique_ptr<Shard>> shards_;
    std::vector<std::thread> threads_;
};

void talk(std::uint16_t port, char target, std::size_t size) {
    auto client = ClientSocket::connect("127.0.0.1", port);
    ASSERT_TRUE(client.has_value()) << client.error();
    std::string text(1, target);
    for (std::size_t i = 1; i < size; ++i) text += static_cast<char>('a' + i % 26);
    std::string got;
    std::size_t sent = 0;
    std::vector<std::uint8_t> buffer(65'536);
    while (got.size() < text.size()) {
        const Readiness ready = client->wait(10'000, sent < text.size());
        ASSERT_TRUE(ready.readable || ready.writable) << "nothing for ten seconds";
        if (sent < text.size()) {
            const auto count = client->write(base::as_bytes(std::string_view(text).substr(sent)));
            ASSERT_TRUE(count.has_value()) << count.error();
            sent += *count;
        }
        const auto count = client->read(buffer);
        ASSERT_TRUE(count.has_value()) << count.error();
        got.append(reinterpret_cast<const char*>(buffer.data()), *count);
        ASSERT_FALSE(client->at_end() && got.size() < text.size());
    }
    EXPECT_TRUE(got == ">" + text.substr(1)) << "target " << target << ", size " << size;
}

void talk_60_times(std::uint16_t port, int first_shard) {
    for (int i = 0; i < 60; ++i) {
        const std::size_t sizes[] = {1, 2, 5'000, 300'000};
        talk(port, static_cast<char>('0' + (i + first_shard) % 3), sizes[i / 3 % 4]);
    }
}

TEST(EventLoop, MovesStreamsBetweenThreadsWithTheirUnreadAndUnsentBytes) {
    Shards shards(3);
    std::vector<std::thread> clients;
    clients.reserve(2);
    for (int thread = 0; thread < 2; ++thread) {
        clients.emplace_back([&shards, thread] { talk_60_times(shards.port, thread); });
    }
    for (std::thread& client : clients) client.join();
    EXPECT_GT(shards.moves, 0);
}

TEST(EventLoop, MovesAStreamToItself) {
    Host host;
    Listener& listener = host.listen();
    auto [client, recorder] = host.connect(listener);
    Recorder second;
    recorder->on_bytes_do = [&](Stream& stream, base::Bytes) -> std::size_t {
        second.stream = &host.loop->adopt(stream.detach(2), second);
        return 0;
    };
    send_text(client, "xxkept ");
    ASSERT_TRUE(host.turn_until([&] { return second.text == "kept "; }));
    send_text(client, "new");
    ASSERT_TRUE(host.turn_until([&] { return second.text == "kept new"; }));
    EXPECT_EQ(recorder->closed, 0);
    EXPECT_EQ(host.loop->stream_count(), 1U);
}

TEST(EventLoop, DetachOutsideOfOnBytesTakesWhatWasKept) {
    Host host;
    Listener& listener = host.listen();
    auto [client, recorder] = host.connect(listener);
    Stream& stream = *recorder->stream;
    recorder->on_bytes_do = [](Stream&, base::Bytes) { return std::size_t{1}; };
    send_text(client, "abc");
    ASSERT_TRUE(host.turn_until([recorder = recorder] { return recorder->calls == 1; }));
    stream.output().append(base::as_bytes("unsent"));
    stream.mark_dirty();
    const DetachedStream out = stream.detach();
    EXPECT_EQ(base::as_text(out.unread), "bc");
    EXPECT_EQ(base::as_text(out.unsent), "unsent");
    EXPECT_EQ(out.peer.port(), Address::local_of(client.fd()).port());
    host.loop->run_turn(host, false);
    EXPECT_EQ(host.loop->stream_count(), 0U);
}

}  // namespace
}  // namespace net
