#include "net/psk_table.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace net {
namespace {

TEST(PskTable, ReadsIdentitiesAndKeys) {
    const auto table = PskTable::parse("# keys\n\nann:00ff\r\nb c:Ab\n", "f");
    ASSERT_TRUE(table) << table.error();
    EXPECT_EQ(table->size(), 2U);
    const base::Bytes key = table->find("ann");
    EXPECT_EQ(std::vector<std::uint8_t>(key.begin(), key.end()),
              (std::vector<std::uint8_t>{0x00, 0xFF}));
    EXPECT_EQ(table->find("b c").size(), 1U);
    EXPECT_TRUE(table->find("Ann").empty());
}

TEST(PskTable, WhatIsRefused) {
    struct Row {
        std::string sentence, text, want;
    };
    const std::vector<Row> rows = {
        {"no colon", "ann\n", "psk_file f:1: there is no colon behind the identity."},
        {"no identity", "a:00\n:00\n", "psk_file f:2: an identity has 1 to 256 bytes."},
        {"no key", "ann:\n", "psk_file f:1: a key has 1 to 256 bytes."},
        {"half a byte", "ann:012\n", "psk_file f:1: the key is not hexadecimal."},
        {"other digits", "ann:0g\n", "psk_file f:1: the key is not hexadecimal."},
        {"twice", "ann:00\nann:01", "psk_file f:2: identity 'ann' is here twice."},
        {"too long", "ann:" + std::string(514, '0'), "psk_file f:1: a key has 1 to 256 bytes."},
        {"a long name", std::string(257, 'a') + ":00",
         "psk_file f:1: an identity has 1 to 256 bytes."},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        const auto table = PskTable::parse(row.text, "f");
        ASSERT_FALSE(table);
        EXPECT_EQ(table.error(), row.want);
    }
}

}  // namespace
}  // namespace net
