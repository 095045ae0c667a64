// The setters of options that are more than one member of one kind.
#pragma once

#include "config/draft.h"
#include "config/words.h"

namespace config {

// special_settings.cc: the broker and its listeners.
Outcome set_accept_protocol_versions(Draft& draft, Words& words);
Outcome set_auto_id_prefix(Draft& draft, Words& words);
Outcome set_bind_address(Draft& draft, Words& words);
Outcome set_durability(Draft& draft, Words& words);
Outcome set_durability_topic(Draft& draft, Words& words);
Outcome set_enable_proxy_protocol(Draft& draft, Words& words);
Outcome set_listener(Draft& draft, Words& words);
Outcome set_listener_auto_id_prefix(Draft& draft, Words& words);
Outcome set_log_dest(Draft& draft, Words& words);
Outcome set_log_type(Draft& draft, Words& words);
Outcome set_max_inflight_messages(Draft& draft, Words& words);
Outcome set_mount_point(Draft& draft, Words& words);
Outcome set_nothing(Draft& draft, Words& words);
Outcome set_per_listener_settings(Draft& draft, Words& words);
Outcome set_persistent_client_expiration(Draft& draft, Words& words);
Outcome set_plugin(Draft& draft, Words& words);
Outcome set_plugin_load(Draft& draft, Words& words);
Outcome set_plugin_opt(Draft& draft, Words& words);
Outcome set_plugin_use(Draft& draft, Words& words);
Outcome set_port(Draft& draft, Words& words);
Outcome set_protocol(Draft& draft, Words& words);
Outcome set_proxy_protocol_trusted(Draft& draft, Words& words);
Outcome set_receive_maximum_exceeded(Draft& draft, Words& words);
Outcome set_shared_subscription_strategy(Draft& draft, Words& words);
Outcome set_socket_domain(Draft& draft, Words& words);
Outcome set_websockets_origin(Draft& draft, Words& words);

// bridge_settings.cc.
Outcome set_address(Draft& draft, Words& words);
Outcome set_bridge_protocol_version(Draft& draft, Words& words);
Outcome set_bridge_reload_type(Draft& draft, Words& words);
Outcome set_bridge_tcp_keepalive(Draft& draft, Words& words);
Outcome set_connection(Draft& draft, Words& words);
Outcome set_restart_timeout(Draft& draft, Words& words);
Outcome set_start_type(Draft& draft, Words& words);
Outcome set_topic(Draft& draft, Words& words);

// True if there is a + or # anywhere, where a topic name is needed.
bool has_wildcard(std::string_view topic);
// False if + or # stands where a topic filter must not have it.
bool is_valid_filter(std::string_view filter);

}  // namespace config
