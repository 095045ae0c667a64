// What one client may do, by the rows that a database or a service has about it, or its token: made
// once, asked for each message.
//
// A rule that forbids wins over all that allow, so that the order of the rows does not matter. What
// no rule allows is forbidden. Names with '/', '+' or '#', or with '$' where a topic begins, never
// widen a rule that has %u or %c in it: such a rule allows nothing then.
//
// Immutable once made. Limits: rules_max rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "broker/authenticator.h"

namespace auth {

// One row, as the database has it. A column that is not there, or NULL, says nothing.
struct RuleRow {
    std::string topic{};  // A filter, maybe with %u and %c, or ${username} and ${clientid}.
    std::optional<std::string> permission{};  // allow, deny; nothing: allow.
    std::optional<std::string> action{};      // publish, subscribe, all; or 1 to 7 as below.
    std::optional<std::string> user_name{};
    std::optional<std::string> client_id{};
    std::optional<std::string> ip_address{};  // Or a network: 10.0.0.0/8.
    std::optional<std::string> qos{};
    std::optional<std::string> retain{};
};

// Whom the rows are about.
struct RuleSubject {
    std::string_view user_name{};
    std::string_view client_id{};
    std::string_view peer_host{};
};

// What a rule is about, as bits: those of the other programs, but for 3, their "read and write".
inline constexpr std::uint8_t rule_receive = 1;
inline constexpr std::uint8_t rule_publish = 2;
inline constexpr std::uint8_t rule_subscribe = 4;
inline constexpr std::uint8_t rule_all = rule_receive | rule_publish | rule_subscribe;

class TopicRules {
public:
    static constexpr std::size_t rules_max = 10'000;

    TopicRules() = default;
    // May do everything: a superuser, or where no query of rules is configured.
    static TopicRules everything();

    // A row that is not about the subject adds nothing. `access` is what it is about if it does
    // not say. Fails with a sentence if the row is not understood: then it allows nothing, and
    // forbids what it may have been meant to; the others still hold.
    base::Result<void, std::string> add(const RuleRow& row, const RuleSubject& subject,
                                        std::uint8_t access = rule_all);

    bool allows(broker::Access access, std::string_view topic) const;
    // Whether a row says no; else, what is not allowed no row speaks of.
    bool forbids(broker::Access access, std::string_view topic) const;
    // The rule that decides, for people.
    std::string explain(broker::Access access, std::string_view topic) const;
    std::size_t size() const { return rules_.size(); }
    bool operator==(const TopicRules&) const = default;

private:
    struct Rule {
        std::string filter{};
        std::uint8_t access = 0;
        bool forbids = false;
        bool is_literal = false;  // "eq a/#": that very filter.
        bool operator==(const Rule&) const = default;
    };
    static Rule read_terms(const RuleRow& row, std::uint8_t access, std::string& trouble);
    const Rule* find(broker::Access access, std::string_view topic) const;

    bool allows_everything_ = false;
    std::vector<Rule> rules_;  // Those that forbid come first.
};

// True if every topic that `filter` matches is matched by `rule`.
bool covers(std::string_view rule, std::string_view filter);
// True if the address is the other one, or in the network: "10.0.0.0/8", "fd00::/8".
bool is_in_network(std::string_view address, std::string_view network);

}  // namespace auth
