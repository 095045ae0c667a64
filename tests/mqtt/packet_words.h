// Says in words all that a packet holds, "name=value" for each field that is there: two packets are
// the same if their words are.
#pragma once

#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "mqtt/ack.h"
#include "mqtt/auth.h"
#include "mqtt/connack.h"
#include "mqtt/connect.h"
#include "mqtt/disconnect.h"
#include "mqtt/publish.h"
#include "mqtt/subscribe.h"
#include "mqtt/unsubscribe.h"

namespace mqtt::testing {

// Collects "name=value" of each field that is there.
class Words {
public:
    void add(const char* name, std::uint64_t value) { out_ << name << '=' << value << ' '; }
    void add(const char* name, std::string_view value) { out_ << name << "='" << value << "' "; }
    void add(const char* name, Bytes value) { add(name, base::as_text(value)); }
    void add(const char* name, ReasonCode value) { add(name, static_cast<unsigned>(value)); }
    void add(const char* name, Qos value) { add(name, static_cast<unsigned>(value)); }
    template <typename T>
    void add(const char* name, const std::optional<T>& value) {
        if (value) add(name, *value);
    }
    void add(const UserProperties& user) {
        user.for_each([&](const UserProperties::Pair& pair) {
            add("key", pair.key);
            add("value", pair.value);
        });
        add("user properties", user.count());
    }
    void add(const MessageProperties& message) {
        add("format", message.payload_format);
        add("expiry", message.message_expiry_s);
        if (message.has_content_type) add("content type", message.content_type);
        if (message.has_response_topic) add("response topic", message.response_topic);
        if (message.has_correlation_data) add("correlation", message.correlation_data);
        add(message.user);
    }
    std::string text() const { return out_.str(); }

private:
    std::ostringstream out_;
};

inline void say(Words& words, const Connect& packet) {
    words.add("version", static_cast<unsigned>(packet.version));
    words.add("bridge", packet.is_bridge);
    words.add("clean", packet.clean_start);
    words.add("keep alive", packet.keep_alive_s);
    words.add("id", packet.client_id);
    if (packet.will) {
        words.add("will topic", packet.will->topic);
        words.add("will payload", packet.will->payload);
        words.add("will qos", packet.will->qos);
        words.add("will retain", packet.will->retain);
        words.add("will delay", packet.will->delay_s);
        words.add(packet.will->properties);
    }
    words.add("user", packet.user_name);
    words.add("password", packet.password);
    words.add("session expiry", packet.session_expiry_s);
    words.add("receive maximum", packet.receive_maximum);
    words.add("maximum packet size", packet.maximum_packet_size);
    words.add("alias maximum", packet.topic_alias_maximum);
    words.add("response information", packet.request_response_information);
    words.add("problem information", packet.request_problem_information);
    words.add("method", packet.authentication_method);
    words.add("data", packet.authentication_data);
    words.add(packet.user);
}

inline void say(Words& words, const Connack& packet) {
    words.add("present", packet.session_present);
    words.add("reason", packet.reason);
    words.add("return code", packet.return_code_v3);
    words.add("session expiry", packet.session_expiry_s);
    words.add("receive maximum", packet.receive_maximum);
    words.add("maximum qos", packet.maximum_qos);
    words.add("retain", packet.retain_available);
    words.add("maximum packet size", packet.maximum_packet_size);
    words.add("assigned id", packet.assigned_client_id);
    words.add("alias maximum", packet.topic_alias_maximum);
    words.add("reason string", packet.reason_string);
    words.add(packet.user);
    words.add("wildcards", packet.wildcard_subscription_available);
    words.add("subscription ids", packet.subscription_identifier_available);
    words.add("shared", packet.shared_subscription_available);
    words.add("keep alive", packet.server_keep_alive_s);
    words.add("response information", packet.response_information);
    words.add("reference", packet.server_reference);
    words.add("method", packet.authentication_method);
    words.add("data", packet.authentication_data);
}

inline void say(Words& words, const Publish& packet) {
    words.add("qos", packet.qos);
    words.add("retain", packet.retain);
    words.add("dup", packet.dup);
    words.add("id", packet.id);
    words.add("topic", packet.topic);
    words.add("payload", packet.payload);
    words.add("alias", packet.topic_alias);
    words.add(packet.properties);
    for (const std::uint32_t id : subscription_ids(packet)) words.add("subscription", id);
}

inline void say(Words& words, const Ack& packet) {
    words.add("type", static_cast<unsigned>(packet.type));
    words.add("id", packet.id);
    words.add("reason", packet.reason);
    words.add("reason string", packet.reason_string);
    words.add(packet.user);
}

inline void say(Words& words, const Subscribe& packet) {
    words.add("id", packet.id);
    words.add("subscription", packet.subscription_id);
    words.add(packet.user);
    packet.for_each([&](const SubscribeEntry& entry) {
        words.add("filter", entry.filter);
        words.add("qos", entry.options.qos);
        words.add("no local", entry.options.no_local);
        words.add("as published", entry.options.retain_as_published);
        words.add("handling", static_cast<unsigned>(entry.options.retain_handling));
    });
    words.add("entries", packet.count());
}

inline void say(Words& words, const Unsubscribe& packet) {
    words.add("id", packet.id);
    words.add(packet.user);
    packet.for_each([&](std::string_view filter) { words.add("filter", filter); });
    words.add("filters", packet.count());
}

// SUBACK and UNSUBACK.
template <typename Packet>
void say_reasons(Words& words, const Packet& packet) {
    words.add("id", packet.id);
    words.add("reason string", packet.reason_string);
    words.add(packet.user);
    for (const std::uint8_t reason : packet.reasons) words.add("reason", reason);
}
inline void say(Words& words, const Suback& packet) {
    say_reasons(words, packet);
}
inline void say(Words& words, const Unsuback& packet) {
    say_reasons(words, packet);
}

inline void say(Words& words, const Disconnect& packet) {
    words.add("reason", packet.reason);
    words.add("session expiry", packet.session_expiry_s);
    words.add("reason string", packet.reason_string);
    words.add("reference", packet.server_reference);
    words.add(packet.user);
}

inline void say(Words& words, const Auth& packet) {
    words.add("reason", packet.reason);
    words.add("method", packet.authentication_method);
    words.add("data", packet.authentication_data);
    words.add("reason string", packet.reason_string);
    words.add(packet.user);
}

}  // namespace mqtt::testing
