// What JSON says that a client may do: a claim of a JSON Web Token, or a service's answer. It has
// one of two forms:
//
//     {"publish": [FILTER, ...], "subscribe": [FILTER, ...], "all": [FILTER, ...]}
//     [{"permission": "allow", "action": "publish", "topic": FILTER}, ...]
//
// "pub" and "sub" are the same as "publish" and "subscribe", and "topics", a list, as "topic"; what
// rules mean is TopicRules' to say. Whoever wrote it meant something by all that is in it, so that
// it is wrong as a whole if anything is not understood.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "auth/topic_rules.h"

namespace auth {

// Fails with a sentence without its end, which has nothing out of it.
base::Result<TopicRules, std::string> read_acl(const nlohmann::json& acl,
                                               const RuleSubject& subject);
// `claims` is an object. Fails with a sentence without its end, which has nothing out of it.
base::Result<TopicRules, std::string> read_acl_claim(const nlohmann::json& claims,
                                                     const std::string& name,
                                                     const RuleSubject& subject);

}  // namespace auth
