#include "config/network.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace config {
namespace {

AddressBytes address(std::string_view text) {
    return Network::parse(text)->address;
}

TEST(Network, WhatIsOne) {
    struct Row {
        std::string text;
        int bits;  // -1: it is none.
    };
    const std::vector<Row> rows = {
        {"192.0.2.7", 128},
        {"192.0.2.7/32", 128},
        {"192.0.2.0/24", 120},
        {"128.0.0.0/1", 97},
        {"0.0.0.0/0", 96},
        {"::/0", 0},
        {"2001:db8::/32", 32},
        {"2001:db8::1", 128},
        {"::ffff:192.0.2.0/120", 120},
        {"", -1},
        {"/", -1},
        {"192.0.2.0/", -1},
        {"192.0.2.0/33", -1},
        {"192.0.2.0/-1", -1},
        {"192.0.2.0/2 4", -1},
        {"192.0.2.0/24/24", -1},
        {"192.0.2/24", -1},
        {"192.0.2.1/24", -1},
        {"2001:db8::1/32", -1},
        {"2001:db8::/129", -1},
        {"localhost", -1},
        {"2001:db8::/0x20", -1},
        {"192.0.2.0/+24", -1},
        {"[::1]", -1},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.text);
        const auto network = Network::parse(row.text);
        EXPECT_EQ(network ? network->bits : -1, row.bits);
    }
}

TEST(Network, WhoIsIn) {
    struct Row {
        std::string network;
        std::string address;
        bool is_in;
    };
    const std::vector<Row> rows = {
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.6", false},
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"0.0.0.0/0", "203.0.113.1", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"::/0", "192.0.2.7", true},
        {"::1", "::1", true},
        {"::1", "127.0.0.1", false},
        {"127.0.0.1", "::ffff:127.0.0.1", true},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.network + " " + row.address);
        EXPECT_EQ(Network::parse(row.network)->contains(address(row.address)), row.is_in);
    }
}

}  // namespace
}  // namespace config
