// MQTT in the binary frames of a WebSocket, the server's half: wslay reads the frames.
//
// Data is handed on as it comes, whatever frames it is in [MQTT-6.0.0-2], so that a frame of any
// length needs no buffer; what a flush sends is one frame. No extensions, so nothing is compressed.
//
// Owned by its stream; thread: the stream's. Limits: the request that opens it
// (UpgradeRequest::request_bytes_max), frames of frame_bytes_max, control frames of 125 bytes;
// wslay has 8 KB of buffers for each connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/layer.h"

struct wslay_event_context;

namespace net {

#if defined(NIGHTJAR_WSLAY) && defined(NIGHTJAR_OPENSSL)
inline constexpr bool has_web_socket = true;
#else
inline constexpr bool has_web_socket = false;
#endif

class WebSocketLayer : public Layer {
public:
    // As much as the largest packet of MQTT.
    static constexpr std::uint64_t frame_bytes_max = std::uint64_t{268'435'460};

    // `origins` are borrowed for the layer's life: those of the listener.
    explicit WebSocketLayer(const std::vector<std::string>& origins);
    ~WebSocketLayer() override;

    Status receive(base::Bytes bytes, ByteBuffer& plain, base::OutputQueue& wire) override;
    bool is_ready() const override { return is_open_; }
    Status send(base::OutputQueue& plain, base::OutputQueue& wire,
                std::size_t wire_bytes_max) override;
    void finish(base::OutputQueue& wire) override;
    PeerFacts facts() const override { return {.transport = "WebSocket"}; }
    std::string error() const override { return error_; }

private:
    friend struct WebSocketCalls;  // How wslay calls back.
    struct FreeFrames {
        void operator()(wslay_event_context* frames) const;
    };

    Status read_request(base::Bytes bytes, base::OutputQueue& wire);
    Status read_frames(base::Bytes bytes, ByteBuffer& plain, base::OutputQueue& wire);
    bool open();
    void close_with(std::uint16_t code, std::string_view why);
    Status fail(std::string error);

    const std::vector<std::string>& origins_;
    ByteBuffer request_;  // Until it is whole.
    std::unique_ptr<wslay_event_context, FreeFrames> frames_;
    // Of the call that is going on.
    base::Bytes incoming_;
    ByteBuffer* plain_ = nullptr;
    base::OutputQueue* wire_ = nullptr;

    std::string error_;
    bool is_open_ = false;
    bool is_data_ = false;  // The frame that is being read carries MQTT.
};

}  // namespace net
