// The framer: the packets it finds do not depend on how the bytes arrive.
//
//     input := version, packet size limit, slice sizes' seed, a stream of bytes
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "mqtt/framer.h"

namespace {

using mqtt::FrameResult;
using mqtt::Version;

void require(bool condition) {
    if (!condition) std::abort();
}

struct Found {
    std::vector<std::size_t> sizes;
    mqtt::ReasonCode refusal = mqtt::ReasonCode::success;
    bool operator==(const Found&) const = default;
};

struct Limits {
    std::size_t packet_size_max;
    Version version;
};

// Frames from `consumed` on what is in `bytes` by now.
void frame_all(base::Bytes bytes, std::size_t& consumed, Limits limits, Found& found) {
    while (found.refusal == mqtt::ReasonCode::success) {
        const base::Bytes rest = bytes.subspan(consumed);
        const FrameResult result = mqtt::next_frame(rest, limits.packet_size_max, limits.version);
        if (result.status == FrameResult::Status::incomplete) {
            require(result.needed == 0 || result.needed > rest.size());
            return;
        }
        if (result.status == FrameResult::Status::refused) {
            found.refusal = result.reason;
            require(mqtt::is_failure(result.reason));
            return;
        }
        require(result.frame.size <= rest.size() && result.frame.size >= 2);
        require(result.frame.body.data() + result.frame.body.size() ==
                rest.data() + result.frame.size);
        found.sizes.push_back(result.frame.size);
        consumed += result.frame.size;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) return 0;
    constexpr Version versions[] = {Version::v3_1, Version::v3_1_1, Version::v5};
    const Limits limits = {data[1], versions[data[0] % 3]};
    unsigned seed = data[2];
    const base::Bytes stream(data + 3, size - 3);

    Found whole;
    std::size_t consumed = 0;
    frame_all(stream, consumed, limits, whole);

    Found sliced;
    consumed = 0;
    std::size_t arrived = 0;
    while (arrived < stream.size()) {
        seed = seed * 1103515245U + 12345U;
        const std::size_t slice = 1 + (seed >> 16) % 7;
        arrived = std::min(arrived + slice, stream.size());
        frame_all(stream.first(arrived), consumed, limits, sliced);
    }
    require(whole == sliced);
    return 0;
}
