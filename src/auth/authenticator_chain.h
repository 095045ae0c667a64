// Several authenticators as one: each lets the client in, refuses it, or says that it is none of
// its users (AuthAnswer::Kind::unknown), and then the next is asked, also if that answer came late.
//
//     a name, or a method  ->  source 1  ->  source 2  -> ...  -> refused
//     a password alone, where a source takes that: the same
//     none of these, or a realm that no source has users for  ->  the last: who may be anonymous
//
// Only sources that have users for the client's realm are asked. A name that one of them has passed
// on never reaches the last one: it would take it as it is.
//
// Owned by server/, and outlives the connections; what it consists of outlives it. Threads: add()
// before the first begin(), which every shard calls; change() by one.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "auth/user_source.h"

namespace auth {

class AuthenticatorChain : public broker::Authenticator {
public:
    explicit AuthenticatorChain(broker::Authenticator& last) : last_(last) {}

    // In the order in which they are asked.
    void add(UserSource& source) { sources_.push_back(&source); }
    broker::AuthBegun begin(const broker::Credentials& credentials) override;
    // Puts other users into the sources, one after the other: a name for which none has users
    // meanwhile is told that the server is busy, and does not reach the last one.
    template <typename Change>
    void change(const Change& change) {
        changes_.fetch_add(1);
        change();
        changes_.fetch_add(1);
    }
    // What would become of a login with the right password, and why.
    void inquire(const broker::Inquiry& inquiry, const broker::OnRuling& done) const;

    // Asks from `next` on, which is behind the one whose answer it is then; for the chain's own
    // exchanges.
    broker::AuthBegun ask(const broker::Credentials& credentials, std::size_t& next,
                          broker::AuthAnswer refusal);

private:
    bool is_anonymous(const broker::Credentials& credentials) const;
    // Of the sources from `next` on; `asked` are those before.
    void inquire(const broker::Inquiry& inquiry, std::size_t next, const std::string& asked,
                 const broker::OnRuling& done) const;

    broker::Authenticator& last_;
    std::vector<UserSource*> sources_;
    std::atomic<std::uint64_t> changes_{0};  // Odd while one is going on.
};

}  // namespace auth
