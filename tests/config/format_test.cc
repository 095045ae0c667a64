// The rules of the file format, one row each.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "config/memory_files.h"

namespace config {
namespace {

struct Accepted {
    const char* sentence;
    std::string text;
    std::function<bool(const Config&)> holds;
};

TEST(Format, AcceptedLines) {
    const std::vector<Accepted> rows = {
        {"an empty file is the default", "", [](const Config& c) { return c.local_only; }},
        {"a comment begins in the first column", "# sys_interval 1\nsys_interval 2\n",
         [](const Config& c) { return c.sys_interval_s == 2; }},
        {"empty lines and lines of spaces say nothing", "\n   \n\r\nsys_interval 3",
         [](const Config& c) { return c.sys_interval_s == 3; }},
        {"the last line needs no line end", "sys_interval 4",
         [](const Config& c) { return c.sys_interval_s == 4; }},
        {"spaces before the key do not count", "  sys_interval 5\n",
         [](const Config& c) { return c.sys_interval_s == 5; }},
        {"several spaces may separate key and value", "sys_interval    6   \n",
         [](const Config& c) { return c.sys_interval_s == 6; }},
        {"CRLF ends a line", "sys_interval 7\r\npid_file /x y\r\n",
         [](const Config& c) { return c.sys_interval_s == 7 && c.pid_file == "/x y"; }},
        {"a UTF-8 byte order mark is skipped", "\xEF\xBB\xBFsys_interval 8\n",
         [](const Config& c) { return c.sys_interval_s == 8; }},
        {"a string is the rest of the line without the blanks around it",
         "pid_file \t /a b/c # d \t \n",
         [](const Config& c) { return c.pid_file == "/a b/c # d"; }},
        {"a string may be any UTF-8", "pid_file /\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\n",
         [](const Config& c) { return c.pid_file.size() == 10; }},
        {"true and 1 are true",
         "retain_available false\nset_tcp_nodelay true\n"
         "queue_qos0_messages 1\n",
         [](const Config& c) {
             return c.set_tcp_nodelay && c.queue_qos0_messages && !c.retain_available;
         }},
        {"0 is false", "retain_available 0\n", [](const Config& c) { return !c.retain_available; }},
        {"a number may be hexadecimal", "sys_interval 0x10\n",
         [](const Config& c) { return c.sys_interval_s == 16; }},
        {"a number may be octal", "sys_interval 010\n",
         [](const Config& c) { return c.sys_interval_s == 8; }},
        {"text after the words needed is ignored", "sys_interval 9 seconds\nset_tcp_nodelay 1 x\n",
         [](const Config& c) { return c.sys_interval_s == 9 && c.set_tcp_nodelay; }},
        {"a number given twice is the last one", "sys_interval 1\nsys_interval 2\n",
         [](const Config& c) { return c.sys_interval_s == 2; }},
        {"a comment may follow a listener's port", "listener 1884 # for sensors\n",
         [](const Config& c) {
             return c.listeners.at(0).port == 1884 && c.listeners.at(0).host.empty();
         }},
        {"and a listener's address", "listener 1884 ::1 # for sensors\n",
         [](const Config& c) { return c.listeners.at(0).host == "::1"; }},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.sentence);
        const auto config = parse_text(row.text);
        ASSERT_TRUE(config) << to_string(config.error());
        EXPECT_TRUE(row.holds(*config));
    }
}

struct Refused {
    const char* sentence;
    std::string text;
    std::string want;
};

TEST(Format, RefusedLines) {
    const std::vector<Refused> rows = {
        {"an unknown option, with its line", "\n# comment\npasword_file x\n",
         "main.conf:3: Error: Unknown configuration variable 'pasword_file'."},
        {"a comment after a space", " # x\n",
         "main.conf:1: Error: Unknown configuration variable '#'."},
        {"a tab is no space", "sys_interval\t1\n",
         "main.conf:1: Error: Unknown configuration variable 'sys_interval\t1'."},
        {"an option of another case", "Sys_interval 1\n",
         "main.conf:1: Error: Unknown configuration variable 'Sys_interval'."},
        {"an option of the future", "immortality disk\n",
         "main.conf:1: Error: Unknown configuration variable 'immortality'."},
        {"no value for a number", "sys_interval \n",
         "main.conf:1: Error: Empty 'sys_interval' value in configuration."},
        {"no value for a truth", "set_tcp_nodelay\n",
         "main.conf:1: Error: Empty 'set_tcp_nodelay' value in configuration."},
        {"blanks for a string", "pid_file  \t \n",
         "main.conf:1: Error: Empty 'pid_file' value in configuration."},
        {"no word for a choice", "log_type\n",
         "main.conf:1: Error: Empty 'log_type' value in configuration."},
        {"a truth of other words", "set_tcp_nodelay yes\n",
         "main.conf:1: Error: Invalid 'set_tcp_nodelay' value (yes)."},
        {"a truth in capitals", "set_tcp_nodelay TRUE\n",
         "main.conf:1: Error: Invalid 'set_tcp_nodelay' value (TRUE)."},
        {"letters behind a number", "sys_interval 10s\n",
         "main.conf:1: Error: 'sys_interval' value not a number."},
        {"a word for a number", "sys_interval ten\n",
         "main.conf:1: Error: 'sys_interval' value not a number."},
        {"a number beyond 64 bits", "sys_interval 99999999999999999999\n",
         "main.conf:1: Error: 'sys_interval' value out of range."},
        {"a string given twice", "pid_file a\npid_file b\n",
         "main.conf:2: Error: Duplicate 'pid_file' value in configuration."},
        {"ill-formed UTF-8: a byte that cannot begin", "pid_file \xFF\n",
         "main.conf:1: Error: Malformed UTF-8 in configuration."},
        {"ill-formed UTF-8: an overlong form", "pid_file \xC0\xAF\n",
         "main.conf:1: Error: Malformed UTF-8 in configuration."},
        {"ill-formed UTF-8: a surrogate", "pid_file \xED\xA0\x80\n",
         "main.conf:1: Error: Malformed UTF-8 in configuration."},
        {"ill-formed UTF-8: cut short", "pid_file \xF0\x9F\x98\n",
         "main.conf:1: Error: Malformed UTF-8 in configuration."},
        {"a NUL byte", std::string("pid_file a\0b\n", 13),
         "main.conf:1: Error: NUL byte in configuration."},
        {"a string of more than 65,535 bytes", "pid_file " + std::string(65'536, 'x') + "\n",
         "main.conf:1: Error: 'pid_file' value longer than 65535 bytes."},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.sentence);
        EXPECT_EQ(error_of(row.text), row.want);
    }
}

TEST(Format, AStringOf65535BytesIsAccepted) {
    const auto config = parse_text("pid_file " + std::string(65'535, 'x') + "\n");
    ASSERT_TRUE(config);
    EXPECT_EQ(config->pid_file.size(), 65'535U);
}

TEST(Format, AMissingFileIsAnErrorWithoutALine) {
    const auto config = parse({.file = "absent.conf"}, memory_files({}));
    ASSERT_FALSE(config);
    EXPECT_EQ(to_string(config.error()),
              "absent.conf: Error: Unable to open config file 'absent.conf': No such file or "
              "directory.");
}

}  // namespace
}  // namespace config
