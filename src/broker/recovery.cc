#include "broker/recovery.h"

#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace broker {
namespace {

using base::LogType;

class Recovery {
public:
    Recovery(Broker& broker, std::span<Shard* const> shards) : broker_(broker), shards_(shards) {}

    void apply(const Change& change) {
        std::visit([this](const auto& one) { put(one); }, change);
    }

    // Only now are the sessions recorded again: what was restored is not a change.
    void finish() {
        for (auto& [number, one] : sessions_) {
            one.session->set_number(number);
            one.session->await_client_since(one.left_wall_ms);
        }
        for (const HandoverKept& handover : missed_) deliver(handover);
        begin_handovers();
        if (left_out_ == 0) return;
        shards_[0]->log().print(LogType::warning,
                                "Warning: {} records of the store do not fit together and are "
                                "left out.",
                                left_out_);
    }

private:
    struct Restored {
        Session* session;
        std::int64_t left_wall_ms;
    };

    void put(const SessionKept& kept) {
        broker_.reserve_session_number(kept.session);
        Shard& shard = *shards_[broker_.shard_of(kept.client_id)];
        Session* session =
            shard.find_session(kept.client_id) ? nullptr : shard.create_session(kept.client_id);
        if (!session) {
            ++left_out_;
            return;
        }
        session->restore(kept);
        sessions_[kept.session] = {session, kept.left_wall_ms};
    }
    void put(const SubscriptionKept& kept) {
        if (Session* session = find(kept.session)) {
            session->shard().subscribe(*session, kept.filter,
                                       {.session = session->id(),
                                        .options = kept.options,
                                        .subscription_id = kept.subscription_id});
        }
    }
    void put(const MessageKept& kept) {
        Session* session = find(kept.session);
        if (session && !session->restore(kept)) ++left_out_;
    }
    void put(const ReceivedKept& kept) {
        if (Session* session = find(kept.session)) session->received_qos2().insert(kept.packet_id);
    }
    void put(const RetainedKept& kept) {
        if (kept.message->is_expired(shards_[0]->wall_ms())) return;
        const bool is_kept =
            broker_.retained().set(kept.message, only_one(kept.publisher)).is_accepted();
        if (!is_kept) ++left_out_;
    }
    // One object for all that a client has retained.
    PublisherRef only_one(const PublisherRef& publisher) {
        if (!publisher) return {};
        return publishers_
            .try_emplace(std::pair(publisher->client_id, publisher->user_name), publisher)
            .first->second;
    }
    void put(const LayoutKept& layout) { layout_ = layout; }
    void put(const HandoverTaken& taken) { taken_[{taken.from, taken.to}] = taken.count; }
    void put(const HandoverKept& handover) {
        const auto found = taken_.find({handover.from, handover.to});
        const bool has_arrived = found != taken_.end() && handover.count <= found->second;
        if (!has_arrived) missed_.push_back(handover);
    }
    // A store restores what is kept, not how it came to be.
    template <typename Other>
    void put(const Other&) {
        ++left_out_;
    }

    void deliver(const HandoverKept& handover) {
        if (handover.message->is_expired(shards_[0]->wall_ms())) return;
        Publication publication = Publication::of(handover.message);
        publication.must_arrive = true;
        if (!handover.group.empty()) {
            const SharedGroupRef group = broker_.shared_groups().find(handover.group);
            if (group) shards_[0]->offer(publication, *group, Among::everybody);
            return;
        }
        if (layout_.shards == 0) return;
        for (Shard* const shard : shards_) {
            shard->deliver_missed(publication, [&](const Session& session) {
                return Broker::shard_of(session.client_id(), layout_) == handover.to;
            });
        }
    }

    // With the counts of this process, and what was missed as the sessions' own.
    void begin_handovers() {
        Store& store = broker_.store();
        if (!store.records() || (shards_.size() == 1 && layout_.shards <= 1)) return;
        ChangeBatch changes;
        changes.add(HandoversCleared{});
        changes.add(broker_.layout());
        for (Shard* const shard : shards_) changes.absorb(shard->changes());
        store.append(shards_[0]->number(), changes);
    }

    Session* find(SessionNumber number) {
        const auto found = sessions_.find(number);
        if (found != sessions_.end()) return found->second.session;
        ++left_out_;
        return nullptr;
    }

    Broker& broker_;
    std::span<Shard* const> shards_;
    std::unordered_map<SessionNumber, Restored> sessions_;
    LayoutKept layout_;  // Of the process that stored it all; no shards = there was none.
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t>
        taken_;  // By sender, receiver.
    std::vector<HandoverKept> missed_;
    std::map<std::pair<std::string, std::string>, PublisherRef> publishers_;  // By client and user.
    std::size_t left_out_ = 0;
};

}  // namespace

void recover(Broker& broker, std::span<Shard* const> shards) {
    Recovery recovery(broker, shards);
    broker.store().set_restored_bytes_max(broker.first_options()->queue_memory_max);
    broker.store().restore([&](const Change& change) { recovery.apply(change); });
    recovery.finish();
}

}  // namespace broker
