// What is known of logins that were judged outside, by a database or a service. It lets in who
// comes again soon with the same password, refuses again what was refused, and stands in while
// nobody outside answers.
//
//     find(attempt)  ->  an answer, or nothing: ask outside, on a worker, and tell what came of it:
//                        admit(), refuse() or answer_to_trouble()
//
// A password is never kept: a digest of it is, with a key that the process makes.
//
// Owned by who asks. Threads: any. Limits: negative_max refusals, the entries of KnownClients.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "auth/known_clients.h"
#include "base/guarded.h"

namespace auth {

// A login, as it is judged outside.
struct LoginAttempt {
    std::string user_name{};
    std::string client_id{};
    std::string peer_host{};
    std::string password{};
    std::uint32_t realm = 0;
    std::uint16_t listener_port = 0;  // Where the answer depends on it.
    Digest password_digest{};
    Digest asked{};  // Of all that a refusal depends on.
};

// What a source takes over from the one in whose place it comes.
struct LoginHeritage {
    base::Ref<KnownClients> clients{};  // Null: nothing.
    std::vector<std::uint8_t> secret{};
    std::uint32_t origin = 0;  // Not 0: the users are the same, and who was let in is so here.
};

class LoginCache {
public:
    static constexpr std::size_t negative_max = 10'000;

    // What becomes of logins that nothing is known of while nobody answers.
    enum class OnError : std::uint8_t { deny, next, stale };
    struct Settings {
        std::uint64_t cache_ms = 30'000;
        std::uint64_t negative_cache_ms = 5'000;
        KnownClients::Times rules{};  // Its stale_ms is for logins, too.
        OnError on_error = OnError::deny;
    };
    struct Figures {
        std::uint64_t logins = 0;
        std::uint64_t cached = 0;    // Of them, let in without a question.
        std::uint64_t negative = 0;  // Refused without one.
        std::uint64_t stale = 0;     // Let in by an old answer, since there was no new one.
        std::size_t clients = 0;
    };

    explicit LoginCache(const Settings& settings, LoginHeritage heritage = {});
    LoginHeritage heritage(bool has_same_users) const {
        return {known_.clients, known_.secret, has_same_users ? known_.origin : 0};
    }
    std::uint32_t origin() const { return known_.origin; }

    // Without `asked`, which only who asks knows.
    LoginAttempt attempt_of(const broker::Credentials& credentials) const;
    Digest digest(base::Bytes bytes) const { return hmac_sha256(known_.secret, bytes); }

    // Nothing: it is not known.
    std::optional<broker::AuthAnswer> find(const LoginAttempt& attempt);
    // The password is right, and `answer` what the client is told. False if there is no room to
    // keep that.
    bool admit(const LoginAttempt& attempt, KnownUser user, TopicRules rules,
               const broker::AuthAnswer& answer);
    // Remembers the answer, a refusal or none of its users, and returns it.
    broker::AuthAnswer refuse(const LoginAttempt& attempt, broker::AuthAnswer answer);
    // Nobody answers: `why`. The password has to be that of before, or fit what is known of the
    // user by other means.
    broker::AuthAnswer answer_to_trouble(
        const LoginAttempt& attempt, const char* why,
        const std::function<bool(const KnownUser&)>& fits = nullptr);

    const KnownClients& clients() const { return *known_.clients; }
    Figures figures() const;

private:
    struct Refusal {
        std::uint64_t until_ms = 0;
        broker::AuthAnswer::Kind kind = broker::AuthAnswer::Kind::unknown;
    };
    struct Refusals {
        std::unordered_map<std::string, Refusal> by_attempt;
        std::uint64_t next_sweep_ms = 0;  // For while it is full.
    };

    std::optional<broker::AuthAnswer> find_admitted(const LoginAttempt& attempt) const;
    std::optional<broker::AuthAnswer> find_refused(const LoginAttempt& attempt);
    static bool has_room(Refusals& refusals, std::uint64_t now_ms);

    const Settings settings_;
    const LoginHeritage known_;  // With nothing left out.
    const Digest no_password_;   // What nobody's is.
    base::Guarded<Refusals> refusals_;
    std::atomic<std::uint64_t> logins_{0};
    std::atomic<std::uint64_t> cached_{0};
    std::atomic<std::uint64_t> negative_{0};
    std::atomic<std::uint64_t> stale_{0};
};

}  // namespace auth
