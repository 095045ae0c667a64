#include "storage/kept_state.h"

namespace storage {

void KeptState::apply(const broker::Change& change) {
    std::visit([this](const auto& one) { put(one); }, change);
}

KeptState::Session* KeptState::find(broker::SessionNumber number) {
    const auto found = sessions_.find(number);
    return found == sessions_.end() ? nullptr : &found->second;
}

void KeptState::put(const broker::SessionKept& change) {
    sessions_[change.session].kept = change;
}

void KeptState::put(const broker::SessionEnded& change) {
    sessions_.erase(change.session);
}

void KeptState::put(const broker::SubscriptionKept& change) {
    if (Session* session = find(change.session)) session->subscriptions[change.filter] = change;
}

void KeptState::put(const broker::SubscriptionEnded& change) {
    if (Session* session = find(change.session)) session->subscriptions.erase(change.filter);
}

void KeptState::put(const broker::MessageKept& change) {
    if (Session* session = find(change.session)) session->messages[change.order] = change;
}

void KeptState::put(const broker::MessageSent& change) {
    Session* session = find(change.session);
    if (!session) return;
    const auto found = session->messages.find(change.order);
    if (found == session->messages.end()) return;
    found->second.state = change.state;
    found->second.packet_id = change.packet_id;
    if (change.state == broker::OutgoingState::wait_pubcomp) found->second.message = {};
}

void KeptState::put(const broker::MessageDone& change) {
    if (Session* session = find(change.session)) session->messages.erase(change.order);
}

void KeptState::put(const broker::ReceivedKept& change) {
    if (Session* session = find(change.session)) session->received.insert(change.packet_id);
}

void KeptState::put(const broker::ReceivedReleased& change) {
    if (Session* session = find(change.session)) session->received.erase(change.packet_id);
}

void KeptState::put(const broker::RetainedKept& change) {
    retained_[std::string(change.message->topic())] = change;
}

void KeptState::put(const broker::RetainedCleared& change) {
    retained_.erase(change.topic);
}

void KeptState::put(const broker::LayoutKept& change) {
    layout_ = change;
}

void KeptState::put(const broker::HandoverKept& change) {
    ways_[{change.from, change.to}].handovers[change.count] = change;
}

void KeptState::put(const broker::HandoverTaken& change) {
    ways_[{change.from, change.to}].taken = change.count;
}

void KeptState::put(const broker::HandoverDone& change) {
    auto& handovers = ways_[{change.from, change.to}].handovers;
    handovers.erase(handovers.begin(), handovers.upper_bound(change.count));
}

void KeptState::put(const broker::HandoversCleared&) {
    ways_.clear();
}

void KeptState::for_each(const std::function<void(const broker::Change&)>& each) const {
    for (const auto& [number, session] : sessions_) {
        each(session.kept);
        for (const auto& [filter, subscription] : session.subscriptions) each(subscription);
        for (const auto& [order, message] : session.messages) each(message);
        for (const mqtt::PacketId id : session.received) each(broker::ReceivedKept{number, id});
    }
    for (const auto& [topic, retained] : retained_) each(retained);
    if (layout_.shards != 0) each(layout_);
    for (const auto& [way, one] : ways_) {
        if (one.taken != 0) each(broker::HandoverTaken{way.first, way.second, one.taken});
    }
    for (const auto& [way, one] : ways_) {
        for (const auto& [count, handover] : one.handovers) each(handover);
    }
}

broker::QueueSlice KeptState::slice(const broker::QueueRequest& request) const {
    broker::QueueSlice slice{.reader = request.reader,
                             .session = request.session,
                             .first_order = request.first_order,
                             .next_order = request.last_order + 1};
    const auto session = sessions_.find(request.session);
    if (session == sessions_.end()) return slice;
    const auto& messages = session->second.messages;
    std::size_t bytes = 0;
    for (auto at = messages.lower_bound(request.first_order);
         at != messages.end() && at->first <= request.last_order; ++at) {
        if (bytes >= broker::slice_bytes_max ||
            slice.messages.size() == broker::slice_messages_max) {
            slice.next_order = at->first;
            break;
        }
        bytes += at->second.message->bytes();
        slice.messages.push_back(at->second);
    }
    return slice;
}

}  // namespace storage
