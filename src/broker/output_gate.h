// Keeps what a connection was told from reaching its socket before it is true on disk (output
// commit): an acknowledgement promises what the turn's changes say.
//
// Each turn may hold outputs; they wait until that turn's promise is kept: until its batch is safe,
// and what it handed to other shards. They are released in the order of the turns. What a turn adds
// to a held output waits behind it, so order stays. An output that backed up earlier waits along.
//
// Owned by a Shard, and used only with a store that records. Limit: one entry for each connection
// and turn on its way to the disk.
#pragma once

#include <deque>
#include <unordered_map>
#include <vector>

#include "broker/handovers.h"
#include "broker/store.h"

namespace broker {

class Connection;

// What one turn told clients stands on this.
struct TurnPromise {
    CommitNumber number = 0;  // 0 = the turn has changed nothing.
    std::vector<Handover> handovers;
};

class OutputGate {
public:
    // What the connection is told in this turn must wait for this turn's changes.
    void hold(Connection& connection) {
        if (held_now_.empty() || held_now_.back() != &connection) held_now_.push_back(&connection);
    }
    // The turn is over: what it holds waits for that.
    void close_turn(TurnPromise promise);
    // The turn is over, and there is nothing to wait for.
    void open_turn() { held_now_.clear(); }
    // Lets out what the first turns hold, as long as `is_kept(promise)` says so.
    template <typename IsKept>
    void release(IsKept&& is_kept) {
        while (!turns_.empty() && is_kept(turns_.front().promise)) release_first();
    }
    // The connection is going away.
    void forget(Connection& connection);

private:
    struct Hold {
        Connection* connection;  // Null once forgotten.
        std::size_t bytes;       // Of its output: what this turn put behind the earlier ones.
    };
    struct Turn {
        TurnPromise promise;
        std::vector<Hold> holds;
    };
    struct Held {
        std::size_t count = 0;
        std::size_t bytes = 0;
    };

    void release_first();
    void open(const Hold& hold);

    std::vector<Connection*> held_now_;
    std::deque<Turn> turns_;
    std::unordered_map<Connection*, Held> held_;
};

}  // namespace broker
