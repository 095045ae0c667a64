#include "support/fake_wire.h"

#include <algorithm>
#include <array>

namespace support {

void FakeWire::complain(const std::string& sentence) {
    if (violation.empty()) violation = sentence;
}

void FakeWire::mark_dirty() {
    if (is_closing) complain("wrote to a closed wire");
}

void FakeWire::close() {
    if (is_closing) complain("closed a wire twice");
    is_closing = true;
    size_at_close_ = queue_.size();
}

bool FakeWire::flush() {
    if (is_closing && queue_.size() > size_at_close_) complain("queued bytes on a closed wire");
    bool moved = false;
    while (room > 0 && queue_.sendable() > 0) {
        std::array<iovec, 8> vectors{};
        const std::size_t count = queue_.gather(vectors);
        std::size_t taken = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t size = std::min(room - taken, vectors[i].iov_len);
            const auto* from = static_cast<const std::uint8_t*>(vectors[i].iov_base);
            bytes_.insert(bytes_.end(), from, from + size);
            taken += size;
        }
        queue_.consume(taken);
        if (room != no_limit) room -= taken;
        moved = true;
    }
    is_backed_up = queue_.sendable() > 0;
    size_at_close_ = std::min(size_at_close_, queue_.size());
    if (moved) decode();
    return moved;
}

void FakeWire::decode() {
    std::size_t position = 0;
    for (;;) {
        const auto next = mqtt::next_frame(base::Bytes(bytes_).subspan(position), 0, version);
        if (next.status == mqtt::FrameResult::Status::incomplete) break;
        if (next.status == mqtt::FrameResult::Status::refused) {
            complain("sent bytes that are not MQTT");
            position = bytes_.size();
            break;
        }
        position += next.frame.size;
        const auto packet = decode_from_server(next.frame, version);
        if (!packet) {
            complain("sent a packet that does not decode, type " +
                     std::to_string(static_cast<int>(next.frame.type)));
            continue;
        }
        if (!on_packet || on_packet(*packet)) received.push_back(*packet);
    }
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(position));
}

}  // namespace support
