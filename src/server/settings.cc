#include "server/settings.h"

#include <algorithm>
#include <thread>

#include "broker/interest.h"

namespace server {
namespace {

broker::SharedStrategy shared_strategy(config::SharedStrategy configured) {
    switch (configured) {
        case config::SharedStrategy::sticky:
            return broker::SharedStrategy::sticky;
        case config::SharedStrategy::hash:
            return broker::SharedStrategy::hash;
        default:
            return broker::SharedStrategy::round_robin;
    }
}

broker::Durability durability(config::Durability level) {
    switch (level) {
        case config::Durability::memory:
            return broker::Durability::memory;
        case config::Durability::process:
            return broker::Durability::process;
        default:
            return broker::Durability::disk;
    }
}

}  // namespace

broker::DurabilityLevels durability_levels(const config::Persistence& persistence) {
    if (!persistence.enabled) return broker::DurabilityLevels(broker::Durability::memory);
    broker::DurabilityLevels levels(durability(persistence.durability));
    for (const config::DurabilityTopic& topic : persistence.durability_topics) {
        levels.add(durability(topic.level), topic.filter);
    }
    return levels;
}

std::shared_ptr<const broker::Options> broker_options(const config::Config& config) {
    auto options = std::make_shared<broker::Options>();
    options->client_id_prefixes = config.clientid_prefixes;
    options->inflight_messages_max = config.max_inflight_messages;
    options->inflight_bytes_max = static_cast<std::size_t>(config.max_inflight_bytes);
    options->queued_messages_max = static_cast<std::size_t>(config.max_queued_messages);
    options->queued_bytes_max = static_cast<std::size_t>(config.max_queued_bytes);
    options->queue_memory_max = static_cast<std::size_t>(config.queue_memory_limit_bytes);
    options->queue_qos0_messages = config.queue_qos0_messages;
    options->upgrade_outgoing_qos = config.upgrade_outgoing_qos;
    options->allow_duplicate_messages = config.allow_duplicate_messages;
    options->shared_strategy = shared_strategy(config.shared_subscription_strategy);
    options->output_bytes_max = static_cast<std::size_t>(config.max_output_bytes);
    options->keep_alive_max_s = config.max_keepalive_s;
    options->connect_timeout_s = static_cast<std::uint32_t>(config.connect_timeout_s);
    options->packet_size_max = config.max_packet_size_bytes;
    options->message_size_max = config.message_size_limit_bytes;
    options->validate_payload_format = config.validate_payload_format;
    options->enforce_receive_maximum = config.enforce_receive_maximum;
    options->retain_available = config.retain_available;
    options->check_retain_source = config.check_retain_source;
    options->retained_messages_max = static_cast<std::size_t>(config.max_retained_messages);
    options->retained_bytes_max = static_cast<std::size_t>(config.max_retained_bytes);
    options->retain_expiry_s = static_cast<std::uint64_t>(config.retain_expiry_interval_min) * 60;
    options->subscriptions_max = static_cast<std::size_t>(config.max_subscriptions_per_client);
    options->user_properties_max = static_cast<std::size_t>(config.max_user_properties);
    if (config.persistent_client_expiration_s) {
        options->persistent_client_expiration_s =
            static_cast<std::uint64_t>(*config.persistent_client_expiration_s);
    }
    options->clients_max = config.global_max_clients;
    options->sys_interval_s = config.sys_interval_s;
    options->connection_messages = config.log.connection_messages;
    options->durability = durability_levels(config.persistence);
    options->response_information = config.response_information;
    options->server_reference = config.server_reference;
    return options;
}

broker::ListenerOptions door_options(const config::Listener& listener, std::uint32_t realm) {
    broker::ListenerOptions options;
    options.port = listener.port;
    options.mount_point = listener.mount_point;
    options.auto_id_prefix = listener.auto_id_prefix;
    options.qos_max = static_cast<mqtt::Qos>(listener.max_qos);
    options.topic_alias_max = listener.max_topic_alias;
    options.topic_alias_broker_max = listener.max_topic_alias_broker;
    options.messages_per_s_max = static_cast<std::uint32_t>(listener.max_message_rate);
    options.bytes_per_s_max = static_cast<std::uint32_t>(listener.max_byte_rate);
    options.allow_v3_1 = listener.versions.v31;
    options.allow_v3_1_1 = listener.versions.v311;
    options.allow_v5 = listener.versions.v5;
    options.allow_anonymous = listener.allow_anonymous;
    options.allow_zero_length_client_id = listener.allow_zero_length_clientid;
    options.use_user_name_as_client_id = listener.use_username_as_clientid;
    options.takes_proven_user =
        listener.tls.use_identity_as_username || listener.tls.use_subject_as_username;
    options.realm = realm;
    return options;
}

net::ListenOptions listen_options(const config::Listener& listener, const config::Config& config,
                                  std::size_t loops) {
    net::ListenOptions options;
    options.host = listener.host;
    options.unix_path = listener.unix_path;
    options.port = listener.port;
    options.family = listener.socket_domain == config::SocketDomain::ipv4   ? AF_INET
                     : listener.socket_domain == config::SocketDomain::ipv6 ? AF_INET6
                                                                            : AF_UNSPEC;
    options.bind_interface = listener.bind_interface;
    // Also of one loop: a reload may open the port for another address before it closes this one.
    options.shared_port = true;
    options.no_delay = config.set_tcp_nodelay;
    options.user_timeout_s = static_cast<std::uint32_t>(config.tcp_user_timeout_s);
    // Each loop takes its share, rounded up.
    options.accepts_per_second_max = static_cast<std::uint32_t>(
        (static_cast<std::size_t>(listener.max_connection_rate) + loops - 1) / loops);
    return options;
}

std::uint32_t shard_count(const config::Config& config) {
    const unsigned wanted = config.threads > 0 ? static_cast<unsigned>(config.threads)
                                               : std::max(1U, std::thread::hardware_concurrency());
    return std::min(wanted, broker::shards_max);
}

}  // namespace server
