#include "auth/server_health.h"

#include <gtest/gtest.h>

namespace auth {
namespace {

TEST(CircuitBreaker, rests_after_three_failures_and_tries_again) {
    CircuitBreaker breaker;
    EXPECT_FALSE(breaker.failed(0));
    EXPECT_FALSE(breaker.failed(0));
    EXPECT_TRUE(breaker.may_ask(0));
    EXPECT_TRUE(breaker.failed(0));
    EXPECT_FALSE(breaker.failed(1));  // It was on its way.
    EXPECT_FALSE(breaker.may_ask(999));
    EXPECT_TRUE(breaker.may_ask(1000));
    EXPECT_FALSE(breaker.may_ask(1001));  // One tries.
    EXPECT_FALSE(breaker.failed(1500));   // No news; twice as long.
    EXPECT_FALSE(breaker.may_ask(3499));
    EXPECT_TRUE(breaker.may_ask(3500));
    EXPECT_TRUE(breaker.succeeded());
    EXPECT_FALSE(breaker.succeeded());
    EXPECT_FALSE(breaker.failed(4000));
    EXPECT_TRUE(breaker.may_ask(4000));
}

TEST(CircuitBreaker, never_rests_longer_than_it_may) {
    CircuitBreaker breaker;
    std::uint64_t now_ms = 0;
    for (int i = 0; i < 3; ++i) breaker.failed(now_ms);
    for (int i = 0; i < 20; ++i) {
        now_ms += CircuitBreaker::longest_rest_ms;
        ASSERT_TRUE(breaker.may_ask(now_ms)) << i;
        breaker.failed(now_ms);
    }
    EXPECT_FALSE(breaker.may_ask(now_ms + CircuitBreaker::longest_rest_ms - 1));
}

}  // namespace
}  // namespace auth
