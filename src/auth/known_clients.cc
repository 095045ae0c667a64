#include "auth/known_clients.h"

#include <algorithm>
#include <utility>

namespace auth {
namespace {

// Who reads rules again may not come back: then another does, after this.
constexpr std::uint64_t read_takes_at_most_ms = 60'000;
constexpr std::size_t buckets_a_sweep = 64;
// A client that is connected and says nothing is not to be forgotten without need.
constexpr std::uint64_t unused_min_ms = 3'600'000;
constexpr std::uint64_t unused_max_ms = 24 * unused_min_ms;
constexpr std::size_t filling_part = 8;

}  // namespace

bool KnownClients::put(std::string_view client_id, KnownLogin login, TopicRules rules,
                       std::uint64_t now_ms, const Times& times) const {
    const std::uint64_t unused_ms =
        times.fresh_ms + std::clamp(times.stale_ms, unused_min_ms, unused_max_ms);
    return stripe_of(client_id).with([&](Stripe& stripe) {
        const bool is_filling = stripe.entries.size() >= stripe_entries_max_ / filling_part;
        if (is_filling && now_ms > unused_ms) drop_unused(stripe, now_ms - unused_ms);
        auto found = stripe.entries.find(client_id);
        if (found == stripe.entries.end()) {
            if (stripe.entries.size() >= stripe_entries_max_) return false;
            found = stripe.entries.try_emplace(std::string(client_id)).first;
        }
        Entry& entry = found->second;
        entry.rules_origin = login.origin;
        entry.login = std::move(login);
        entry.rules = std::move(rules);
        entry.rules_read_ms = now_ms;
        entry.used_ms = now_ms;
        entry.next_read_ms = 0;
        return true;
    });
}

// A few buckets each time, so that no login pays for all.
void KnownClients::drop_unused(Stripe& stripe, std::uint64_t before_ms) {
    Entries& entries = stripe.entries;
    for (std::size_t i = 0; i < std::min(buckets_a_sweep, entries.bucket_count()); ++i) {
        stripe.hand = (stripe.hand + 1) % entries.bucket_count();
        std::string unused;
        for (auto each = entries.begin(stripe.hand); each != entries.end(stripe.hand); ++each) {
            if (each->second.used_ms < before_ms) unused = each->first;
        }
        if (const auto found = entries.find(unused); !unused.empty()) entries.erase(found);
    }
}

void KnownClients::put_rules(std::string_view client_id, std::string_view user_name,
                             TopicRules rules, std::uint64_t now_ms, std::uint32_t origin) const {
    stripe_of(client_id).with([&](Stripe& stripe) {
        const auto found = stripe.entries.find(client_id);
        if (found == stripe.entries.end() || found->second.login.user_name != user_name) return;
        Entry& entry = found->second;
        entry.rules = std::move(rules);
        entry.rules_origin = origin;
        entry.rules_read_ms = now_ms;
        entry.next_read_ms = 0;
    });
}

void KnownClients::keep_rules(std::string_view client_id, std::uint64_t now_ms,
                              std::uint64_t retry_ms) const {
    stripe_of(client_id).read([&](const Stripe& stripe) {
        const auto found = stripe.entries.find(client_id);
        if (found != stripe.entries.end()) found->second.next_read_ms = now_ms + retry_ms;
    });
}

void KnownClients::forget_login(std::string_view client_id, std::string_view user_name,
                                const Digest& password) const {
    stripe_of(client_id).with([&](Stripe& stripe) {
        const auto found = stripe.entries.find(client_id);
        if (found == stripe.entries.end()) return;
        KnownLogin& login = found->second.login;
        if (login.user_name != user_name || !is_equal_secret(login.password, password)) return;
        login.password = {};
        login.read_ms = 0;
    });
}

// Its rules are old, or another's. What that one was told to read it may never have read.
bool KnownClients::must_be_read(const Entry& entry, std::uint64_t now_ms, std::uint32_t origin) {
    const std::uint64_t until_ms = now_ms + read_takes_at_most_ms;
    if (entry.reader.load(std::memory_order_relaxed) != origin &&
        entry.reader.exchange(origin) != origin) {
        entry.next_read_ms.store(until_ms);
        return true;
    }
    std::uint64_t next_ms = entry.next_read_ms.load(std::memory_order_relaxed);
    return next_ms <= now_ms && entry.next_read_ms.compare_exchange_strong(next_ms, until_ms);
}

KnownClients::Answer KnownClients::judge(const broker::AccessRequest& request, std::uint64_t now_ms,
                                         const Times& times, std::uint32_t origin) const {
    return stripe_of(request.client_id).read([&](const Stripe& stripe) -> Answer {
        const auto found = stripe.entries.find(request.client_id);
        if (found == stripe.entries.end()) return {Verdict::unknown, true};
        const Entry& entry = found->second;
        if (entry.login.user_name != request.user_name) return {Verdict::unknown, true};
        entry.used_ms.store(now_ms, std::memory_order_relaxed);
        const std::uint64_t age_ms = now_ms - std::min(now_ms, entry.rules_read_ms);
        Answer answer;
        if (age_ms > times.fresh_ms || entry.rules_origin != origin) {
            answer.is_stale = must_be_read(entry, now_ms, origin);
        }
        const bool is_too_old = age_ms > times.fresh_ms && age_ms - times.fresh_ms > times.stale_ms;
        answer.verdict = !is_too_old && entry.rules.allows(request.access, request.topic)
                             ? Verdict::allowed
                             : Verdict::forbidden;
        return answer;
    });
}

std::optional<KnownLogin> KnownClients::find(std::string_view client_id,
                                             std::string_view user_name) const {
    return stripe_of(client_id).read([&](const Stripe& stripe) -> std::optional<KnownLogin> {
        const auto found = stripe.entries.find(client_id);
        if (found == stripe.entries.end() || found->second.login.user_name != user_name) {
            return std::nullopt;
        }
        return found->second.login;
    });
}

std::string KnownClients::explain(const broker::AccessRequest& request) const {
    return stripe_of(request.client_id).read([&](const Stripe& stripe) -> std::string {
        const auto found = stripe.entries.find(request.client_id);
        if (found == stripe.entries.end() || found->second.login.user_name != request.user_name) {
            return "no rows of this client have been read";
        }
        return found->second.rules.explain(request.access, request.topic);
    });
}

std::size_t KnownClients::size() const {
    std::size_t sum = 0;
    for (const auto& stripe : stripes_) {
        sum += stripe.read([](const Stripe& each) { return each.entries.size(); });
    }
    return sum;
}

}  // namespace auth
