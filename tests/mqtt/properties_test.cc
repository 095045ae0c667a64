// Which packet may carry which property, table 2-4 of section 2.2.2.2, tried for all of them.
#include "mqtt/properties.h"

#include "mqtt/codec_table.h"

namespace mqtt::testing {
namespace {

struct Carrier {
    char letter;
    const char* before;  // Up to the property section's length.
    const char* after;
};

// AUTH needs a method besides, and a will needs its CONNECT.
constexpr Carrier carriers[] = {
    {'C', "10 [(MQTT) 05 02 0000 [", "] (c)]"},
    {'W', "10 [(MQTT) 05 06 0000 00 (c) [", "] (w) (x)]"},
    {'c', "20 [00 00 [", "]]"},
    {'P', "30 [(a) [", "]]"},
    {'1', "40 [0001 00 [", "]]"},
    {'2', "50 [0001 00 [", "]]"},
    {'3', "62 [0001 00 [", "]]"},
    {'4', "70 [0001 00 [", "]]"},
    {'S', "82 [0001 [", "] (a) 00]"},
    {'s', "90 [0001 [", "] 00]"},
    {'U', "A2 [0001 [", "] (a)]"},
    {'u', "B0 [0001 [", "] 00]"},
    {'D', "E0 [00 [", "]]"},
    {'A', "F0 [18 [", "]]"},
};

struct Property {
    const char* name;
    const char* text;
    std::string_view in;  // The letters of the carriers that may have it.
};

constexpr Property properties[] = {
    {"payload format indicator", "01 01", "PW"},
    {"message expiry interval", "02 00000001", "PW"},
    {"content type", "03 (x)", "PW"},
    {"response topic", "08 (x)", "PW"},
    {"correlation data", "09 (x)", "PW"},
    {"subscription identifier", "0B 01", "PS"},
    {"session expiry interval", "11 00000001", "CcD"},
    {"assigned client identifier", "12 (x)", "c"},
    {"server keep alive", "13 0001", "c"},
    {"authentication method", "15 (x)", "CcA"},
    {"authentication data", "16 (x)", "CcA"},
    {"request problem information", "17 01", "C"},
    {"will delay interval", "18 00000001", "W"},
    {"request response information", "19 01", "C"},
    {"response information", "1A (x)", "c"},
    {"server reference", "1C (x)", "cD"},
    {"reason string", "1F (x)", "c1234suDA"},
    {"receive maximum", "21 0001", "Cc"},
    {"topic alias maximum", "22 0001", "Cc"},
    {"topic alias", "23 0001", "P"},
    {"maximum QoS", "24 01", "c"},
    {"retain available", "25 01", "c"},
    {"user property", "26 (k)(v)", "CWcP1234SsUuDA"},
    {"maximum packet size", "27 00000001", "Cc"},
    {"wildcard subscription available", "28 01", "c"},
    {"subscription identifier available", "29 01", "c"},
    {"shared subscription available", "2A 01", "c"},
};

// A method where one is needed for the rest to be valid.
std::string method_for(const Carrier& carrier, std::string_view property) {
    const bool is_method = property.starts_with("15");
    const bool needs_method = carrier.letter == 'A' || property.starts_with("16");
    const bool may_have_one =
        carrier.letter == 'A' || carrier.letter == 'C' || carrier.letter == 'c';
    return needs_method && may_have_one && !is_method ? "15 (m) " : "";
}

ReasonCode outcome(const Carrier& carrier, const std::string& section) {
    const std::vector<std::uint8_t> bytes = packet(carrier.before + section + carrier.after);
    return recode(whole_frame(bytes, Version::v5), Version::v5).reason;
}

TEST(Properties, each_is_allowed_in_its_packets_only) {
    for (const Property& property : properties) {
        for (const Carrier& carrier : carriers) {
            SCOPED_TRACE(std::string(property.name) + " in " + carrier.letter);
            const bool is_allowed = property.in.find(carrier.letter) != std::string_view::npos;
            const std::string section = method_for(carrier, property.text) + property.text;
            EXPECT_EQ(outcome(carrier, section),
                      is_allowed ? ReasonCode::success : ReasonCode::malformed_packet);
        }
    }
}

TEST(Properties, a_second_one_is_a_protocol_error) {
    for (const Property& property : properties) {
        for (const Carrier& carrier : carriers) {
            if (property.in.find(carrier.letter) == std::string_view::npos) continue;
            SCOPED_TRACE(std::string(property.name) + " in " + carrier.letter);
            const std::string_view text = property.text;
            const bool may_repeat =
                text.starts_with("26") || (text.starts_with("0B") && carrier.letter == 'P');
            const std::string section =
                method_for(carrier, text) + property.text + " " + property.text;
            EXPECT_EQ(outcome(carrier, section),
                      may_repeat ? ReasonCode::success : ReasonCode::protocol_error);
        }
    }
}

TEST(Properties, no_other_id_is_known) {
    for (unsigned id = 0; id < 256; ++id) {
        char hex[8];
        // Past 127 an id takes two bytes.
        std::snprintf(hex, sizeof hex, id < 128 ? "%02X" : "%02X01", id);
        const auto is_this = [&](const Property& property) {
            return std::string_view(property.text).starts_with(hex);
        };
        if (std::any_of(std::begin(properties), std::end(properties), is_this)) continue;
        for (const Carrier& carrier : carriers) {
            EXPECT_EQ(outcome(carrier, std::string(hex) + " 01"), ReasonCode::malformed_packet)
                << hex << " in " << carrier.letter;
        }
    }
}

TEST(UserProperties, skips_what_is_between) {
    const std::vector<std::uint8_t> encoded =
        packet("01 01 26(a)(1) 02 00000001 0B 8001 26()() 09(xyz) 13 0001 26(a)(2) 03(t)");
    const UserProperties user(encoded);
    std::vector<std::string> pairs;
    user.for_each([&](const UserProperties::Pair& pair) {
        pairs.push_back(std::string(pair.key) + "=" + std::string(pair.value));
    });
    EXPECT_EQ(pairs, (std::vector<std::string>{"a=1", "=", "a=2"}));
    EXPECT_EQ(user.count(), 3U);
    EXPECT_FALSE(user.empty());

    std::vector<std::uint8_t> written;
    Writer out(written);
    user.write(out);
    EXPECT_EQ(written, packet("26(a)(1) 26()() 26(a)(2)"));
    EXPECT_EQ(user.encoded_size(), written.size());
}

TEST(UserProperties, may_be_none) {
    EXPECT_TRUE(UserProperties().empty());
    const std::vector<std::uint8_t> encoded = packet("01 01 03(t)");
    EXPECT_TRUE(UserProperties(encoded).empty());
    EXPECT_EQ(UserProperties(encoded).encoded_size(), 0U);
}

}  // namespace
}  // namespace mqtt::testing
