// One of several authenticators that are asked in a row: see auth/authenticator_chain.h.
#pragma once

#include "broker/authenticator.h"

namespace auth {

// What a source says of a name, whose password it is not told.
struct UserRuling {
    bool passes_on = false;   // None of its users; `because` is the source then.
    broker::Ruling ruling{};  // Allowed: with the right password.
};
using OnUserRuling = std::function<void(UserRuling)>;

// "user 'ann' of password_file x, with the right password"; or, if it has none of that name, x
// alone.
UserRuling ruling_of_file(std::string_view option, std::string_view file, bool has_user,
                          std::string_view user);

class UserSource : public broker::Authenticator {
public:
    // Whether the listeners of this realm have users here. Then a name that nobody knows is nobody.
    virtual bool has_users(std::uint32_t realm) const = 0;
    // Whether a password alone may say who its user is there.
    virtual bool takes_no_name(std::uint32_t /*realm*/) const { return false; }
    // For people. `done` is called on the thread that asks, at once or later; the inquiry names a
    // user, and is gone by then.
    virtual void inquire(const broker::Inquiry&, const OnUserRuling& done) {
        done({.ruling = {.is_allowed = true,
                         .because = "who it is, its password or token alone can tell"}});
    }
};

}  // namespace auth
