// Every decoder: none crashes, and what decodes, encoded again, decodes to the same.
//
//     input := version (its remainder by 3 counts), one packet from its fixed header on
#include <cstdlib>

#include "../mqtt/recode.h"

namespace {

using mqtt::Version;

void require(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    constexpr Version versions[] = {Version::v3_1, Version::v3_1_1, Version::v5};
    const Version version = versions[data[0] % 3];
    const mqtt::FrameResult input = mqtt::next_frame({data + 1, size - 1}, 0, version);
    if (input.status != mqtt::FrameResult::Status::whole) return 0;
    const mqtt::testing::Recoded first = mqtt::testing::recode(input.frame, version);
    if (first.reason != mqtt::ReasonCode::success) return 0;

    // 3.1 is sent no failure in a SUBACK, but one that its server sends is understood.
    if (input.frame.type == mqtt::PacketType::suback && version == Version::v3_1) return 0;
    const mqtt::FrameResult output = mqtt::next_frame(first.bytes, 0, version);
    require(output.status == mqtt::FrameResult::Status::whole);
    require(output.frame.size == first.bytes.size());
    const mqtt::testing::Recoded second = mqtt::testing::recode(output.frame, version);
    require(second.reason == mqtt::ReasonCode::success);
    require(second.words == first.words);
    require(second.bytes == first.bytes);
    return 0;
}
