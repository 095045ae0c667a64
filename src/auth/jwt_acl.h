// What a claim of a JSON Web Token says that its bearer may do. It has one of two forms:
//
//     {"publish": [FILTER, ...], "subscribe": [FILTER, ...], "all": [FILTER, ...]}
//     [{"permission": "allow", "action": "publish", "topic": FILTER}, ...]
//
// "pub" and "sub" are the same as "publish" and "subscribe", and "topics", a list, as "topic"; what
// rules mean is TopicRules' to say. Whoever signed the token meant something by all that is in it,
// so a claim with anything that is not understood is wrong as a whole.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "auth/topic_rules.h"

namespace auth {

// `claims` is an object. Fails with a sentence without its end, which has nothing out of it.
base::Result<TopicRules, std::string> read_acl_claim(const nlohmann::json& claims,
                                                     const std::string& name,
                                                     const RuleSubject& subject);

}  // namespace auth
