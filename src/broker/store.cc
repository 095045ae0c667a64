#include "broker/store.h"

#include <algorithm>
#include <iterator>

namespace broker {
namespace {

using MessageName = std::pair<SessionNumber, std::uint64_t>;

// Which message a change is about; nothing if it is about something else.
std::optional<MessageName> message_of(const Change& change) {
    if (const auto* kept = std::get_if<MessageKept>(&change)) return {{kept->session, kept->order}};
    if (const auto* sent = std::get_if<MessageSent>(&change)) return {{sent->session, sent->order}};
    if (const auto* done = std::get_if<MessageDone>(&change)) return {{done->session, done->order}};
    return std::nullopt;
}

template <typename OneChange>
std::vector<MessageName> messages_in(const std::vector<Change>& changes) {
    std::vector<MessageName> names;
    for (const Change& change : changes) {
        if (std::holds_alternative<OneChange>(change)) names.push_back(*message_of(change));
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

void ChangeBatch::absorb(ChangeBatch& other) {
    needs_sync_ = needs_sync_ || other.needs_sync_;
    if (changes_.empty()) {
        changes_.swap(other.changes_);
    } else {
        std::move(other.changes_.begin(), other.changes_.end(), std::back_inserter(changes_));
    }
    other.clear();
}

void ChangeBatch::prune() {
    const std::vector<MessageName> done = messages_in<MessageDone>(changes_);
    if (done.empty()) return;
    const std::vector<MessageName> kept = messages_in<MessageKept>(changes_);
    std::vector<MessageName> both;
    std::set_intersection(done.begin(), done.end(), kept.begin(), kept.end(),
                          std::back_inserter(both));
    if (both.empty()) return;
    std::erase_if(changes_, [&](const Change& change) {
        const auto name = message_of(change);
        return name && std::binary_search(both.begin(), both.end(), *name);
    });
}

}  // namespace broker
