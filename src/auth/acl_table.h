// Who may read and write which topics, as an acl_file says it:
//
//     topic [read|write|readwrite|deny] FILTER      before any user: for clients without a name
//     user NAME                                     of whom the next topic lines speak
//     pattern [read|write|readwrite|deny] FILTER    for everybody; %c is the client id, %u the user
//
// A client's own lines are asked before the patterns, and of each, those that deny before the
// others. What no line allows is denied. SUBSCRIBE is always allowed, as it is by Mosquitto: what
// may be read is judged message by message.
//
// Names are text, whatever they have in: a client with "+" or "#" in a name gets nothing from any
// pattern, as it is by Mosquitto, and one with "/" nothing from those that it could reach into what
// is another's with (see may_widen()). Patterns that deny count for it all the same.
//
// Immutable once read, shared by the shards by reference count. Limits: access_file_bytes_max, and
// each line must be right. Cost of a question: one look-up, and a comparison for each line of the
// client with a wildcard or a pattern.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "base/ref_counted.h"
#include "base/result.h"
#include "broker/authenticator.h"

namespace auth {

struct AclRule {
    enum Access : std::uint8_t { deny = 0, read = 1, write = 2, readwrite = 3 };

    Access access = deny;
    std::size_t line = 0;
    std::string filter;
};

class AclTable;
using AclTableRef = base::Ref<AclTable>;

// The rules of one client, with its names in the patterns.
class AclRights {
public:
    AclRights() = default;  // Nothing is allowed.
    AclRights(AclTableRef table, std::string_view client_id, std::string_view user);

    struct Verdict {
        bool is_allowed = false;
        const AclRule* rule = nullptr;  // Null: no rule speaks of it.
    };
    Verdict judge(broker::Access access, std::string_view topic) const;

private:
    AclTableRef table_;
    const struct AclRules* own_ = nullptr;  // The table's; null: none.
    std::vector<AclRule> patterns_;         // Those that deny first.
};

// The lines about one user.
struct AclRules {
    // Without wildcards, by topic; for each topic those that deny first.
    std::unordered_map<std::string, std::vector<AclRule>, base::TextHash, std::equal_to<>> exact;
    std::vector<AclRule> wildcards;  // Those that deny first.
};

class AclTable : public base::RefCounted<AclTable> {
public:
    // Fails with "file:line: message".
    static base::Result<AclTableRef, std::string> parse(std::string_view text,
                                                        std::string_view file);
    static void destroy(const AclTable* table) { delete table; }

    // Null if no line speaks of the user; empty = clients without a name.
    const AclRules* rules_of(std::string_view user) const;
    const std::vector<AclRule>& patterns() const { return patterns_; }
    const std::string& file() const { return file_; }
    // "pattern read a/%u/#", as the file has the rule of a verdict.
    std::string text_of(const AclRule& rule) const;
    // The pattern that a rule was made of; null: it is a topic line.
    const AclRule* pattern_of(const AclRule& rule) const;

private:
    friend class AclParser;

    std::string file_;
    std::unordered_map<std::string, AclRules, base::TextHash, std::equal_to<>> users_;
    std::vector<AclRule> patterns_;  // Those that deny first.
};

// Whether with these names, which have no wildcards, it would reach into what is another's.
bool may_widen(std::string_view pattern, std::string_view client_id, std::string_view user);

}  // namespace auth
