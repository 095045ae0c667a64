#include "broker/output_gate.h"

#include "broker/connection.h"

namespace broker {

void OutputGate::close_turn(TurnPromise promise) {
    if (held_now_.empty()) return;
    Turn turn{std::move(promise), {}};
    turn.holds.reserve(held_now_.size());
    for (Connection* connection : held_now_) {
        base::OutputQueue& output = connection->wire().output();
        Held& held = held_[connection];
        const std::size_t bytes = output.withhold() - held.bytes;
        if (bytes == 0 && held.count > 0) continue;  // It was held twice in this turn.
        held.bytes += bytes;
        ++held.count;
        turn.holds.push_back({connection, bytes});
    }
    held_now_.clear();
    turns_.push_back(std::move(turn));
}

void OutputGate::release_first() {
    const Turn turn = std::move(turns_.front());
    turns_.pop_front();
    for (const Hold& hold : turn.holds) {
        if (hold.connection) open(hold);
    }
}

void OutputGate::open(const Hold& hold) {
    const auto found = held_.find(hold.connection);
    Held& held = found->second;
    held.bytes -= hold.bytes;
    base::OutputQueue& output = hold.connection->wire().output();
    if (--held.count == 0) {
        held_.erase(found);
        output.release_all();
    } else {
        output.release(hold.bytes);
    }
    hold.connection->on_released();
}

void OutputGate::forget(Connection& connection) {
    std::erase(held_now_, &connection);
    if (held_.erase(&connection) == 0) return;
    for (Turn& turn : turns_) {
        for (Hold& hold : turn.holds) {
            if (hold.connection == &connection) hold.connection = nullptr;
        }
    }
}

}  // namespace broker
