#include "net/stacked_layer.h"

#include <limits>

namespace net {

Layer::Status StackedLayer::start(base::OutputQueue& wire) {
    upper_shall_start_ = true;
    return lower_->start(wire);
}

Layer::Status StackedLayer::start_upper(base::OutputQueue& wire) {
    upper_shall_start_ = false;
    base::ChunkPool pool(0);
    base::OutputQueue middle(pool);
    if (upper_->start(middle) != Status::open) return Status::failed;
    return pass_down(middle, wire);
}

Layer::Status StackedLayer::receive(base::Bytes bytes, ByteBuffer& plain, base::OutputQueue& wire) {
    ByteBuffer inner;
    const Status below = lower_->receive(bytes, inner, wire);
    if (below == Status::open && upper_shall_start_ && lower_->is_ready()) {
        if (start_upper(wire) != Status::open) return Status::failed;
    }
    if (inner.empty()) return below;
    base::ChunkPool pool(0);
    base::OutputQueue middle(pool);
    const Status above = upper_->receive(inner.bytes(), plain, middle);
    if (below != Status::open) return below;
    if (pass_down(middle, wire) != Status::open) return Status::failed;
    if (above != Status::open) lower_->finish(wire);
    return above;
}

// All of it: how much there is, the upper layer has bounded.
Layer::Status StackedLayer::pass_down(base::OutputQueue& middle, base::OutputQueue& wire) {
    if (middle.empty() || !lower_->is_ready()) return Status::open;
    return lower_->send(middle, wire, std::numeric_limits<std::size_t>::max());
}

Layer::Status StackedLayer::send(base::OutputQueue& plain, base::OutputQueue& wire,
                                 std::size_t wire_bytes_max) {
    if (wire.size() >= wire_bytes_max) return Status::open;
    base::ChunkPool pool(0);
    base::OutputQueue middle(pool);
    const Status above = upper_->send(plain, middle, wire_bytes_max - wire.size());
    const Status below = pass_down(middle, wire);
    return above != Status::open ? above : below;
}

void StackedLayer::finish(base::OutputQueue& wire) {
    base::ChunkPool pool(0);
    base::OutputQueue middle(pool);
    upper_->finish(middle);
    if (pass_down(middle, wire) == Status::open) lower_->finish(wire);
}

PeerFacts StackedLayer::facts() const {
    PeerFacts facts = lower_->facts();
    const PeerFacts inner = upper_->facts();
    if (!facts.transport.empty() && !inner.transport.empty()) facts.transport += ", ";
    facts.transport += inner.transport;
    if (!facts.user) facts.user = inner.user;
    return facts;
}

std::string StackedLayer::error() const {
    const std::string below = lower_->error();
    return below.empty() ? upper_->error() : below;
}

}  // namespace net
