#include "server/realms.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace server {
namespace {

config::Security with_users(const std::string& file) {
    config::Security security;
    security.password_file = file;
    return security;
}

// A listener's file of users, and its realm before.
using Listeners = std::vector<std::pair<std::string, std::uint32_t>>;

Realms renumber(const Realms& before, const Listeners& listeners, bool share) {
    std::vector<config::Security> security;
    for (const auto& [file, realm] : listeners) security.push_back(with_users(file));
    std::vector<RealmWanted> wanted;
    for (std::size_t i = 0; i < listeners.size(); ++i) {
        wanted.push_back({&security[i], listeners[i].second});
    }
    return renumbered(before, wanted, share);
}

// "a b-": the files of the realms in their order; "-" is behind those without listeners.
std::string text_of(const Realms& realms) {
    std::string text;
    for (const Realms::Realm& realm : realms.all) {
        if (!text.empty()) text += ' ';
        text += realm.security.password_file + (realm.in_use ? "" : "-");
    }
    return text;
}

TEST(Realms, keep_their_numbers_whatever_a_reload_brings) {
    struct Row {
        const char* sentence;
        Listeners before;
        Listeners after;
        bool share;
        std::vector<std::uint32_t> numbers;
        std::string realms;
    };
    const Row rows[] = {
        {"shared by all", {}, {{"a", 0}, {"a", 0}}, true, {1, 1}, "a"},
        {"each its own", {}, {{"a", 0}, {"a", 0}}, false, {1, 2}, "a a"},
        {"all change", {{"a", 0}, {"a", 0}}, {{"b", 1}, {"b", 1}}, true, {1, 1}, "b"},
        {"one changes", {{"a", 0}, {"b", 0}}, {{"c", 1}, {"b", 2}}, false, {1, 2}, "c b"},
        {"two swap", {{"a", 0}, {"b", 0}}, {{"b", 1}, {"a", 2}}, false, {1, 2}, "b a"},
        {"one goes", {{"a", 0}, {"b", 0}}, {{"b", 2}}, false, {2}, "a- b"},
        {"one comes first", {{"a", 0}}, {{"a", 0}, {"a", 1}}, true, {1, 1}, "a"},
        {"no number is used again", {{"a", 0}}, {{"a", 0}}, false, {2}, "a- a"},
        {"they part", {{"a", 0}, {"a", 0}}, {{"a", 1}, {"b", 1}}, false, {1, 2}, "a b"},
        {"they meet", {{"a", 0}, {"b", 0}}, {{"c", 1}, {"c", 2}}, true, {1, 2}, "c c"},
    };
    for (const Row& row : rows) {
        const bool shared_before = row.before.size() == 2 && row.before[0] == row.before[1];
        const Realms realms =
            renumber(renumber({}, row.before, shared_before), row.after, row.share);
        EXPECT_EQ(row.numbers, realms.of_listener) << row.sentence;
        EXPECT_EQ(row.realms, text_of(realms)) << row.sentence;
    }
}

}  // namespace
}  // namespace server
