#include "auth/peer_address.h"

#include <gtest/gtest.h>

#include <utility>

namespace auth {
namespace {

TEST(HostOf, leaves_the_port_out) {
    EXPECT_EQ(host_of("127.0.0.1:1883"), "127.0.0.1");
    EXPECT_EQ(host_of("::1:1883"), "::1");
    EXPECT_EQ(host_of("[::1]:1883"), "::1");
}

TEST(NetworkOf, is_64_bits_of_ipv6_and_all_of_ipv4) {
    const std::pair<const char*, const char*> rows[] = {
        {"127.0.0.1:5000", "127.0.0.1:6000"},
        {"2001:db8::1:5000", "2001:db8::ffff:1:6000"},
        {"[2001:db8::1]:5000", "2001:db8::2:6000"},
    };
    for (const auto& [one, other] : rows) EXPECT_EQ(network_of(one), network_of(other)) << one;
    EXPECT_NE(network_of("2001:db8::1:5000"), network_of("2001:db8:0:1::1:5000"));
    EXPECT_NE(network_of("10.0.0.1:1"), network_of("10.0.0.2:1"));
}

}  // namespace
}  // namespace auth
