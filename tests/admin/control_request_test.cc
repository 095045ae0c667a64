#include "admin/control_request.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace admin {
namespace {

using Command = ControlRequest::Command;

// What came of it, in words.
std::string read(const std::string& line) {
    const auto request = parse_request(line);
    if (!request) return request.error();
    if (request->command == Command::reload) return "reload";
    if (request->command == Command::status) return "status";
    const Question& question = request->question;
    return std::to_string(static_cast<int>(question.access)) + " " + question.topic + " " +
           question.user.value_or("-") + " " + question.client_id + " " + question.address + " " +
           question.listener;
}

TEST(ControlRequest, is_read) {
    const std::string explain = R"({"command":"explain","action":)";
    struct Row {
        const char* sentence;
        std::string line;
        std::string want;
    };
    const std::vector<Row> rows{
        {"a reload", R"({"command": "reload"})", "reload"},
        {"a status", R"( {"command":"status"} )", "status"},
        {"what explain assumes", explain + R"("publish","topic":"a/b"})",
         "0 a/b - nightjar-ctl 127.0.0.1 "},
        {"all that it takes",
         explain + R"("receive","topic":"a","user":"ann","client":"c","address":"::1",)"
                   R"("listener":"1883"})",
         "2 a ann c ::1 1883"},
        {"a filter", explain + R"("subscribe","topic":"a/#"})", "1 a/# - nightjar-ctl 127.0.0.1 "},
        {"a shared one", explain + R"("subscribe","topic":"$share/g/a/#"})",
         "1 $share/g/a/# - nightjar-ctl 127.0.0.1 "},
        {"nothing", "", "a request is a JSON object on a line of its own"},
        {"half an object", R"({"command":)", "a request is a JSON object on a line of its own"},
        {"a list", R"(["reload"])", "a request is a JSON object on a line of its own"},
        {"two objects", R"({"command":"reload"}{})",
         "a request is a JSON object on a line of its own"},
        {"no UTF-8", "{\"command\":\"\xFF\"}", "a request is a JSON object on a line of its own"},
        {"no command", "{}", "a request has a string 'command'"},
        {"a number for one", R"({"command":1})", "a request has a string 'command'"},
        {"an unknown one", R"({"command":"stop"})", "'stop' is none of reload, status and explain"},
        {"a reload with more", R"({"command":"reload","now":true})", "reload takes nothing else"},
        {"no action", R"({"command":"explain","topic":"a"})", "explain wants 'action'"},
        {"no topic", explain + R"("publish"})", "explain wants 'topic'"},
        {"an unknown action", explain + R"("eat","topic":"a"})",
         "'eat' is none of publish, subscribe and receive"},
        {"an unknown key", explain + R"("publish","topic":"a","qos":"1"})",
         "explain knows nothing of 'qos'"},
        {"a user that is a number", explain + R"("publish","topic":"a","user":7})",
         "'user' is not a string"},
        {"a filter to publish", explain + R"("publish","topic":"a/#"})", "'a/#' is no topic name"},
        {"an empty topic", explain + R"("receive","topic":""})", "'' is no topic name"},
        {"a broken filter", explain + R"("subscribe","topic":"a#"})", "'a#' is no topic filter"},
        {"a NUL in a user", explain + R"("publish","topic":"a","user":"\u0000"})",
         "the user is no user name"},
        {"a NUL in a client id", explain + R"("publish","topic":"a","client":"\u0000"})",
         "the client is no client id"},
    };
    for (const Row& row : rows) EXPECT_EQ(read(row.line), row.want) << row.sentence;
}

TEST(ControlRequest, takes_deep_nesting_for_nonsense) {
    const std::string deep(line_bytes_max, '[');
    EXPECT_FALSE(parse_request(deep));
    EXPECT_FALSE(parse_request(R"({"command":)" + std::string(20'000, '[') +
                               std::string(20'000, ']') + "}"));
}

TEST(NextLine, is_cut_off) {
    using enum NextLine::Status;
    struct Row {
        const char* sentence;
        std::string bytes;
        NextLine::Status status;
        std::string line;
        std::size_t consumed;
    };
    const std::string full(line_bytes_max, 'x');
    const std::vector<Row> rows{
        {"nothing yet", "", partial, "", 0},
        {"a part", "{", partial, "", 0},
        {"one", "{}\n", whole, "{}", 3},
        {"an empty one", "\n", whole, "", 1},
        {"with the other end", "{}\r\n", whole, "{}", 4},
        {"two", "a\nb\n", whole, "a", 2},
        {"as long as it may be, without its end", full, partial, "", 0},
        {"as long as it may be", full + "\n", whole, full, line_bytes_max + 1},
        {"too long, without its end", full + "x", too_long, "", 0},
        {"too long", full + "x\n", too_long, "", 0},
    };
    for (const Row& row : rows) {
        const NextLine next = next_line(base::as_bytes(row.bytes));
        EXPECT_EQ(next.status, row.status) << row.sentence;
        EXPECT_EQ(next.line, row.line) << row.sentence;
        EXPECT_EQ(next.consumed, row.consumed) << row.sentence;
    }
}

}  // namespace
}  // namespace admin
