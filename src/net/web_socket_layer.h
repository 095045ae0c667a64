// MQTT in the binary frames of a WebSocket, either half: wslay reads the frames.
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

// What a client asks for.
struct WebSocketTarget {
    std::string host{};  // As the request names it: "example.org:8080", "[::1]:8080".
    std::string path = "/mqtt";
    std::string subprotocol = "mqtt";  // Or mqttv3.1.
};

class WebSocketLayer : public Layer {
public:
    // As much as the largest packet of MQTT.
    static constexpr std::uint64_t frame_bytes_max = std::uint64_t{268'435'460};

    // `origins` are borrowed for the layer's life: those of the listener.
    explicit WebSocketLayer(const std::vector<std::string>& origins);
    // The half that connects.
    explicit WebSocketLayer(WebSocketTarget target);
    ~WebSocketLayer() override;

    Status start(base::OutputQueue& wire) override;

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

    struct Asked;  // What a client waits for.

    Status read_head(base::Bytes bytes, base::OutputQueue& wire);
    Status read_request(base::OutputQueue& wire);
    Status read_answer();
    Status read_frames(base::Bytes bytes, ByteBuffer& plain, base::OutputQueue& wire);
    bool open();
    void close_with(std::uint16_t code, std::string_view why);
    Status fail(std::string error);

    const std::vector<std::string>* origins_ = nullptr;  // A server's.
    std::unique_ptr<Asked> asked_;                       // A client's.
    ByteBuffer head_;  // The request, or the answer to it, until it is whole.
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
