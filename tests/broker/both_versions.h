// The fixture of tests about what binds a server in MQTT 3.1.1 and in 5.0 alike: each of them runs
// once in each version, with a broker of its own.
//
//     class Pings : public BothVersions {};
//     INSTANTIATE_TEST_SUITE_P(In, Pings, both_versions, version_name);
//     TEST_P(Pings, MQTT_3_12_4_1_MQTT311_3_12_4_1_are_answered) { ... join("a") ... }
#pragma once

#include <string>
#include <vector>

#include "mqtt/bytes.h"
#include "mqtt/subscribe.h"
#include "mqtt/unsubscribe.h"
#include "support/broker_fixture.h"

namespace support {

using mqtt::testing::packet;

class BothVersions : public BrokerTest, public ::testing::WithParamInterface<Version> {
protected:
    bool is_v5() const { return GetParam() == v5; }
    ConnectTerms clean() const { return {.version = GetParam()}; }
    ConnectTerms kept() const { return persistent(GetParam()); }
    TestClient& join(const std::string& name) { return client(name).join(clean()); }
    TestClient& join_kept(const std::string& name) { return client(name).join(kept()); }
    // A connection that has said `text` (see mqtt/bytes.h) and nothing before.
    TestClient& say(const std::string& name, std::string_view text) {
        TestClient& opened = client(name).open();
        opened.wire().version = GetParam();
        return opened.send(packet(text));
    }
    // The connection ends; in 5.0 the server says why.
    void expect_end(TestClient& of, ReasonCode reason, Where where = Where::here()) const {
        if (is_v5()) of.expect(disconnected, reason, where);
        of.expect_closed(where);
    }

    struct Entry {
        std::string_view filter;
        int qos = 0;
    };
    // One SUBSCRIBE, one UNSUBSCRIBE for all of them.
    void subscribe(TestClient& from, PacketId id, const std::vector<Entry>& wanted) const {
        std::vector<mqtt::SubscribeEntry> entries;
        for (const Entry& each : wanted) {
            entries.push_back({each.filter, {.qos = static_cast<mqtt::Qos>(each.qos)}});
        }
        mqtt::Subscribe subscribe;
        subscribe.id = id;
        std::vector<std::uint8_t> bytes;
        mqtt::Writer out(bytes);
        mqtt::encode_subscribe(out, subscribe, entries, GetParam());
        from.send(bytes);
    }
    void unsubscribe(TestClient& from, PacketId id,
                     const std::vector<std::string_view>& filters) const {
        mqtt::Unsubscribe unsubscribe;
        unsubscribe.id = id;
        std::vector<std::uint8_t> bytes;
        mqtt::Writer out(bytes);
        mqtt::encode_unsubscribe(out, unsubscribe, filters, GetParam());
        from.send(bytes);
    }
};

inline const auto both_versions = ::testing::Values(v3_1_1, v5);

inline std::string version_name(const ::testing::TestParamInfo<Version>& version) {
    return version.param == v5 ? "v5" : "v3";
}

}  // namespace support
