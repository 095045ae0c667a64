#include "client/options.h"

#include "mqtt/writer.h"

namespace client {

void UserProperties::add(std::string_view key, std::string_view value) {
    mqtt::Writer out(encoded_);
    out.u8(static_cast<std::uint8_t>(mqtt::PropertyId::user_property));
    out.text(key);
    out.text(value);
}

mqtt::MessageProperties MessageProperties::view() const {
    mqtt::MessageProperties out;
    out.payload_format = payload_format;
    out.message_expiry_s = message_expiry_s;
    out.has_content_type = content_type.has_value();
    if (content_type) out.content_type = *content_type;
    out.has_response_topic = response_topic.has_value();
    if (response_topic) out.response_topic = *response_topic;
    out.has_correlation_data = correlation_data.has_value();
    if (correlation_data) out.correlation_data = base::as_bytes(*correlation_data);
    out.user = user.view();
    return out;
}

}  // namespace client
