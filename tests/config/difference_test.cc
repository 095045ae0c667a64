// What a reload would change.
#include "config/difference.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/memory_files.h"

namespace config {
namespace {

using Names = std::vector<std::string>;

struct Row {
    const char* sentence;
    std::string running;
    std::string wanted;
    Names reloadable;
    Names needs_restart;
};

TEST(Difference, NamesWhatChanged) {
    const std::string tls = "listener 1\ncertfile c\nkeyfile k\n";
    const std::string go_auth =
        "listener 1\nauth_plugin /x/go-auth.so\nauth_opt_backends sqlite\n"
        "auth_opt_sqlite_userquery SELECT pw FROM u WHERE name = ?\nauth_opt_sqlite_source ";
    const std::string bridge = "connection b\naddress h\ntopic #\n";
    const std::vector<Row> rows = {
        {"nothing", "listener 1\nsys_interval 10\n", "listener 1\n", {}, {}},
        {"a setting of the broker", "", "sys_interval 1\n", {"sys_interval"}, {}},
        {"one that only a start changes", "", "threads 2\n", {}, {"threads"}},
        {"several, in order",
         "",
         "user u\nmax_queued_messages 1\nlog_type all\n",
         {"log_type", "max_queued_messages"},
         {"user"}},
        {"a log destination", "log_dest stdout\n", "log_dest file f\n", {"log_dest"}, {}},
        {"where a line stands is no difference",
         "sys_interval 1\npid_file p\n",
         "\npid_file p\nsys_interval 1\n",
         {},
         {}},
        {"a setting of one listener",
         "listener 1\nlistener 2\n",
         "listener 2\nmax_connections 5\nlistener 1\n",
         {"max_connections (listener 2)"},
         {}},
        {"one of a listener that only a start changes",
         "listener 1\ncertfile c\nkeyfile k\n",
         "listener 1\ncertfile c\nkeyfile k\ntls_keyform pem\n",
         {},
         {"tls_keyform (listener 1)"}},
        {"who may be anonymous, however it is said",
         "listener 1 h\nallow_anonymous true\n",
         "listener 1 h\nlistener_allow_anonymous false\n",
         {"allow_anonymous (listener 1 h)"},
         {}},
        {"the same said in another way",
         "listener 1\nallow_anonymous true\n",
         "listener 1\nlistener_allow_anonymous true\n",
         {},
         {}},
        {"the prefix of ids",
         "listener 1\n",
         "listener 1\nlistener_auto_id_prefix x\n",
         {"auto_id_prefix (listener 1)"},
         {}},
        {"a password file",
         "listener 1\n",
         "listener 1\npassword_file p\n",
         {"password_file (listener 1)"},
         {}},
        {"a certificate",
         tls,
         "listener 1\ncertfile d\nkeyfile k\n",
         {"certfile (listener 1)"},
         {}},
        {"a new listener", "listener 1\n", "listener 1\nlistener 2\n", {"listener 2 is new"}, {}},
        {"one that is gone",
         "listener 1\nlistener 0 /s\n",
         "listener 1\n",
         {"listener 0 /s is gone"},
         {}},
        {"one that moved",
         "listener 1\n",
         "listener 1 h\n",
         {"listener 1 is gone", "listener 1 h is new"},
         {}},
        {"two at one port, one for each protocol",
         "listener 1\nsocket_domain ipv4\nlistener 1\nsocket_domain ipv6\n",
         "listener 1\nsocket_domain ipv4\nlistener 1\nsocket_domain ipv6\nmax_qos 1\n",
         {"max_qos (listener 1)"},
         {}},
        {"a new bridge", "", bridge, {"connection b"}, {}},
        {"one that is gone", bridge, "", {"connection b"}, {}},
        {"one that changed", bridge, bridge + "threshold 5\n", {"connection b"}, {}},
        {"a plugin", "plugin a\n", "plugin a\nplugin_opt_b c\n", {}, {"plugin"}},
        {"another database",
         "listener 1\nauth_sqlite_database a\n",
         "listener 1\nauth_sqlite_database b\n",
         {"auth_sqlite_* (listener 1)"},
         {}},
        {"a database of another kind",
         "listener 1\nauth_sqlite_database a\n",
         "listener 1\nauth_mysql_database a\n",
         {"auth_mysql_* (listener 1)", "auth_sqlite_* (listener 1)"},
         {}},
        {"a database, at another line",
         "listener 1\nauth_sqlite_database a\n",
         "\n\nlistener 1\nauth_sqlite_database a\n",
         {},
         {}},
        {"another database of a plugin that is built in",
         go_auth + "a\n",
         go_auth + "b\n",
         {"auth_sqlite_* (listener 1)"},
         {}},
        {"another service",
         "listener 1\nauth_http_url https://a/\n",
         "listener 1\nauth_http_url https://b/\n",
         {"auth_http_* (listener 1)"},
         {}},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        const auto running = parse_text(row.running);
        const auto wanted = parse_text(row.wanted);
        ASSERT_TRUE(running) << to_string(running.error());
        ASSERT_TRUE(wanted) << to_string(wanted.error());
        const Difference found = difference(*running, *wanted);
        EXPECT_EQ(found.reloadable, row.reloadable);
        EXPECT_EQ(found.needs_restart, row.needs_restart);
        EXPECT_EQ(found.empty(), row.reloadable.empty() && row.needs_restart.empty());
    }
}

}  // namespace
}  // namespace config
