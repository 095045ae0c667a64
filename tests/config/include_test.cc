// include_dir, and the files on a real disk.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "config/memory_files.h"

namespace config {
namespace {

TEST(IncludeDir, ReadsConfFilesInOrderOfTheAlphabetWhateverTheCase) {
    FileTexts files;
    int port = 1;
    for (const char* name : {"00", "01", "A", "Ab", "a", "ab", "B", "b"}) {
        files["d/" + std::string(name) + ".conf"] = "listener " + std::to_string(port++) + "\n";
    }
    files["d/b.txt"] = "nonsense\n";
    files["d/.conf"] = "nonsense\n";
    const auto config = parse_text("include_dir d\n", {}, files);
    ASSERT_TRUE(config) << to_string(config.error());
    std::vector<int> ports;
    for (const Listener& listener : config->listeners) ports.push_back(listener.port);
    EXPECT_EQ(ports, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(IncludeDir, SeveralRunInOrderAndTheFileGoesOnWhereItWas) {
    const auto config = parse_text(
        "listener 1\ninclude_dir e\ninclude_dir d\nmax_connections 7\n", {},
        {{"d/x.conf", "sys_interval 2\n"}, {"e/x.conf", "sys_interval 1\nlistener 2\n"}});
    ASSERT_TRUE(config) << to_string(config.error());
    EXPECT_EQ(config->sys_interval_s, 2);
    EXPECT_EQ(config->listeners.at(0).max_connections, 7);
    EXPECT_EQ(config->listeners.at(1).max_connections, -1);
}

TEST(IncludeDir, AnIncludedFileBeginsWithoutAListener) {
    const auto config =
        parse_text("listener 1\ninclude_dir d\n", {}, {{"d/x.conf", "\nmax_connections 7\n"}});
    ASSERT_TRUE(config);
    EXPECT_EQ(shown_warnings(*config).at(0),
              "d/x.conf:2: Warning: Creating default listener on port 1883 due to "
              "'max_connections' option. It is best to write a 'listener' line first.");
}

TEST(IncludeDir, ErrorsNameTheFileAndLine) {
    EXPECT_EQ(error_of("include_dir d\n", {{"d/x.conf", "\nnonsense\n"}}),
              "d/x.conf:2: Error: Unknown configuration variable 'nonsense'.");
    EXPECT_EQ(error_of("include_dir d\n", {{"d/x.conf", "include_dir d\n"}}),
              "d/x.conf:1: Error: The include_dir option is only valid in the main configuration "
              "file.");
    EXPECT_EQ(error_of("\ninclude_dir absent\n"),
              "main.conf:2: Error: Unable to open include_dir 'absent': No such file or "
              "directory.");
    EXPECT_EQ(error_of("include_dir\n"),
              "main.conf:1: Error: Empty 'include_dir' value in configuration.");
}

class OnDisk : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "nightjarXXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    std::string write(const std::string& name, const std::string& text) {
        const std::filesystem::path path = directory_ / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
        return path.string();
    }

    std::filesystem::path directory_;
};

TEST_F(OnDisk, ReadsAFileAndTheDirectoryItIncludes) {
    const std::string included = write("d/a.conf", "sys_interval 3\n");
    const std::string directory = std::filesystem::path(included).parent_path().string();
    const std::string path = write("main.conf", "include_dir " + directory + "\nlistener 1\n");
    const auto config = parse({.file = path});
    ASSERT_TRUE(config) << to_string(config.error());
    EXPECT_EQ(config->sys_interval_s, 3);
    EXPECT_FALSE(config->local_only);
}

TEST_F(OnDisk, SaysWhyAFileCannotBeRead) {
    const std::string missing = (directory_ / "missing.conf").string();
    EXPECT_EQ(parse({.file = missing}).error().message,
              "Error: Unable to open config file '" + missing + "': No such file or directory.");
    EXPECT_EQ(parse({.file = directory_.string()}).error().message,
              "Error: Unable to open config file '" + directory_.string() + "': is a directory.");
    const std::string path = write("main.conf", "include_dir " + missing + "\n");
    EXPECT_EQ(parse({.file = path}).error().message,
              "Error: Unable to open include_dir '" + missing + "': No such file or directory.");
}

TEST_F(OnDisk, AFileHasALimit) {
    const std::string full = write("full.conf", std::string(file_bytes_max, '\n'));
    EXPECT_TRUE(parse({.file = full}));
    const std::string more = write("more.conf", std::string(file_bytes_max + 1, '\n'));
    EXPECT_EQ(parse({.file = more}).error().message,
              "Error: Unable to open config file '" + more + "': is longer than 16777216 bytes.");
}

}  // namespace
}  // namespace config
