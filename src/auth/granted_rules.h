// Rules that came with a login, by a token or a service's answer. Immutable; threads: any.
#pragma once

#include <string>
#include <utility>

#include "auth/topic_rules.h"
#include "broker/authenticator.h"

namespace auth {

class GrantedRules : public broker::GrantedRights {
public:
    // `from` is for people: "JWT".
    static broker::GrantedRightsRef make(std::string from, TopicRules rules) {
        return broker::GrantedRightsRef::adopt(new GrantedRules(std::move(from), std::move(rules)));
    }

    bool allows(broker::Access access, std::string_view topic) const override {
        return rules_.allows(access, topic);
    }
    std::string explain(broker::Access access, std::string_view topic) const override {
        return from_ + ": " + rules_.explain(access, topic);
    }

private:
    GrantedRules(std::string from, TopicRules rules)
        : from_(std::move(from)), rules_(std::move(rules)) {}

    const std::string from_;
    const TopicRules rules_;
};

}  // namespace auth
