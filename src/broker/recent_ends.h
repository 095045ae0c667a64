// Sessions whose end is recorded and not safe yet. A client that comes back meanwhile finds no
// session, and must not be told so before it is true on disk: after a crash the old one would be
// there again, with all its messages.
//
// Owned by a Shard, and used only with a store that records. Thread: the shard's. Limit: the ends
// on their way to the disk.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"
#include "broker/store.h"

namespace broker {

class RecentEnds {
public:
    // In this turn.
    void add(std::string_view client_id, SessionNumber session) {
        ends_.insert_or_assign(std::string(client_id), End{session, unknown});
        order_.push_back({std::string(client_id), unknown});
    }
    // The turn's changes have this number.
    void close_turn(CommitNumber number) {
        for (auto one = order_.rbegin(); one != order_.rend() && one->number == unknown; ++one) {
            one->number = number;
            ends_.find(one->client_id)->second.number = number;
        }
    }
    // So much is safe.
    void forget(CommitNumber committed) {
        while (!order_.empty() && order_.front().number <= committed) {
            const auto found = ends_.find(order_.front().client_id);
            if (found != ends_.end() && found->second.number <= committed) ends_.erase(found);
            order_.pop_front();
        }
    }
    // In an earlier turn.
    std::optional<SessionNumber> find(std::string_view client_id) const {
        if (ends_.empty()) return std::nullopt;
        const auto found = ends_.find(client_id);
        if (found == ends_.end() || found->second.number == unknown) return std::nullopt;
        return found->second.session;
    }

private:
    static constexpr CommitNumber unknown = UINT64_MAX;
    struct End {
        SessionNumber session{};
        CommitNumber number = 0;
    };
    struct Order {
        std::string client_id;
        CommitNumber number = 0;
    };

    std::unordered_map<std::string, End, base::TextHash, std::equal_to<>> ends_;
    std::deque<Order> order_;
};

}  // namespace broker
