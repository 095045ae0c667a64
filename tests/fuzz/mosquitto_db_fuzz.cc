// Any bytes as mosquitto.db. What comes over from them fits together: a broker restores it without
// leaving anything out.
#include <cstddef>
#include <cstdint>
#include <set>

#include "base/assert.h"
#include "storage/memory_store.h"
#include "storage/mosquitto_import.h"
#include "support/broker_world.h"

namespace {

using broker::OutgoingState;

// Checks the order of the changes, and counts them as the summary does.
class Judge {
public:
    void take(const broker::SessionKept& kept) {
        ASSERT(kept.expiry_s != 0 && kept.left_wall_ms >= 0 && !kept.client_id.empty());
        ASSERT(sessions_.insert(kept.session).second);
        last_order_ = 0;
    }
    void take(const broker::SubscriptionKept& kept) {
        ASSERT(sessions_.contains(kept.session));
        ++subscriptions_;
    }
    void take(const broker::MessageKept& kept) {
        ASSERT(sessions_.contains(kept.session) && kept.order == ++last_order_);
        ASSERT(kept.qos != mqtt::Qos::at_most_once);
        ASSERT(kept.message || kept.state == OutgoingState::wait_pubcomp);
        ASSERT((kept.packet_id == 0) == (kept.state == OutgoingState::done));
        ++messages_;
    }
    void take(const broker::ReceivedKept& kept) {
        ASSERT(sessions_.contains(kept.session) && kept.packet_id != 0);
        ++received_;
    }
    void take(const broker::RetainedKept& kept) {
        ASSERT(!kept.message->payload().empty());
        ++retained_;
    }
    template <typename Other>
    void take(const Other&) {
        ASSERT(false);
    }

    void compare(const storage::MosquittoSummary& summary) const {
        ASSERT(summary.sessions == sessions_.size());
        ASSERT(summary.subscriptions == subscriptions_);
        ASSERT(summary.queued + summary.in_flight == messages_);
        ASSERT(summary.contents <= messages_);
        ASSERT(summary.received == received_);
        ASSERT(summary.retained == retained_);
        ASSERT(summary.damaged == 0 || !summary.damage.empty());
    }

private:
    std::set<broker::SessionNumber> sessions_;
    std::uint64_t last_order_ = 0;
    std::uint64_t subscriptions_ = 0;
    std::uint64_t messages_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t retained_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Judge judge;
    broker::ChangeBatch changes;
    const auto summary = storage::read_mosquitto_db({data, size}, {}, [&](broker::Change&& change) {
        std::visit([&](const auto& one) { judge.take(one); }, change);
        changes.add(std::move(change));
    });
    if (!summary) {
        ASSERT(!summary.error().empty() && changes.empty());
        return 0;
    }
    judge.compare(*summary);
    ASSERT(to_string(*summary).starts_with("came over: "));

    storage::MemoryStore store;
    store.append(0, changes);
    support::BrokerWorld world(2, {}, &store);
    ASSERT(!world.log.contains("do not fit together"));
    world.settle();
    ASSERT(world.violation().empty());
    return 0;
}
