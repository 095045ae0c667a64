#include "broker/publisher_rights.h"

namespace broker {

AccessRequest PublisherRights::request_of(const Retained& retained) {
    return {.client_id = retained.publisher->client_id,
            .user_name = retained.publisher->user_name,
            .topic = retained.message->topic(),
            .access = Access::publish,
            .realm = retained.publisher->realm,
            .if_unknown = true};
}

bool PublisherRights::allow(const Retained& retained) {
    if (!retained.publisher) return true;
    AccessRequest request = request_of(retained);
    request.known = &known_[retained.publisher.get()];
    return authorizer_.is_allowed(request);
}

std::string PublisherRights::explain(const Retained& retained) {
    return authorizer_.explain(request_of(retained));
}

}  // namespace broker
