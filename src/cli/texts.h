// Sentences of the tools: what a reason code is called, and the lines of -d.
#pragma once

#include <string>
#include <string_view>

#include "client/event.h"
#include "client/session.h"

namespace cli {

// As mosquitto_pub and the others say it, for scripts that look: "Not authorized".
std::string_view reason_text(mqtt::ReasonCode reason);
// Of a CONNACK: the reason in 5.0, the return code's sentence below.
std::string connack_text(const mqtt::Connack& connack, mqtt::Version version);
// "Client x sending CONNECT", without an end of line.
std::string trace_text(const client::Traced& traced, const client::Session& session);

}  // namespace cli
