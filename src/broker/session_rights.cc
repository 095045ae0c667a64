// Session: what its client may do.
#include "broker/shard.h"

namespace broker {

void Session::set_user(std::optional<std::string_view> name, std::uint32_t realm) {
    if (has_user_ && user_name() == name.value_or("") && realm_ == realm) return;
    user_name_ = name ? std::make_unique<const std::string>(*name) : nullptr;
    realm_ = realm;
    has_user_ = true;
    rights_.reset();
    publisher_ = {};
}

void Session::grant(GrantedRightsRef rights) {
    granted_ = std::move(rights);
    if (granted_) publisher_ = {};
}

const PublisherRef& Session::publisher() {
    if (!publisher_ && !granted_) {
        publisher_ = PublisherRef::adopt(new Publisher(client_id_, user_name(), realm_));
    }
    return publisher_;
}

bool Session::may(Access access, std::string_view topic) {
    if (granted_) return granted_->allows(access, topic);
    Authorizer& authorizer = shard_.broker().authorizer();
    return authorizer.allows_everything() || authorizer.is_allowed({.client_id = client_id_,
                                                                    .user_name = user_name(),
                                                                    .topic = topic,
                                                                    .access = access,
                                                                    .realm = realm_,
                                                                    .known = &rights_});
}

std::string Session::explain(Access access, std::string_view topic) {
    if (granted_) return granted_->explain(access, topic);
    return shard_.broker().authorizer().explain({.client_id = client_id_,
                                                 .user_name = user_name(),
                                                 .topic = topic,
                                                 .access = access,
                                                 .realm = realm_});
}

std::optional<Ruling> Session::own_ruling(const Inquiry& inquiry) const {
    const bool is_about_us =
        (!inquiry.user_name || *inquiry.user_name == user_name()) && inquiry.realm == realm_;
    if (!granted_ || !is_about_us) return std::nullopt;
    Ruling ruling{.is_allowed = granted_->allows(inquiry.access, inquiry.topic),
                  .because = granted_->explain(inquiry.access, inquiry.topic)};
    ruling.because += ", by the login of the client that is there";
    if (!ruling.is_allowed) ruling.remedy = "a login that brings such a rule";
    return ruling;
}

}  // namespace broker
