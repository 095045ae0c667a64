// What is known of the clients that a database or a service let in: who they are, by which
// password, and what they may do. It answers for logins that come again soon, and for each message
// where the rules are not the session's own.
//
// One entry a client id, which is one session. When many are there, those that nobody has used for
// hours make room for others.
//
// A source whose place another one takes at a reload leaves them to its successor. Who said what is
// known by a number, the origin: where the successor has other users, what its predecessor said
// lets nobody in, and its rules hold until they have been read anew.
//
// Owned by the sources that share it. Threads: any. 16 stripes by client id, a shared_mutex each,
// held for a look-up; messages only read. Limits: entries_max; who finds no room is not let in.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/crypto.h"
#include "auth/topic_rules.h"
#include "base/guarded.h"
#include "base/hash.h"
#include "base/ref_counted.h"

namespace auth {

// What a row says of a user.
struct KnownUser {
    std::string hash{};
    std::string salt{};
    bool is_super = false;
    bool is_enabled = true;
    std::optional<std::string> client_id{};  // The only one it may have.
};

struct KnownLogin {
    std::uint32_t origin = 0;  // Who let it in.
    std::string user_name{};
    std::uint32_t realm = 0;
    std::uint16_t listener_port = 0;  // Where the answer depends on it.
    std::string peer_host{};
    Digest password{};  // Not the password: a keyed digest of it.
    KnownUser user{};
    broker::GrantedRightsRef granted{};  // The session's, if the rules are not kept here.
    std::uint64_t ends_ms = 0;           // When the client has to leave; 0: it need not.
    std::uint64_t read_ms = 0;           // When all that was said.
};

class KnownClients : public base::RefCounted<KnownClients> {
public:
    static constexpr std::size_t entries_max = 1'000'000;

    struct Times {
        std::uint64_t fresh_ms = 30'000;     // How long rules are taken as they are.
        std::uint64_t stale_ms = 3'600'000;  // And how much longer if they cannot be read again.
    };
    enum class Verdict : std::uint8_t { allowed, forbidden, unknown };
    struct Answer {
        Verdict verdict = Verdict::unknown;
        // The rules are old, and the caller is to have them read again; nobody else has been told
        // so. With unknown: the client is not there.
        bool is_stale = false;
    };

    KnownClients() : KnownClients(entries_max) {}
    explicit KnownClients(std::size_t entries) : stripe_entries_max_(entries / stripes) {}
    static void destroy(const KnownClients* clients) { delete clients; }

    // A number that nobody had before.
    std::uint32_t new_origin() const { return origins_.fetch_add(1) + 1; }

    // False if there is no room.
    bool put(std::string_view client_id, KnownLogin login, TopicRules rules, std::uint64_t now_ms,
             const Times& times) const;
    // In place of what it had, if it is still that user's.
    void put_rules(std::string_view client_id, std::string_view user_name, TopicRules rules,
                   std::uint64_t now_ms, std::uint32_t origin = 0) const;
    // They could not be read: the next attempt is not due before `retry_ms` from now.
    void keep_rules(std::string_view client_id, std::uint64_t now_ms, std::uint64_t retry_ms) const;

    // This password is not right any more: nobody is let in by the entry; its rules stay.
    void forget_login(std::string_view client_id, std::string_view user_name,
                      const Digest& password) const;

    // `origin`: who asks.
    Answer judge(const broker::AccessRequest& request, std::uint64_t now_ms, const Times& times,
                 std::uint32_t origin = 0) const;
    std::optional<KnownLogin> find(std::string_view client_id, std::string_view user_name) const;
    std::string explain(const broker::AccessRequest& request) const;
    std::size_t size() const;

private:
    static constexpr std::size_t stripes = 16;
    struct Entry {
        KnownLogin login{};
        TopicRules rules{};
        std::uint64_t rules_read_ms = 0;
        std::uint32_t rules_origin = 0;
        // Written by who only reads the rest.
        mutable std::atomic<std::uint32_t> reader{0};  // The origin that next_read_ms counts for.
        mutable std::atomic<std::uint64_t> used_ms{0};
        mutable std::atomic<std::uint64_t> next_read_ms{0};
    };
    using Entries = std::unordered_map<std::string, Entry, base::TextHash, std::equal_to<>>;
    struct Stripe {
        Entries entries;
        std::size_t hand = 0;  // The bucket to be looked at next for what may go.
    };
    static void drop_unused(Stripe& stripe, std::uint64_t before_ms);

    static bool must_be_read(const Entry& entry, std::uint64_t now_ms, std::uint32_t origin);

    base::Guarded<Stripe, std::shared_mutex>& stripe_of(std::string_view client_id) const {
        return stripes_[base::hash(client_id) % stripes];
    }

    const std::size_t stripe_entries_max_;
    mutable std::atomic<std::uint32_t> origins_{0};
    mutable std::array<base::Guarded<Stripe, std::shared_mutex>, stripes> stripes_;
};

}  // namespace auth
