// One of several authenticators that are asked in a row: see auth/authenticator_chain.h.
#pragma once

#include "broker/authenticator.h"

namespace auth {

class UserSource : public broker::Authenticator {
public:
    // Whether the listeners of this realm have users here. Then a name that nobody knows is nobody.
    virtual bool has_users(std::uint32_t realm) const = 0;
    // Whether a password alone may say who its user is there.
    virtual bool takes_no_name(std::uint32_t /*realm*/) const { return false; }
};

}  // namespace auth
