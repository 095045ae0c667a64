#include "auth/acl_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "auth/access_file.h"
#include "mqtt/topic.h"

namespace auth {
namespace {

constexpr std::string_view blanks = " \t";

struct AccessWord {
    std::string_view word;
    AclRule::Access access;
};
constexpr auto access_words = std::to_array<AccessWord>({
    {"deny", AclRule::deny},
    {"read", AclRule::read},
    {"readwrite", AclRule::readwrite},
    {"write", AclRule::write},
});

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = std::min(text.find_first_not_of(blanks), text.size());
    text.remove_prefix(begin);
    const std::size_t end = text.find_last_not_of(blanks);
    return text.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

// Takes the first word and the blanks behind it off.
std::string_view take_word(std::string_view& text) {
    const std::string_view word = text.substr(0, text.find_first_of(blanks));
    text.remove_prefix(word.size());
    text = trimmed(text);
    return word;
}

std::optional<AclRule::Access> access_named(std::string_view word) {
    const auto* const found = std::ranges::find(access_words, word, &AccessWord::word);
    if (found == access_words.end()) return std::nullopt;
    return found->access;
}

void add(std::vector<AclRule>& rules, AclRule rule) {
    const bool denies = rule.access == AclRule::deny;
    const auto first_other = std::ranges::find_if(
        rules, [](const AclRule& each) { return each.access != AclRule::deny; });
    rules.insert(denies ? first_other : rules.end(), std::move(rule));
}

// The pattern with the names in it.
std::string expanded(std::string_view pattern, std::string_view client_id, std::string_view user) {
    std::string filter;
    while (!pattern.empty()) {
        const std::string_view place = pattern.substr(0, 2);
        const bool is_name = place == "%c" || place == "%u";
        if (is_name) {
            filter += place == "%c" ? client_id : user;
        } else {
            filter += pattern[0];
        }
        pattern.remove_prefix(is_name ? 2 : 1);
    }
    return filter;
}

// The first rule that decides: one that denies, or one that allows this.
const AclRule* deciding(const std::vector<AclRule>& rules, AclRule::Access wanted,
                        std::string_view topic) {
    for (const AclRule& rule : rules) {
        const bool speaks = rule.access == AclRule::deny || (rule.access & wanted) != 0;
        if (speaks && mqtt::matches(rule.filter, topic)) return &rule;
    }
    return nullptr;
}

const AclRule* deciding(const AclRules& rules, AclRule::Access wanted, std::string_view topic) {
    const AclRule* const by_wildcard = deciding(rules.wildcards, wanted, topic);
    if (by_wildcard && by_wildcard->access == AclRule::deny) return by_wildcard;
    const auto exact = rules.exact.find(topic);
    const AclRule* const by_topic =
        exact == rules.exact.end() ? nullptr : deciding(exact->second, wanted, topic);
    return by_topic ? by_topic : by_wildcard;
}

}  // namespace

class AclParser {
public:
    explicit AclParser(AclTable& table) : table_(table) {}

    // Empty, or what is wrong with the line.
    std::string take(std::string_view line, std::size_t number) {
        line = trimmed(line);
        const std::string_view keyword = take_word(line);
        if (keyword == "user") return take_user(line);
        if (keyword == "topic") return take_rule(line, number, false);
        if (keyword == "pattern") return take_rule(line, number, true);
        return fmt::format("'{}' is none of topic, user and pattern", keyword);
    }

private:
    std::string take_user(std::string_view name) {
        if (name.empty()) return "there is no user name";
        user_ = name;
        return {};
    }

    std::string take_rule(std::string_view rest, std::size_t number, bool is_pattern) {
        AclRule rule{AclRule::readwrite, number, std::string(rest)};
        const std::string_view first = take_word(rest);
        const auto access = access_named(first);
        if (access) {
            rule.access = *access;
            rule.filter = rest;
        } else if (!rest.empty()) {
            return fmt::format("'{}' is none of read, write, readwrite and deny", first);
        }
        if (rule.filter.empty()) return "there is no topic";
        if (!mqtt::is_valid_topic_filter(rule.filter)) {
            return fmt::format("'{}' is no topic filter", rule.filter);
        }
        put(std::move(rule), is_pattern);
        return {};
    }

    void put(AclRule rule, bool is_pattern) {
        if (is_pattern) return add(table_.patterns_, std::move(rule));
        AclRules& rules = table_.users_[user_];
        if (mqtt::has_wildcard(rule.filter)) return add(rules.wildcards, std::move(rule));
        std::vector<AclRule>& same = rules.exact[rule.filter];
        add(same, std::move(rule));
    }

    AclTable& table_;
    std::string user_;  // Empty: clients without a name.
};

base::Result<AclTableRef, std::string> AclTable::parse(std::string_view text,
                                                       std::string_view file) {
    auto table = std::make_unique<AclTable>();
    table->file_ = file;
    AclParser parser(*table);
    std::string error;
    std::size_t number = 0;
    for_each_line(text, [&](std::string_view line, std::string_view) {
        ++number;
        if (!error.empty() || !is_record(line) || trimmed(line).empty()) return;
        if (const std::string why = parser.take(line, number); !why.empty()) {
            error = fmt::format("{}:{}: Error: {}.", file, number, why);
        }
    });
    if (!error.empty()) return base::fail(std::move(error));
    return AclTableRef::adopt(table.release());
}

const AclRules* AclTable::rules_of(std::string_view user) const {
    const auto found = users_.find(user);
    return found == users_.end() ? nullptr : &found->second;
}

// "/" in a name is harmless in "dev/%c/state": only this client has that topic. But under
// "dev/%c/#" the client "a/b" would be within what "a" has, and "%u/%c" cannot tell the user "a"
// with the client "b/c" from the user "a/b" with the client "c".
bool may_widen(std::string_view pattern, std::string_view client_id, std::string_view user) {
    const bool has_client = pattern.find("%c") != std::string_view::npos;
    const bool has_user = pattern.find("%u") != std::string_view::npos;
    const bool tells_apart =
        pattern.find('#') == std::string_view::npos && !(has_client && has_user);
    const auto has_levels = [](std::string_view name) {
        return name.find('/') != std::string_view::npos;
    };
    // What begins with "$" is the broker's, whoever calls himself so.
    const std::string_view first = pattern.substr(0, 2) == "%c"   ? client_id
                                   : pattern.substr(0, 2) == "%u" ? user
                                                                  : std::string_view();
    return first.starts_with('$') || (!tells_apart && has_client && has_levels(client_id)) ||
           (!tells_apart && has_user && has_levels(user));
}

AclRights::AclRights(AclTableRef table, std::string_view client_id, std::string_view user)
    : table_(std::move(table)), own_(table_->rules_of(user)) {
    const bool is_text = client_id.find_first_of("+#") == std::string_view::npos &&
                         user.find_first_of("+#") == std::string_view::npos;
    if (!is_text) return;
    for (const AclRule& pattern : table_->patterns()) {
        if (user.empty() && pattern.filter.find("%u") != std::string::npos) continue;
        const bool denies = pattern.access == AclRule::deny;
        if (!denies && may_widen(pattern.filter, client_id, user)) continue;
        patterns_.push_back(
            {pattern.access, pattern.line, expanded(pattern.filter, client_id, user)});
    }
}

AclRights::Verdict AclRights::judge(broker::Access access, std::string_view topic) const {
    if (access == broker::Access::subscribe) return {true, nullptr};
    const auto wanted = access == broker::Access::publish ? AclRule::write : AclRule::read;
    const AclRule* rule = own_ ? deciding(*own_, wanted, topic) : nullptr;
    if (!rule) rule = deciding(patterns_, wanted, topic);
    return {rule && rule->access != AclRule::deny, rule};
}

const AclRule* AclTable::pattern_of(const AclRule& rule) const {
    const auto found = std::ranges::find(patterns_, rule.line, &AclRule::line);
    return found == patterns_.end() ? nullptr : &*found;
}

std::string AclTable::text_of(const AclRule& rule) const {
    const AclRule* const pattern = pattern_of(rule);
    const auto* const found = std::ranges::find(access_words, rule.access, &AccessWord::access);
    return fmt::format("{} {} {}", pattern ? "pattern" : "topic", found->word,
                       pattern ? pattern->filter : rule.filter);
}

}  // namespace auth
