// max_connections_per_address.
#include "server/address_limit.h"

#include <gtest/gtest.h>

namespace server {
namespace {

net::Address address(const char* host, std::uint16_t port = 1) {
    return net::resolve(host, port).value().at(0);
}

TEST(AddressLimit, each_address_has_its_own_places) {
    AddressLimit limit(2);
    EXPECT_TRUE(limit.take(address("192.0.2.1", 1)));
    EXPECT_TRUE(limit.take(address("192.0.2.1", 2)));
    EXPECT_FALSE(limit.take(address("192.0.2.1", 3)));
    EXPECT_TRUE(limit.take(address("192.0.2.2")));
    limit.give_back(address("192.0.2.1", 2));
    EXPECT_TRUE(limit.take(address("192.0.2.1", 4)));
    EXPECT_FALSE(limit.take(address("192.0.2.1", 5)));
}

TEST(AddressLimit, the_addresses_of_one_ipv6_network_are_one) {
    AddressLimit limit(1);
    EXPECT_TRUE(limit.take(address("2001:db8::1")));
    EXPECT_FALSE(limit.take(address("2001:db8::2:1")));
    EXPECT_TRUE(limit.take(address("2001:db8:0:1::1")));
}

TEST(AddressLimit, without_a_maximum_there_is_none) {
    AddressLimit limit(0);
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(limit.take(address("192.0.2.1")));
    limit.give_back(address("192.0.2.1"));
}

}  // namespace
}  // namespace server
