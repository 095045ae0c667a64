// Whether the publishers of retained messages may still publish to their topics: what
// check_retain_source asks for each message before a new subscriber gets it.
//
// A publisher need not be here; where nobody knows its rights any more (it came by another listener
// before a restart, or a database has yet to be asked), its message is delivered.
//
// Lives for one delivery of retained messages. Thread: the shard's.
#pragma once

#include <memory>
#include <unordered_map>

#include "broker/authenticator.h"
#include "broker/publisher.h"

namespace broker {

class PublisherRights {
public:
    explicit PublisherRights(Authorizer& authorizer) : authorizer_(authorizer) {}

    bool allow(const Retained& retained);
    // Which rule forbids it, for people. It has a publisher.
    std::string explain(const Retained& retained);

private:
    static AccessRequest request_of(const Retained& retained);

    Authorizer& authorizer_;
    // What the authorizer has gathered, of those whose messages are being delivered.
    std::unordered_map<const Publisher*, std::unique_ptr<KnownRights>> known_;
};

}  // namespace broker
