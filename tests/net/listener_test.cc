#include "net/listener.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <cerrno>
#include <thread>

#include "fixture.h"
#include "net/limits.h"

namespace net {
namespace {

TEST(Listener, SaysWhichAddressIsInUse) {
    Host host;
    Listener& first = host.listen();
    const auto second = host.loop->listen({.host = "127.0.0.1", .port = first.port()}, host);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error(),
              "127.0.0.1:" + std::to_string(first.port()) + ": Address already in use");
}

TEST(Listener, RefusesWhatCannotBeBound) {
    struct Row {
        const char* sentence = "";
        ListenOptions options;
        const char* error = "";
    };
    const Row rows[] = {
        {"not ours",
         {.host = "192.0.2.1", .port = 1},
         "192.0.2.1:1: Cannot assign requested address"},
        {"not a name", {.host = "no such host"}, "no such host: "},
        {"no such device", {.host = "127.0.0.1", .bind_interface = "nosuch0"}, "127.0.0.1:0: "},
    };
    Host host;
    for (const Row& row : rows) {
        const auto listener = host.loop->listen(row.options, host);
        ASSERT_FALSE(listener.has_value()) << row.sentence;
        EXPECT_EQ(listener.error().substr(0, std::string(row.error).size()), row.error);
    }
    host.loop->run_turn(host, false);
}

TEST(Listener, SharesItsPortOnlyIfAsked) {
    Host one;
    Host two;
    ListenOptions options{.host = "127.0.0.1", .shared_port = true};
    options.port = one.listen(options).port();
    options.joins = true;
    EXPECT_TRUE(two.loop->listen(options, two).has_value());
    options.shared_port = options.joins = false;
    EXPECT_FALSE(two.loop->listen(options, two).has_value());
}

// Two brokers with several threads each: the second must not take half of the first one's clients.
TEST(Listener, OnlyTheFirstOfASharedPortBindsIt) {
    Host one;
    Host other;
    ListenOptions options{.host = "127.0.0.1", .shared_port = true};
    options.port = one.listen(options).port();
    const auto refused = other.loop->listen(options, other);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error(),
              "127.0.0.1:" + std::to_string(options.port) + ": Address already in use");
}

TEST(Listener, EachLoopOfASharedPortGetsConnections) {
    Host one;
    Host two;
    ListenOptions options{.host = "127.0.0.1", .shared_port = true};
    options.port = one.listen(options).port();
    options.joins = true;
    two.listen(options);
    std::vector<ClientSocket> clients;
    clients.reserve(64);
    for (int i = 0; i < 64; ++i) {
        clients.push_back(std::move(*ClientSocket::connect("127.0.0.1", options.port)));
    }
    ASSERT_TRUE(one.turn_until([&] {
        two.loop->run_turn(two, false);
        return one.recorders.size() + two.recorders.size() == clients.size();
    }));
    EXPECT_GT(one.recorders.size(), 0U);
    EXPECT_GT(two.recorders.size(), 0U);
}

TEST(Listener, AnEmptyHostIsEveryAddressOfEachFamilyOnOnePort) {
    Host host;
    const auto listener = host.loop->listen({}, host);
    ASSERT_TRUE(listener.has_value()) << listener.error();
    EXPECT_NE((*listener)->port(), 0);
    for (const Address& address : (*listener)->addresses()) {
        EXPECT_EQ(address.port(), (*listener)->port());
        const std::string loopback = address.family() == AF_INET6 ? "::1" : "127.0.0.1";
        const auto client = ClientSocket::connect(loopback, address.port());
        ASSERT_TRUE(client.has_value()) << client.error();
        const std::size_t before = host.recorders.size();
        ASSERT_TRUE(host.turn_until([&] { return host.recorders.size() > before; }));
        EXPECT_EQ(host.recorders.back()->stream->peer().text(), loopback);
    }
}

TEST(Listener, AcceptedSocketsGiveUpASilentPeerWhenTold) {
    for (const std::uint32_t seconds : {0U, 90U}) {
        Host host;
        Listener& listener = host.listen({.user_timeout_s = seconds});
        auto [client, recorder] = host.connect(listener);
        unsigned milliseconds = 1;
        socklen_t size = sizeof milliseconds;
        ::getsockopt(recorder->stream->fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, &size);
        EXPECT_EQ(milliseconds, seconds * 1000);
    }
}

TEST(Listener, AcceptedSocketsSendAtOnceUnlessToldNotTo) {
    for (const bool no_delay : {true, false}) {
        Host host;
        Listener& listener = host.listen({.no_delay = no_delay});
        auto [client, recorder] = host.connect(listener);
        int value = -1;
        socklen_t size = sizeof value;
        ::getsockopt(recorder->stream->fd(), IPPROTO_TCP, TCP_NODELAY, &value, &size);
        EXPECT_EQ(value != 0, no_delay);
    }
}

TEST(Listener, AcceptsSoManyATurnAndNoMore) {
    Host host;
    Listener& listener = host.listen({.accepts_per_turn_max = 2});
    std::vector<ClientSocket> clients;
    clients.reserve(5);
    for (int i = 0; i < 5; ++i) {
        clients.push_back(std::move(*ClientSocket::connect("127.0.0.1", listener.port())));
    }
    std::size_t before = 0;
    ASSERT_TRUE(host.turn_until([&] {
        EXPECT_LE(host.recorders.size(), before + 2);
        before = host.recorders.size();
        return before == 5;
    }));
}

TEST(Listener, RefusesAConnectionByDroppingIt) {
    Host host;
    Listener& listener = host.listen();
    host.refuse = true;
    auto client = ClientSocket::connect("127.0.0.1", listener.port());
    ASSERT_TRUE(client.has_value());
    std::array<std::uint8_t, 8> buffer{};
    ASSERT_TRUE(
        host.turn_until([&] { return client->read(buffer).has_value() && client->at_end(); }));
    EXPECT_EQ(host.loop->stream_count(), 0U);
}

TEST(Listener, ClosedItRefusesAndItsConnectionsStay) {
    Host host;
    Listener& listener = host.listen();
    const std::uint16_t port = listener.port();
    auto [client, recorder] = host.connect(listener);
    host.loop->close(listener);
    host.loop->run_turn(host, false);
    const auto late = ClientSocket::connect("127.0.0.1", port);
    EXPECT_FALSE(late.has_value());
    send_text(client, "still here");
    EXPECT_TRUE(host.turn_until([recorder = recorder] { return recorder->text == "still here"; }));
}

TEST(Listener, MayBeClosedByAConnection) {
    struct OnlyOne : Host {
        void on_connection(Listener& listener, DetachedStream connection) override {
            Host::on_connection(listener, std::move(connection));
            loop->close(listener);
        }
    };
    OnlyOne host;
    Listener& listener = host.listen();
    const auto first = ClientSocket::connect("127.0.0.1", listener.port());
    const auto second = ClientSocket::connect("127.0.0.1", listener.port());
    ASSERT_TRUE(host.turn_until([&] { return host.recorders.size() == 1; }));
    for (int i = 0; i < 3; ++i) host.loop->run_turn(host, false);
    EXPECT_EQ(host.recorders.size(), 1U);
}

TEST(Listener, AcceptsNoMoreASecondThanItsRateAndRefusesNone) {
    struct Counting : Host {
        void on_accept_throttled(Listener&) override { ++throttled; }
        int throttled = 0;
    };
    Counting host;
    Listener& listener = host.listen({.accepts_per_second_max = 20});
    std::vector<base::Result<ClientSocket, std::string>> clients;
    clients.reserve(30);
    const std::uint64_t begin = host.loop->now_ms();
    for (int i = 0; i < 30; ++i) {
        clients.push_back(ClientSocket::connect("127.0.0.1", listener.port()));
    }
    ASSERT_TRUE(host.turn_until([&] { return host.recorders.size() >= 20; }));
    ASSERT_TRUE(host.turn_until([&] { return host.throttled > 0; }));
    ASSERT_TRUE(host.turn_until([&] { return host.recorders.size() == 30; }));
    // A second's worth at once, the ten others in half a second.
    EXPECT_GE(host.loop->now_ms() - begin, 450U);
}

// A system that has run out, for as long as a test wants.
bool out_of_descriptors = false;
int accept_calls = 0;
int scarce_accept(int fd, sockaddr* address, socklen_t* size, int flags) {
    ++accept_calls;
    if (!out_of_descriptors) return ::accept4(fd, address, size, flags);
    errno = EMFILE;
    return -1;
}

TEST(Listener, RestsASecondWhenDescriptorsRunOutAndSaysSoOnce) {
    out_of_descriptors = true;
    accept_calls = 0;
    Host host;
    Listener& listener = host.listen({.accept = scarce_accept});
    auto client = ClientSocket::connect("127.0.0.1", listener.port());
    ASSERT_TRUE(host.turn_until([&] { return host.pauses == 1; }));
    EXPECT_EQ(host.pause_reason, "Too many open files");
    for (int i = 0; i < 100; ++i) host.loop->run_turn(host, false);
    EXPECT_EQ(accept_calls, 1) << "it spins";

    // The second time it fails is no news.
    host.loop->timers().fire_due(host.loop->now_ms() + Listener::pause_ms + 200);
    ASSERT_TRUE(host.turn_until([&] { return accept_calls == 2; }));
    EXPECT_EQ(host.pauses, 1);

    out_of_descriptors = false;
    host.loop->timers().fire_due(host.loop->now_ms() + 2 * Listener::pause_ms + 600);
    ASSERT_TRUE(host.turn_until([&] { return host.recorders.size() == 1; }));
}

TEST(Limits, RaisesTheLimitOfOpenFilesToTheHardOne) {
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    rlimit low = before;
    low.rlim_cur = std::min<rlim_t>(64, before.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &low);
    EXPECT_EQ(raise_fd_limit(), before.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace net
