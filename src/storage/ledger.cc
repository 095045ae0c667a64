#include "storage/ledger.h"

#include <utility>

namespace storage {

using broker::MessageDone;
using broker::MessageKept;
using broker::MessageSent;
using broker::SessionNumber;

namespace {

// Messages of an ended session that are erased one by one: a range costs every later read a little.
constexpr std::size_t erased_singly_max = 16;

// Whose content would be one of the ledger's; else null.
const broker::Message* kept_message(const broker::Change& change) {
    if (const auto* kept = std::get_if<MessageKept>(&change)) return kept->message.get();
    if (const auto* kept = std::get_if<broker::HandoverKept>(&change)) return kept->message.get();
    return nullptr;
}

ContentNumber after(ContentNumber number) {
    return ContentNumber{static_cast<std::uint64_t>(number) + 1};
}

}  // namespace

void Ledger::write(const broker::ChangeBatch& group, WriteList& out) {
    const std::vector<broker::Change>& changes = group.all();
    for (std::size_t i = 0; i < changes.size(); ++i) {
        next_message_ = i + 1 < changes.size() ? kept_message(changes[i + 1]) : nullptr;
        std::visit([&](const auto& one) { write(one, out); }, changes[i]);
    }
}

Ledger::Session* Ledger::find(SessionNumber session) {
    const auto found = sessions_.find(session);
    return found == sessions_.end() ? nullptr : &found->second;
}

// A number is never given again: as long as somebody waits for it, it is this message's content.
ContentNumber Ledger::use(const broker::MessageRef& message, WriteList& out) {
    if (!message) return {};
    ContentNumber content{message->store_number()};
    const std::uint32_t users = users_.get(content);
    if (users == 0) {
        content = std::exchange(next_content_, after(next_content_));
        message->set_store_number(static_cast<std::uint64_t>(content));
        put(out, ContentRecord{content, message});
    }
    users_.set(content, users + 1);
    return content;
}

bool Ledger::has_content(const broker::Message& message) const {
    return users_.get(ContentNumber{message.store_number()}) != 0;
}

void Ledger::release(ContentNumber content, WriteList& out) {
    if (content == ContentNumber{}) return;
    const std::uint32_t users = users_.get(content);
    users_.set(content, users - 1);
    if (users == 1) erase(out, content);
}

void Ledger::write(const broker::SessionKept& change, WriteList& out) {
    add_session(change.session);
    put(out, change);
}

void Ledger::write(const broker::SessionEnded& change, WriteList& out) {
    Session* session = find(change.session);
    if (!session) return;
    const bool is_range = session->messages.size() > erased_singly_max;
    session->messages.for_each([&](KeptMessages::Entry& entry) {
        if (!is_range) erase(out, MessageDone{change.session, entry.order}, entry.is_sent);
        release(entry.content, out);
    });
    if (is_range) erase_all(out, RecordKind::message, change.session);
    if (session->has_subscriptions) erase_all(out, RecordKind::subscription, change.session);
    if (session->has_received) erase_all(out, RecordKind::received, change.session);
    erase(out, change);
    sessions_.erase(change.session);
}

void Ledger::write(const broker::SubscriptionKept& change, WriteList& out) {
    if (add(change)) put(out, change);
}

void Ledger::write(const broker::SubscriptionEnded& change, WriteList& out) {
    if (find(change.session)) erase(out, change);
}

// Those who wait for one message stand side by side. Who comes to it later finds its content or,
// where it is no retained one, which is rare, has it a second time.
void Ledger::write(const MessageKept& change, WriteList& out) {
    Session* session = find(change.session);
    if (!session) return;
    const broker::Message* const message = change.message.get();
    const bool is_whole =
        message && message != next_message_ && !message->retain() && !has_content(*message);
    const ContentNumber content = is_whole ? ContentNumber{} : use(change.message, out);
    put(out, change, content);
    if (KeptMessages::Entry* entry = session->messages.find(change.order)) {
        release(std::exchange(entry->content, content), out);
    } else {
        session->messages.add(change.order, content, false);
    }
}

void Ledger::write(const MessageSent& change, WriteList& out) {
    Session* session = find(change.session);
    KeptMessages::Entry* entry = session ? session->messages.find(change.order) : nullptr;
    if (!entry) return;
    entry->is_sent = 1;
    put(out, change);
    if (change.state != broker::OutgoingState::wait_pubcomp) return;
    release(std::exchange(entry->content, ContentNumber{}), out);
}

void Ledger::write(const MessageDone& change, WriteList& out) {
    Session* session = find(change.session);
    KeptMessages::Entry* entry = session ? session->messages.find(change.order) : nullptr;
    if (!entry) return;
    erase(out, change, entry->is_sent);
    release(entry->content, out);
    session->messages.remove(*entry);
}

void Ledger::write(const broker::ReceivedKept& change, WriteList& out) {
    if (add(change)) put(out, change);
}

void Ledger::write(const broker::ReceivedReleased& change, WriteList& out) {
    if (find(change.session)) erase(out, change);
}

void Ledger::write(const broker::RetainedKept& change, WriteList& out) {
    put(out, change);
}

void Ledger::write(const broker::RetainedCleared& change, WriteList& out) {
    erase(out, change);
}

void Ledger::write(const broker::LayoutKept& change, WriteList& out) {
    put(out, change);
}

void Ledger::write(const broker::HandoverKept& change, WriteList& out) {
    const ContentNumber content = use(change.message, out);
    put(out, HandoverRecord{change, content});
    ways_[{change.from, change.to}].handovers.push_back({change.count, content});
}

void Ledger::write(const broker::HandoverTaken& change, WriteList& out) {
    add(change);
    put(out, change);
}

void Ledger::write(const broker::HandoverDone& change, WriteList& out) {
    auto& handovers = ways_[{change.from, change.to}].handovers;
    while (!handovers.empty() && handovers.front().count <= change.count) {
        erase(out, broker::HandoverDone{change.from, change.to, handovers.front().count});
        release(handovers.front().content, out);
        handovers.pop_front();
    }
}

void Ledger::write(const broker::HandoversCleared&, WriteList& out) {
    for (auto& [way, one] : ways_) {
        write(broker::HandoverDone{way.first, way.second, UINT64_MAX}, out);
        if (one.has_taken) erase(out, broker::HandoverTaken{way.first, way.second});
    }
    ways_.clear();
}

void Ledger::add(const broker::HandoverTaken& record) {
    ways_[{record.from, record.to}].has_taken = true;
}

void Ledger::add_handover(const broker::HandoverKept& record, ContentNumber content) {
    ways_[{record.from, record.to}].handovers.push_back({record.count, content});
    users_.set(content, users_.get(content) + 1);
}

bool Ledger::add(const broker::SubscriptionKept& record) {
    Session* session = find(record.session);
    if (session) session->has_subscriptions = true;
    return session != nullptr;
}

bool Ledger::add(const broker::ReceivedKept& record) {
    Session* session = find(record.session);
    if (session) session->has_received = true;
    return session != nullptr;
}

void Ledger::add_content(ContentNumber number) {
    if (next_content_ <= number) next_content_ = after(number);
}

bool Ledger::add_message(const MessageKept& record, ContentNumber content, bool is_sent) {
    Session* session = find(record.session);
    if (!session || session->messages.find(record.order)) return false;
    session->messages.add(record.order, content, is_sent);
    if (content != ContentNumber{}) users_.set(content, users_.get(content) + 1);
    return true;
}

}  // namespace storage
