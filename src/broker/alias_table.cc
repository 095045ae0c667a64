#include "broker/alias_table.h"

#include <algorithm>

namespace broker {
namespace {

constexpr std::size_t property_size = 3;  // The property that carries the number.
// Messages between two halvings, for each topic that is scored: enough to tell a busy topic from a
// lucky one.
constexpr std::size_t uses_per_topic = 32;
constexpr std::uint64_t superiority = 2;
// What a candidate must be ahead by in any case, in messages: else a table full of idle topics
// would change at every second message.
constexpr std::uint64_t lead = 4;

}  // namespace

Alias AliasTable::choose(std::string_view topic, std::uint64_t hash, bool may_define) {
    if (topic.size() <= property_size) return {};
    const std::size_t saving = topic.size() - property_size;
    if (uses_left_ == 0) forget_a_little();
    --uses_left_;
    const std::uint32_t known =
        index_.find(hash, [&](std::uint32_t number) { return entries_[number].topic == topic; });
    if (known != HashIndex::none) {
        entries_[known].score += saving;
        return {static_cast<std::uint16_t>(known + 1), true};
    }
    if (!may_define) return {};
    if (entries_.size() < limit_ && has_room(topic.size())) return add(topic, hash);
    Candidate* const candidate = note_candidate(hash, saving);
    if (!candidate || entries_.empty()) return {};
    if (candidate->score <= superiority * entries_[weakest_].score + lead * saving) return {};
    return replace_weakest(topic, *candidate);
}

Alias AliasTable::add(std::string_view topic, std::uint64_t hash) {
    const std::size_t number = entries_.size();
    entries_.push_back({hash, topic.size() - property_size, std::string(topic)});
    index_.insert(hash, static_cast<std::uint32_t>(number));
    topic_bytes_ += topic.size();
    if (entries_[number].score < entries_[weakest_].score) weakest_ = number;
    return {static_cast<std::uint16_t>(number + 1), false};
}

// Null if the topic is none: it has worn down the weakest candidate instead, so that those few that
// are seen again and again stay among many that are seen once (Misra and Gries, 1982).
AliasTable::Candidate* AliasTable::note_candidate(std::uint64_t hash, std::uint64_t saving) {
    const auto found = std::find_if(candidates_.begin(), candidates_.end(),
                                    [&](const Candidate& one) { return one.hash == hash; });
    if (found != candidates_.end()) {
        found->score += saving;
        return &*found;
    }
    if (candidates_.size() < candidates_max) {
        candidates_.push_back({hash, saving});
        return &candidates_.back();
    }
    Candidate& weakest = *std::min_element(
        candidates_.begin(), candidates_.end(),
        [](const Candidate& one, const Candidate& other) { return one.score < other.score; });
    if (weakest.score > saving) {
        weakest.score -= saving;
        return nullptr;
    }
    weakest = {hash, saving};
    return &weakest;
}

// The two change places: who loses the number may win it back.
Alias AliasTable::replace_weakest(std::string_view topic, Candidate& candidate) {
    Entry& entry = entries_[weakest_];
    const std::size_t bytes = topic_bytes_ - entry.topic.size() + topic.size();
    if (bytes > topic_bytes_max) return {};
    const auto number = static_cast<std::uint32_t>(weakest_);
    index_.erase(entry.hash, number);
    index_.insert(candidate.hash, number);
    std::swap(entry.hash, candidate.hash);
    std::swap(entry.score, candidate.score);
    entry.topic = topic;
    entry.topic.shrink_to_fit();
    topic_bytes_ = bytes;
    find_weakest();
    return {static_cast<std::uint16_t>(number + 1), false};
}

void AliasTable::forget_a_little() {
    for (Entry& entry : entries_) entry.score /= 2;
    for (Candidate& candidate : candidates_) candidate.score /= 2;
    uses_left_ = uses_per_topic * (entries_.size() + candidates_max);
    find_weakest();
}

void AliasTable::find_weakest() {
    const auto least = std::min_element(
        entries_.begin(), entries_.end(),
        [](const Entry& one, const Entry& other) { return one.score < other.score; });
    weakest_ = static_cast<std::size_t>(least - entries_.begin());
}

}  // namespace broker
