// Where log lines go, and how they look.
#include "server/logger.h"

#include <fnmatch.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

namespace server {
namespace {

using base::LogType;

class LoggerTest : public testing::Test {
protected:
    LoggerTest() {
        directory_ = std::filesystem::path(testing::TempDir()) /
                     fmt::format("logger-{}", testing::UnitTest::GetInstance()->random_seed());
        directory_ /= testing::UnitTest::GetInstance()->current_test_info()->name();
        std::filesystem::create_directories(directory_);
        settings_.to_stderr = false;
        settings_.timestamp = false;
        settings_.file = path("log");
    }
    ~LoggerTest() override { std::filesystem::remove_all(directory_); }

    std::string path(const std::string& name) const { return directory_ / name; }
    static std::string content(const std::string& file) {
        std::stringstream text;
        text << std::ifstream(file).rdbuf();
        return text.str();
    }

    std::filesystem::path directory_;
    config::Logging settings_;
    std::string error_;
    Logger log_;
};

TEST_F(LoggerTest, only_the_types_of_log_type_are_enabled) {
    settings_.types = static_cast<std::uint32_t>(LogType::error);
    ASSERT_TRUE(log_.configure(settings_, error_));
    EXPECT_TRUE(log_.enabled(LogType::error));
    EXPECT_FALSE(log_.enabled(LogType::notice));
    log_.print(LogType::notice, "not this");
    log_.print(LogType::error, "this: {}", 1);
    EXPECT_EQ("this: 1\n", content(path("log")));
}

// Client ids may have them, and would write lines of their own.
TEST_F(LoggerTest, what_would_end_a_line_or_move_a_cursor_is_written_in_numbers) {
    std::string published;
    log_.set_publisher([&](LogType, std::string line) { published = std::move(line); });
    settings_.to_topic = true;
    ASSERT_TRUE(log_.configure(settings_, error_));
    const std::string_view name("a\n1700000000: \x1B[2J\t\x7F\0\xC3\xA9", 23);
    log_.print(LogType::notice, "client {}", name);
    const std::string want = "client a\\x0A1700000000: \\x1B[2J\\x09\\x7F\\x00\xC3\xA9";
    EXPECT_EQ(want + "\n", content(path("log")));
    EXPECT_EQ(want, published);
}

TEST_F(LoggerTest, the_stamp_is_seconds_or_as_log_timestamp_format_says) {
    struct Row {
        const char* sentence = "";
        const char* format = "";
        const char* want = "";
    };
    const std::vector<Row> rows = {
        {"seconds since 1970", "", "[1-9][0-9]*[0-9]: line\n"},
        {"a date", "%Y-%m-%d", "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]: line\n"},
    };
    settings_.timestamp = true;
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        settings_.timestamp_format = row.format;
        settings_.file = path(std::string("log ") + row.sentence);
        ASSERT_TRUE(log_.configure(settings_, error_));
        log_.write(LogType::notice, "line");
        EXPECT_EQ(0, fnmatch(row.want, content(settings_.file).c_str(), 0));
    }
}

TEST_F(LoggerTest, a_rotated_file_is_left_for_a_new_one) {
    ASSERT_TRUE(log_.configure(settings_, error_));
    log_.write(LogType::notice, "before");
    std::filesystem::rename(path("log"), path("log.1"));
    ASSERT_TRUE(log_.reopen(error_));
    log_.write(LogType::notice, "after");
    EXPECT_EQ("before\n", content(path("log.1")));
    EXPECT_EQ("after\n", content(path("log")));
}

TEST_F(LoggerTest, a_file_that_cannot_be_opened_is_said_and_stops_nothing) {
    settings_.file = path("no/such/folder/log");
    EXPECT_FALSE(log_.configure(settings_, error_));
    EXPECT_NE(std::string::npos, error_.find("no/such/folder/log"));
    log_.write(LogType::notice, "nowhere");
}

TEST_F(LoggerTest, lines_go_to_the_publisher_only_with_log_dest_topic) {
    std::vector<std::string> published;
    log_.set_publisher([&](LogType, const std::string& line) { published.push_back(line); });
    ASSERT_TRUE(log_.configure(settings_, error_));
    log_.write(LogType::notice, "file only");
    settings_.to_topic = true;
    ASSERT_TRUE(log_.configure(settings_, error_));
    log_.write(LogType::notice, "both");
    EXPECT_EQ(std::vector<std::string>{"both"}, published);
}

TEST_F(LoggerTest, lines_of_several_threads_do_not_mix) {
    constexpr int threads = 4;
    constexpr int lines = 500;
    ASSERT_TRUE(log_.configure(settings_, error_));
    std::vector<std::thread> writers;
    writers.reserve(threads);
    for (int t = 0; t < threads; ++t) {
        writers.emplace_back([&] {
            for (int i = 0; i < lines; ++i) log_.write(LogType::notice, "0123456789");
        });
    }
    for (std::thread& writer : writers) writer.join();
    std::ifstream file(path("log"));
    int count = 0;
    for (std::string line; std::getline(file, line); ++count) ASSERT_EQ("0123456789", line);
    EXPECT_EQ(threads * lines, count);
}

}  // namespace
}  // namespace server
