// Two layers as one: the lower one (TLS) at the socket, the upper one (WebSocket) inside of it.
//
// Owned by its stream; thread: the stream's. Keeps nothing itself.
#pragma once

#include <memory>
#include <string>

#include "net/layer.h"

namespace net {

class StackedLayer : public Layer {
public:
    StackedLayer(std::unique_ptr<Layer> lower, std::unique_ptr<Layer> upper)
        : lower_(std::move(lower)), upper_(std::move(upper)) {}

    Status start(base::OutputQueue& wire) override;
    Status receive(base::Bytes bytes, ByteBuffer& plain, base::OutputQueue& wire) override;
    bool is_ready() const override { return lower_->is_ready() && upper_->is_ready(); }
    Status send(base::OutputQueue& plain, base::OutputQueue& wire,
                std::size_t wire_bytes_max) override;
    void finish(base::OutputQueue& wire) override;
    PeerFacts facts() const override;
    std::string error() const override;

private:
    Status start_upper(base::OutputQueue& wire);
    Status pass_down(base::OutputQueue& middle, base::OutputQueue& wire);

    std::unique_ptr<Layer> lower_;
    std::unique_ptr<Layer> upper_;
    bool upper_shall_start_ = false;  // As soon as the lower one is ready.
};

}  // namespace net
