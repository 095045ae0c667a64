#include "broker/recovery.h"

#include <algorithm>
#include <unordered_map>

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
        if (!broker_.retained().set(kept.message).is_accepted()) ++left_out_;
    }
    // A store restores what is kept, not how it came to be.
    template <typename Other>
    void put(const Other&) {
        ++left_out_;
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
    std::size_t left_out_ = 0;
};

}  // namespace

void recover(Broker& broker, std::span<Shard* const> shards) {
    Recovery recovery(broker, shards);
    broker.store().restore([&](const Change& change) { recovery.apply(change); });
    recovery.finish();
}

}  // namespace broker
