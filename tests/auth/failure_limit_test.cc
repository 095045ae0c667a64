#include "auth/failure_limit.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace auth {
namespace {

using broker::AuthAnswer;
using broker::AuthBegun;
using mqtt::ReasonCode;

TEST(LoginFailures, close_an_address_for_longer_each_time) {
    LoginFailures failures;
    std::uint64_t now = 1'000'000;
    for (int i = 0; i < 2; ++i) failures.failed("a", 3, now);
    EXPECT_EQ(failures.wait_ms("a", now), 0U);
    std::vector<std::uint64_t> waits;
    for (int i = 0; i < 12; ++i) {
        failures.failed("a", 3, now);
        waits.push_back(failures.wait_ms("a", now));
        now += waits.back();
        EXPECT_EQ(failures.wait_ms("a", now), 0U) << i;
    }
    EXPECT_EQ(waits, (std::vector<std::uint64_t>{1'000, 2'000, 4'000, 8'000, 16'000, 32'000, 64'000,
                                                 128'000, 256'000, 300'000, 300'000, 300'000}));
    EXPECT_EQ(failures.wait_ms("b", now), 0U);
}

TEST(LoginFailures, are_forgotten) {
    struct Row {
        const char* sentence;
        int failures;
        std::uint64_t pause_ms;
        bool is_closed;  // By one more, with a limit of 3.
    };
    const Row rows[] = {
        {"two within a minute", 2, LoginFailures::window_ms, true},
        {"two, and a longer pause", 2, LoginFailures::window_ms + 1, false},
        {"once it was closed, ten minutes count", 3, LoginFailures::forget_ms, true},
        {"and no more", 3, LoginFailures::forget_ms + 1, false},
    };
    for (const Row& row : rows) {
        LoginFailures failures;
        const std::uint64_t begin = 1'000'000;
        for (int i = 0; i < row.failures; ++i) failures.failed("a", 3, begin);
        failures.failed("a", 3, begin + row.pause_ms);
        EXPECT_EQ(failures.wait_ms("a", begin + row.pause_ms) != 0, row.is_closed) << row.sentence;
    }
}

TEST(LoginFailures, of_no_more_addresses_than_there_is_room_for) {
    LoginFailures failures;
    for (std::size_t i = 0; i < LoginFailures::addresses_max + 10; ++i) {
        failures.failed(std::to_string(i), 1, 1'000'000);
    }
    EXPECT_EQ(failures.size(), LoginFailures::addresses_max);
    failures.failed("late", 1, 1'000'000 + LoginFailures::forget_ms + 1);
    EXPECT_EQ(failures.size(), 1U);
}

// Answers what it is told to; an exchange ends with a refusal.
class Scripted : public broker::Authenticator {
public:
    AuthBegun begin(const broker::Credentials&) override {
        ++asked;
        if (answer.kind != AuthAnswer::Kind::proceed) return {answer, nullptr};
        return {answer, std::make_unique<Refusing>()};
    }

    AuthAnswer answer = AuthAnswer::refuse(ReasonCode::not_authorized);
    int asked = 0;

private:
    class Refusing : public broker::AuthExchange {
        AuthAnswer step(base::Bytes) override {
            return AuthAnswer::refuse(ReasonCode::not_authorized);
        }
    };
};

class FailureLimits : public ::testing::Test {
protected:
    FailureLimits() { limit_.set_limit(2); }
    AuthBegun login(const char* peer = "10.0.0.1:1") {
        return limit_.begin({.client_id = "c", .user_name = "ann", .peer = peer});
    }

    std::uint64_t now_ms_ = 1'000'000;
    Scripted behind_;
    FailureLimit limit_{behind_, [this] { return now_ms_; }};
};

TEST_F(FailureLimits, the_third_is_not_asked_for) {
    for (int i = 0; i < 3; ++i) login();
    EXPECT_EQ(behind_.asked, 2);
    EXPECT_EQ(login().answer.reason, ReasonCode::connection_rate_exceeded);
    EXPECT_EQ(login("10.0.0.2:1").answer.reason, ReasonCode::not_authorized);
    now_ms_ += LoginFailures::first_wait_ms;
    EXPECT_EQ(login().answer.reason, ReasonCode::not_authorized);
}

TEST_F(FailureLimits, a_password_without_a_name_is_a_guess) {
    for (int i = 0; i < 3; ++i) {
        limit_.begin({.client_id = "c", .password = base::as_bytes("a.b.c"), .peer = "10.0.0.1:1"});
    }
    EXPECT_EQ(behind_.asked, 2);
}

TEST_F(FailureLimits, counts_what_an_exchange_comes_to) {
    behind_.answer = AuthAnswer::proceed({});
    for (int i = 0; i < 2; ++i) login().exchange->step({});
    EXPECT_EQ(login().answer.reason, ReasonCode::connection_rate_exceeded);
}

TEST_F(FailureLimits, of_other_reasons_nobody_is_kept_out) {
    for (const ReasonCode reason : {ReasonCode::server_unavailable, ReasonCode::server_busy}) {
        behind_.answer = AuthAnswer::refuse(reason);
        for (int i = 0; i < 5; ++i) EXPECT_EQ(login().answer.reason, reason);
    }
    behind_.answer = AuthAnswer::refuse(ReasonCode::not_authorized);
    for (int i = 0; i < 5; ++i) {
        const AuthBegun anonymous = limit_.begin({.client_id = "c", .peer = "10.0.0.1:1"});
        EXPECT_EQ(anonymous.answer.reason, ReasonCode::not_authorized);
    }
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(login("unix socket").answer.reason, ReasonCode::not_authorized);
    }
    EXPECT_EQ(login().answer.reason, ReasonCode::not_authorized);
}

TEST_F(FailureLimits, are_off_without_a_number) {
    limit_.set_limit(0);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(login().answer.reason, ReasonCode::not_authorized);
}

}  // namespace
}  // namespace auth
