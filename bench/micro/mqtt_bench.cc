// What one message costs in the protocol code: framing, decoding, topic checks.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "mqtt/framer.h"
#include "mqtt/publish.h"
#include "mqtt/topic.h"

namespace {

using mqtt::Version;

std::vector<std::uint8_t> publishes(mqtt::Qos qos, std::size_t payload_size, Version version,
                                    std::size_t count) {
    const std::vector<std::uint8_t> payload(payload_size, 'p');
    mqtt::Publish packet;
    packet.qos = qos;
    packet.id = qos == mqtt::Qos::at_most_once ? 0 : 1;
    packet.topic = "bench/pair/17/data";
    packet.payload = payload;
    std::vector<std::uint8_t> bytes;
    mqtt::Writer out(bytes);
    for (std::size_t i = 0; i < count; ++i) mqtt::encode(out, packet, version);
    return bytes;
}

// Arguments: QoS, payload size, protocol level.
void decode_publish(benchmark::State& state) {
    const auto version = static_cast<Version>(state.range(2));
    const auto bytes = publishes(static_cast<mqtt::Qos>(state.range(0)),
                                 static_cast<std::size_t>(state.range(1)), version, 1);
    const mqtt::Frame frame = mqtt::next_frame(bytes, 0, version).frame;
    for (auto _ : state) {
        auto packet = mqtt::decode_publish(frame.flags, frame.body, version);
        benchmark::DoNotOptimize(packet);
    }
}
BENCHMARK(decode_publish)
    ->Args({0, 64, 4})
    ->Args({1, 64, 4})
    ->Args({0, 64, 5})
    ->Args({0, 16384, 4});

// A read's worth of small packets, framed one by one; the time is for one packet.
void next_frame(benchmark::State& state) {
    constexpr std::size_t count = 100;
    const auto bytes = publishes(mqtt::Qos::at_most_once, static_cast<std::size_t>(state.range(0)),
                                 Version::v3_1_1, count);
    base::Bytes rest;
    for (auto _ : state) {
        if (rest.empty()) rest = bytes;
        const mqtt::FrameResult result = mqtt::next_frame(rest, 0, Version::v3_1_1);
        benchmark::DoNotOptimize(result.frame.body.data());
        rest = rest.subspan(result.frame.size);
    }
}
BENCHMARK(next_frame)->Arg(64)->Arg(1024);

void is_valid_topic_name(benchmark::State& state) {
    const std::string topic = std::string(static_cast<std::size_t>(state.range(0)) - 2, 'a') + "/b";
    for (auto _ : state) {
        benchmark::DoNotOptimize(topic.data());
        bool is_valid = mqtt::is_valid_topic_name(topic);
        benchmark::DoNotOptimize(is_valid);
    }
}
BENCHMARK(is_valid_topic_name)->Arg(7)->Arg(18)->Arg(64)->Arg(1000);

void matches(benchmark::State& state) {
    const std::string filter = "bench/+/17/#";
    const std::string topic = "bench/pair/17/data";
    for (auto _ : state) {
        benchmark::DoNotOptimize(filter.data());
        bool is_match = mqtt::matches(filter, topic);
        benchmark::DoNotOptimize(is_match);
    }
}
BENCHMARK(matches);

void encode_publish(benchmark::State& state) {
    const std::string payload(64, 'p');
    mqtt::Publish packet;
    packet.topic = "bench/pair/17/data";
    packet.payload = base::as_bytes(payload);
    std::vector<std::uint8_t> bytes;
    for (auto _ : state) {
        bytes.clear();
        mqtt::Writer out(bytes);
        mqtt::encode(out, packet, static_cast<Version>(state.range(0)));
        benchmark::DoNotOptimize(bytes.data());
    }
}
BENCHMARK(encode_publish)->Arg(4)->Arg(5);

}  // namespace
