// The control socket on a loop that the test turns; the program's: tests/scenarios/ctl_test.py.
#include "server/control_channel.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "net/fixture.h"
#include "support/fake_log.h"

namespace server {
namespace {

constexpr std::string_view question =
    "{\"command\":\"explain\",\"action\":\"publish\",\"topic\":\"a\"}\n";

// Whoever asks it to explain gets no answer before the test says so.
class SlowControls : public admin::Controls {
public:
    admin::ReloadOutcome reload() override { return {}; }
    admin::Status status() const override { return {}; }
    void explain(const admin::Question&, const admin::OnExplanation& done) override {
        waiting.push_back(done);
    }
    void answer() {
        const auto done = std::move(waiting.front());
        waiting.erase(waiting.begin());
        done(admin::Explanation{});
    }
    std::vector<admin::OnExplanation> waiting;
};

class Channel : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_NE(mkdtemp(folder_.data()), nullptr);
        open(folder_ + "/control");
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    void open(const std::string& path) {
        auto change = channel_.prepare(path, "");
        ASSERT_TRUE(change) << change.error();
        channel_.apply(std::move(*change));
    }
    net::ClientSocket connect() {
        auto client = net::ClientSocket::connect_unix(folder_ + "/control");
        EXPECT_TRUE(client) << client.error();
        return std::move(*client);
    }
    void send(net::ClientSocket& client, std::string_view text) {
        EXPECT_EQ(client.write(base::as_bytes(text)).value_or(0), text.size());
    }
    // Until there is one more of them, or the end.
    std::string next_line(net::ClientSocket& client) {
        std::string text;
        EXPECT_TRUE(host_.turn_until([&] {
            std::uint8_t byte = 0;
            while (client.read({&byte, 1}).value_or(0) == 1) {
                text += static_cast<char>(byte);
                if (byte == '\n') return true;
            }
            return client.at_end();
        }));
        return text;
    }
    void wait_for_questions(std::size_t count) {
        EXPECT_TRUE(host_.turn_until([&] { return controls_.waiting.size() == count; }));
    }

    std::string folder_ = "/tmp/nightjar-control-XXXXXX";
    support::FakeLog log_;
    SlowControls controls_;
    net::Host host_;
    ControlChannel channel_{*host_.loop, controls_, log_, 300};
};

TEST_F(Channel, answers_in_the_order_of_the_requests) {
    net::ClientSocket client = connect();
    send(client, std::string(question) + "{\"command\":\"status\"}\n");
    wait_for_questions(1);
    net::ClientSocket other = connect();  // Who waits holds up nobody else.
    send(other, "{}\n");
    EXPECT_TRUE(next_line(other).starts_with("{\"ok\":false"));
    controls_.answer();
    EXPECT_TRUE(next_line(client).starts_with("{\"ok\":true,\"allowed\":false"));
    EXPECT_TRUE(next_line(client).starts_with("{\"ok\":true,\"version\""));
}

TEST_F(Channel, drops_an_answer_for_which_nobody_waits_any_more) {
    {
        net::ClientSocket gone = connect();
        send(gone, question);
        wait_for_questions(1);
        channel_.stop();
        EXPECT_EQ(next_line(gone), "");
    }
    controls_.answer();
    host_.loop->run_turn(host_, false);
    EXPECT_EQ(host_.loop->stream_count(), 0U);
}

TEST_F(Channel, closes_who_says_nothing_but_not_who_waits) {
    net::ClientSocket silent = connect();
    net::ClientSocket waits = connect();
    send(waits, question);
    wait_for_questions(1);
    EXPECT_EQ(next_line(silent), "");
    EXPECT_TRUE(silent.at_end());
    EXPECT_EQ(host_.loop->stream_count(), 1U);
    controls_.answer();
    EXPECT_TRUE(next_line(waits).starts_with("{\"ok\":true"));
    EXPECT_EQ(next_line(waits), "");
}

TEST_F(Channel, takes_no_more_than_its_limit) {
    std::vector<net::ClientSocket> clients;
    for (std::size_t i = 0; i < ControlChannel::connections_max; ++i) clients.push_back(connect());
    EXPECT_TRUE(host_.turn_until(
        [&] { return host_.loop->stream_count() == ControlChannel::connections_max; }));
    net::ClientSocket refused = connect();
    EXPECT_EQ(next_line(refused), "");
    EXPECT_TRUE(log_.contains("a connection is refused, 8 are open already"));
}

TEST_F(Channel, a_place_that_is_taken_changes_nothing) {
    const auto change = channel_.prepare("/proc/none", "");
    ASSERT_FALSE(change);
    EXPECT_TRUE(change.error().starts_with("Error: control_socket /proc/none: "));
    net::ClientSocket client = connect();
    send(client, "{\"command\":\"reload\"}\n");
    EXPECT_TRUE(next_line(client).starts_with("{\"ok\":true"));
    open("");
    EXPECT_FALSE(std::filesystem::exists(folder_ + "/control"));
    send(client, "{\"command\":\"reload\"}\n");  // Who is in stays.
    EXPECT_TRUE(next_line(client).starts_with("{\"ok\":true"));
}

}  // namespace
}  // namespace server
