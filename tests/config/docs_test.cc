// The pages about the options say what the table in the code says.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "config/memory_files.h"
#include "config/options.h"

namespace config {
namespace {

std::vector<std::string> lines_of(const std::string& page) {
    std::ifstream file(std::string(NIGHTJAR_DOCS) + "/" + page);
    EXPECT_TRUE(file) << page;
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

// "| `name` | status | reload | remarks |" without the remarks.
std::string row_of(const Option& option) {
    const char* status = option.support == Support::honoured   ? "honoured"
                         : option.support == Support::accepted ? "accepted"
                                                               : "dropped";
    return "| `" + std::string(option.name) + "` | " + status + " | " +
           (option.reload == Reload::yes ? "reload" : "restart") + " |";
}

TEST(Docs, CompatibilityListsEachOptionAsItIs) {
    std::map<std::string, std::string> sections;  // By row, without the remarks.
    std::set<std::string> deprecated;
    std::string section;
    for (const std::string& line : lines_of("COMPATIBILITY.md")) {
        if (line.starts_with("## ")) section = line.substr(3);
        if (!line.starts_with("| `") || section.find("ptions") == std::string::npos) continue;
        std::size_t end = 0;
        for (int column = 0; column < 3; ++column) end = line.find('|', end + 1);
        const std::string row = line.substr(0, end + 1);
        EXPECT_TRUE(sections.emplace(row, section).second) << "twice: " << row;
        if (line.find("deprecated") != std::string::npos) deprecated.insert(row);
    }
    for (const Option& option : options()) {
        const std::string row = row_of(option);
        const auto found = sections.find(row);
        ASSERT_NE(found, sections.end()) << "missing or different: " << row;
        EXPECT_EQ(found->second == "Options of nightjar", option.own) << row;
        EXPECT_EQ(deprecated.contains(row), !option.deprecated.empty()) << row;
        sections.erase(found);
    }
    EXPECT_TRUE(sections.empty()) << "unknown: " << sections.begin()->first;
}

// The sample with every option taken out of its comment.
std::string uncommented(const std::vector<std::string>& lines, std::set<std::string>& names) {
    std::string text;
    for (const std::string& line : lines) {
        if (line.size() < 2 || line[0] != '#' || line[1] == ' ') continue;
        text += line.substr(1) + "\n";
        names.insert(line.substr(1, line.find(' ') - 1));
    }
    return text;
}

TEST(Docs, TheSampleIsTheDefaultAsItStands) {
    std::string text;
    for (const std::string& line : lines_of("nightjar.conf.sample")) text += line + "\n";
    const auto sample = parse_text(text);
    const auto none = parse_text("");
    ASSERT_TRUE(sample) << to_string(sample.error());
    EXPECT_EQ(*sample, *none);
}

// An option that stands for several is there if one of them is.
bool has_option(const std::set<std::string>& names, std::string_view option) {
    if (!option.ends_with('*')) return names.contains(std::string(option));
    const std::string_view stem = option.substr(0, option.size() - 1);
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return name.starts_with(stem); });
}

TEST(Docs, TheSampleHasEachHonouredOptionAndEachParses) {
    std::set<std::string> names;
    // Without persistence, which is the default, some options warn that they have no effect.
    const std::string text =
        uncommented(lines_of("nightjar.conf.sample"), names) + "persistence true\n";
    const auto config = parse_text(text, {}, {{"/etc/nightjar/conf.d/empty.conf", ""}});
    ASSERT_TRUE(config) << to_string(config.error());
    EXPECT_EQ(shown_warnings(*config), std::vector<std::string>{});
    for (const Option& option : options()) {
        const bool wanted = option.support == Support::honoured && option.deprecated.empty() &&
                            option.name != "maximum_qos";
        // There is one database; the others have the same options.
        if (option.name == "auth_postgresql_*" || option.name == "auth_sqlite_*") continue;
        EXPECT_EQ(has_option(names, option.name), wanted) << option.name;
    }
}

TEST(Docs, TheManPageHasEachHonouredOption) {
    std::set<std::string> names;
    for (const std::string& line : lines_of("man/nightjar.conf.5")) {
        std::istringstream words(line);
        std::string macro, kind, name;
        words >> macro >> kind >> name;
        if (macro == ".It" && kind == "Ic") names.insert(name);
    }
    for (const Option& option : options()) {
        EXPECT_EQ(has_option(names, option.name), option.support == Support::honoured)
            << option.name;
    }
}

}  // namespace
}  // namespace config
