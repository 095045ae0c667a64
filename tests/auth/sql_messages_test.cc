// The SQL that messages become. What a server makes of it: tests/scenarios/sql_test.py.
#include "auth/sql_messages.h"

#include <gtest/gtest.h>

namespace auth {
namespace {

TEST(SqlMessages, are_one_insert_of_bound_values) {
    EXPECT_EQ(insert_text("t", 2),
              "INSERT INTO `t` (topic, payload, qos, retain, clientid, username, published_at) "
              "VALUES (:v1, UNHEX(:v2), :v3, :v4, :v5, NULLIF(:v6, ''), :v7), "
              "(:v8, UNHEX(:v9), :v10, :v11, :v12, NULLIF(:v13, ''), :v14)");
    EXPECT_TRUE(insert_text("d.t", 1).starts_with("INSERT INTO `d`.`t` ("));
}

TEST(SqlMessages, values_are_what_was_published) {
    using namespace std::string_literals;
    const std::string payload = "\0'\xff"s;
    const auto message =
        broker::Message::make({"a/'", base::as_bytes(payload), {}, mqtt::Qos::exactly_once, true});
    const std::vector<MessageRow> rows{
        {.message = message, .client_id = "c", .user_name = "u", .wall_ms = 1'795'629'600'007},
        {.message = broker::Message::make({"b", {}, {}}), .client_id = "d"}};
    EXPECT_EQ(
        insert_values(rows),
        (std::vector<std::string>{"a/'", "0027FF", "2", "1", "c", "u", "2026-11-25 18:00:00.007",
                                  "b", "", "0", "0", "d", "", "1970-01-01 00:00:00.000"}));
}

TEST(SqlMessages, times_are_in_utc) {
    EXPECT_EQ(date_text(951'782'399'999), "2000-02-28 23:59:59.999");
    EXPECT_EQ(date_text(951'782'400'000), "2000-02-29 00:00:00.000");
}

}  // namespace
}  // namespace auth
