// %j and %J: a message as a JSON object, key for key as mosquitto_sub writes it.
#include <nlohmann/json.hpp>

#include "cli/format.h"
#include "mqtt/utf8.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;
using mqtt::PropertyId;

constexpr const char* user_properties = "user-properties";
// JsonWriter calls itself once a level.
constexpr int depth_max = 1'000;

std::string timestamp(const WallTime& time) {
    char text[100];
    std::string out(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &time.local));
    const int digits = std::snprintf(text, sizeof text, "%06ldZ", time.nanoseconds / 1'000);
    out.append(text, static_cast<std::size_t>(digits));
    out.append(text, std::strftime(text, sizeof text, "%z", &time.local));
    return out;
}

// As text if it is UTF-8, else as the numbers of its bytes.
Json bytes_as_json(mqtt::Bytes bytes) {
    if (mqtt::is_valid_utf8(base::as_text(bytes))) return base::as_text(bytes);
    Json array = Json::array();
    for (const std::uint8_t byte : bytes) array.push_back(byte);
    return array;
}

// Reads one property's value from `in` into `out`.
void put_property(Json& out, PropertyId id, mqtt::Reader& in) {
    switch (id) {
        case PropertyId::payload_format_indicator:
            out["payload-format-indicator"] = in.u8();
            return;
        case PropertyId::message_expiry_interval:
            out["message-expiry-interval"] = in.u32();
            return;
        case PropertyId::content_type:
            out["content-type"] = in.raw_text();
            return;
        case PropertyId::response_topic:
            out["response-topic"] = in.raw_text();
            return;
        case PropertyId::correlation_data:
            out["correlation-data"] = bytes_as_json(in.binary());
            return;
        case PropertyId::subscription_identifier:
            out["subscription-identifier"] = in.variable_int();
            return;
        case PropertyId::topic_alias:
            out["topic-alias"] = in.u16();
            return;
        default:
            break;
    }
    // The only one left: the packet has been decoded before. Keys may repeat, so JsonWriter makes
    // one object of these pairs.
    const std::string_view key = in.raw_text();
    out[user_properties].push_back({key, in.raw_text()});
}

// In the order of the packet.
Json properties_as_json(mqtt::Bytes encoded) {
    Json out = Json::object();
    mqtt::Reader in(encoded);
    while (in.left() > 0) {
        const auto id = static_cast<PropertyId>(in.u8());
        put_property(out, id, in);
    }
    return out;
}

// A number as cJSON, which mosquitto_sub uses, writes it: all are doubles.
std::string number_text(double value) {
    char text[64];
    int size = std::snprintf(text, sizeof text, "%1.15g", value);
    if (std::strtod(text, nullptr) != value) {
        size = std::snprintf(text, sizeof text, "%1.17g", value);
    }
    return {text, static_cast<std::size_t>(size)};
}

// Writes as cJSON does: pretty objects have a tab for each level and one behind each colon.
class JsonWriter {
public:
    explicit JsonWriter(bool pretty) : pretty_(pretty) {}

    void write(const Json& value) {
        if (value.is_object()) {
            write_object(value);
        } else if (value.is_array()) {
            write_array(value);
        } else if (value.is_number()) {
            out_ += number_text(value.get<double>());
        } else {
            out_ += value.dump(-1, ' ', false, Json::error_handler_t::replace);
        }
    }
    // The message itself, whose "properties" may have one user property twice.
    void write_message(const Json& message) {
        write_open();
        bool first = true;
        for (const auto& [key, value] : message.items()) {
            if (!first) out_ += ',';
            first = false;
            write_key(key);
            key == "properties" ? write_properties(value) : write(value);
        }
        close_object();
    }
    std::string take() { return std::move(out_); }

private:
    void write_object(const Json& object) {
        write_open();
        bool first = true;
        for (const auto& [key, value] : object.items()) {
            if (!first) out_ += ',';
            first = false;
            write_key(key);
            write(value);
        }
        close_object();
    }
    void write_properties(const Json& properties) {
        write_open();
        bool first = true;
        for (const auto& [key, value] : properties.items()) {
            if (!first) out_ += ',';
            first = false;
            write_key(key);
            key == user_properties ? write_pairs(value) : write(value);
        }
        close_object();
    }
    void write_pairs(const Json& pairs) {
        write_open();
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            if (i != 0) out_ += ',';
            write_key(pairs[i][0].get_ref<const std::string&>());
            write(pairs[i][1]);
        }
        close_object();
    }
    void write_open() {
        out_ += '{';
        ++depth_;
    }
    void write_key(const std::string& key) {
        new_line();
        write(Json(key));
        out_ += pretty_ ? ":\t" : ":";
    }
    void close_object() {
        --depth_;
        new_line();
        out_ += '}';
    }
    void write_array(const Json& array) {
        out_ += '[';
        for (std::size_t i = 0; i < array.size(); ++i) {
            if (i != 0) out_ += pretty_ ? ", " : ",";
            write(array[i]);
        }
        out_ += ']';
    }
    void new_line() {
        if (pretty_) out_.append("\n").append(depth_, '\t');
    }

    bool pretty_;
    std::size_t depth_ = 0;
    std::string out_;
};

}  // namespace

std::optional<std::string> format_json(const client::Received& message, const WallTime& time,
                                       bool payload_is_json, bool pretty) {
    const mqtt::Publish& publish = message.publish;
    Json out;
    out["tst"] = timestamp(time);
    out["topic"] = publish.topic;
    out["qos"] = static_cast<int>(publish.qos);
    out["retain"] = publish.retain ? 1 : 0;
    out["payloadlen"] = publish.payload.size();
    if (publish.qos != mqtt::Qos::at_most_once) out["mid"] = publish.id;
    if (!message.properties_as_sent.empty()) {
        out["properties"] = properties_as_json(message.properties_as_sent);
    }
    if (publish.payload.empty()) {
        out["payload"] = nullptr;
    } else if (!payload_is_json) {
        out["payload"] = bytes_as_json(publish.payload);
    } else {
        bool too_deep = false;
        const auto check_depth = [&](int depth, Json::parse_event_t, const Json&) {
            too_deep = too_deep || depth > depth_max;
            return !too_deep;
        };
        Json payload =
            Json::parse(publish.payload.begin(), publish.payload.end(), check_depth, false);
        if (payload.is_discarded() || too_deep) return std::nullopt;
        out["payload"] = std::move(payload);
    }
    JsonWriter writer(pretty);
    writer.write_message(out);
    return writer.take();
}

}  // namespace cli
