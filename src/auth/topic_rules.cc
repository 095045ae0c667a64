#include "auth/topic_rules.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "mqtt/topic.h"

namespace auth {
namespace {

using broker::Access;

std::uint8_t bit_of(Access access) {
    switch (access) {
        case Access::publish:
            return rule_publish;
        case Access::subscribe:
            return rule_subscribe;
        case Access::receive:
            return rule_receive;
    }
    return 0;
}

std::string_view first_level(std::string_view topic) {
    return topic.substr(0, topic.find('/'));
}

std::string lowered(std::string_view text) {
    std::string low(text);
    for (char& c : low) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return low;
}

std::optional<std::uint8_t> read_action(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, std::uint8_t>, 13> actions{{
        {"publish", rule_publish},
        {"write", rule_publish},
        {"subscribe", rule_subscribe | rule_receive},
        {"read", rule_subscribe | rule_receive},
        {"all", rule_all},
        {"readwrite", rule_all},
        {"1", rule_receive},
        {"2", rule_publish},
        {"3", rule_receive | rule_publish},
        {"4", rule_subscribe},
        {"5", rule_receive | rule_subscribe},
        {"6", rule_publish | rule_subscribe},
        {"7", rule_all},
    }};
    const std::string word = lowered(text);
    const auto* found = std::find_if(actions.begin(), actions.end(),
                                     [&](const auto& each) { return each.first == word; });
    if (found == actions.end()) return std::nullopt;
    return found->second;
}

// The filter of a row with names in it, and whether one of them could make it another filter.
std::string fill_in(std::string_view pattern, const RuleSubject& subject, bool& has_odd_name) {
    const std::array<std::pair<std::string_view, std::string_view>, 4> places{{
        {"%u", subject.user_name},
        {"%c", subject.client_id},
        {"${username}", subject.user_name},
        {"${clientid}", subject.client_id},
    }};
    std::string filter;
    while (!pattern.empty()) {
        const auto* place = std::find_if(places.begin(), places.end(), [&](const auto& each) {
            return pattern.starts_with(each.first);
        });
        if (place == places.end()) {
            filter += pattern.front();
            pattern.remove_prefix(1);
            continue;
        }
        // What begins with "$" is the broker's, whoever calls himself so.
        const bool is_odd = place->second.empty() ||
                            place->second.find_first_of("/+#") != std::string_view::npos ||
                            (filter.empty() && place->second.starts_with('$'));
        has_odd_name = has_odd_name || is_odd;
        filter += place->second;
        pattern.remove_prefix(place->first.size());
    }
    return filter;
}

struct IpAddress {
    std::array<std::uint8_t, 16> bytes{};
    unsigned bits = 0;  // 0: it is none.
};

IpAddress read_address(std::string_view text) {
    IpAddress address;
    std::string copy(text);
    if (inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) address.bits = 32;
    if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) address.bits = 128;
    return address;
}

// Empty and "*" stand for everybody.
bool is_about(const std::optional<std::string>& column, std::string_view name) {
    return !column || column->empty() || *column == "*" || *column == name;
}

bool is_about(const RuleRow& row, const RuleSubject& subject) {
    const bool is_here = !row.ip_address || row.ip_address->empty() || *row.ip_address == "*" ||
                         is_in_network(subject.peer_host, *row.ip_address);
    // A user name of "$all" is how other tables write everybody.
    const bool is_everybody = row.user_name && *row.user_name == "$all";
    return is_here && (is_everybody || is_about(row.user_name, subject.user_name)) &&
           is_about(row.client_id, subject.client_id);
}

bool says_something(const std::optional<std::string>& column) {
    return column && !column->empty();
}

}  // namespace

bool covers(std::string_view rule, std::string_view filter) {
    const bool begins_wild = rule.starts_with('#') || rule.starts_with('+');
    if (begins_wild && filter.starts_with('$')) return false;
    for (;;) {
        const std::string_view wanted = first_level(rule);
        const std::string_view level = first_level(filter);
        if (wanted == "#") return true;
        if (level == "#" || (wanted != "+" && wanted != level)) return false;
        const bool rule_ends = wanted.size() == rule.size();
        const bool filter_ends = level.size() == filter.size();
        if (rule_ends) return filter_ends;
        rule.remove_prefix(wanted.size() + 1);
        if (filter_ends) return rule == "#";
        filter.remove_prefix(level.size() + 1);
    }
}

bool is_in_network(std::string_view address, std::string_view network) {
    const std::size_t slash = network.find('/');
    const IpAddress there = read_address(network.substr(0, slash));
    const IpAddress here = read_address(address);
    if (here.bits == 0 || here.bits != there.bits) return false;
    unsigned bits = there.bits;
    if (slash != std::string_view::npos) {
        const std::string_view text = network.substr(slash + 1);
        const auto read = std::from_chars(text.data(), text.data() + text.size(), bits);
        if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return false;
    }
    if (bits > there.bits) return false;
    for (unsigned bit = 0; bit < bits; ++bit) {
        const unsigned mask = 0x80U >> (bit % 8);
        if (((here.bytes[bit / 8] ^ there.bytes[bit / 8]) & mask) != 0) return false;
    }
    return true;
}

TopicRules TopicRules::everything() {
    TopicRules rules;
    rules.allows_everything_ = true;
    return rules;
}

base::Result<void, std::string> TopicRules::add(const RuleRow& row, const RuleSubject& subject,
                                                std::uint8_t access) {
    if (!is_about(row, subject)) return {};
    constexpr std::string_view literal = "eq ";
    std::string trouble;
    Rule rule = read_terms(row, access, trouble);
    rule.is_literal = row.topic.starts_with(literal);
    bool has_odd_name = false;
    rule.filter = fill_in(std::string_view(row.topic).substr(rule.is_literal ? literal.size() : 0),
                          subject, has_odd_name);
    if (!has_odd_name && !mqtt::is_valid_topic_filter(rule.filter)) {
        return base::fail(fmt::format("'{}' is no topic filter", rule.filter));
    }
    const bool holds = rule.forbids || (!has_odd_name && trouble.empty());
    if (holds && rules_.size() == rules_max) {
        return base::fail(fmt::format("more than {} rows", rules_max));
    }
    if (holds) rules_.insert(rule.forbids ? rules_.begin() : rules_.end(), std::move(rule));
    if (!trouble.empty()) return base::fail(std::move(trouble));
    return {};
}

// Where it is not clear what a row means, it means less: what may be a ban is one.
TopicRules::Rule TopicRules::read_terms(const RuleRow& row, std::uint8_t access,
                                        std::string& trouble) {
    const std::string permission = lowered(row.permission.value_or("allow"));
    Rule rule{.access = access, .forbids = permission != "allow"};
    if (rule.forbids && permission != "deny") {
        trouble = fmt::format("permission '{}' is neither allow nor deny", permission);
    }
    if (row.action) {
        const auto action = read_action(*row.action);
        rule.access = action.value_or(rule_all);
        if (!action) {
            trouble = fmt::format("action '{}' is none of publish, subscribe and all", *row.action);
        }
    }
    if (!rule.forbids && (says_something(row.qos) || says_something(row.retain))) {
        trouble = "it allows some QoS or retain only, which is not supported";
    }
    return rule;
}

const TopicRules::Rule* TopicRules::find(Access access, std::string_view topic) const {
    const std::uint8_t bit = bit_of(access);
    const auto found = std::find_if(rules_.begin(), rules_.end(), [&](const Rule& rule) {
        if ((rule.access & bit) == 0) return false;
        if (rule.is_literal) return rule.filter == topic;
        return access == Access::subscribe ? covers(rule.filter, topic)
                                           : mqtt::matches(rule.filter, topic);
    });
    return found == rules_.end() ? nullptr : &*found;
}

bool TopicRules::allows(Access access, std::string_view topic) const {
    if (allows_everything_) return true;
    const Rule* const rule = find(access, topic);
    return rule != nullptr && !rule->forbids;
}

bool TopicRules::forbids(Access access, std::string_view topic) const {
    const Rule* const rule = allows_everything_ ? nullptr : find(access, topic);
    return rule != nullptr && rule->forbids;
}

std::string TopicRules::explain(Access access, std::string_view topic) const {
    if (allows_everything_) return "everything is allowed";
    const Rule* const rule = find(access, topic);
    if (rule == nullptr) return fmt::format("none of {} rows", rules_.size());
    return fmt::format("{} {}{}", rule->forbids ? "deny" : "allow", rule->is_literal ? "eq " : "",
                       rule->filter);
}

}  // namespace auth
