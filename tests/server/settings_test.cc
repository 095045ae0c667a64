// What of mosquitto.conf reaches the broker, and as what.
#include "server/settings.h"

#include <gtest/gtest.h>

#include "config/parse.h"
#include "server/make_store.h"

namespace server {
namespace {

config::Config parsed(const std::string& text, const std::string& location = {}) {
    config::Options options;
    options.persistence_location = location;
    options.file = "x.conf";
    config::Files files;
    files.read = [&](const std::string&) -> base::Result<std::string, std::string> { return text; };
    auto config = config::parse(options, files);
    EXPECT_TRUE(config.has_value());
    return config ? std::move(*config) : config::Config{};
}

TEST(Settings, general_options_reach_the_broker) {
    const auto options = broker_options(
        parsed("max_inflight_messages 7\nmax_inflight_bytes 8\nmax_queued_messages 9\n"
               "max_queued_bytes 10\nqueue_memory_limit 11\nqueue_qos0_messages "
               "true\nupgrade_outgoing_qos true\n"
               "allow_duplicate_messages true\nshared_subscription_strategy hash\nmax_output_bytes "
               "11\nmax_keepalive 12\n"
               "connect_timeout 13\nmax_packet_size 1400\nmessage_size_limit 15\n"
               "retain_available false\npersistent_client_expiration 2h\nglobal_max_clients 16\n"
               "sys_interval 17\nconnection_messages false\nmax_retained_messages 18\n"
               "max_retained_bytes 19\nretain_expiry_interval 2\n"
               "max_subscriptions_per_client 20\nmax_user_properties 21\n"
               "validate_payload_format true\nreceive_maximum_exceeded warn\n"
               "response_information re/%c\nserver_reference other:1884\n"));
    EXPECT_EQ(7, options->inflight_messages_max);
    EXPECT_EQ(8U, options->inflight_bytes_max);
    EXPECT_EQ(9U, options->queued_messages_max);
    EXPECT_EQ(10U, options->queued_bytes_max);
    EXPECT_EQ(11U, options->queue_memory_max);
    EXPECT_TRUE(options->queue_qos0_messages);
    EXPECT_TRUE(options->upgrade_outgoing_qos);
    EXPECT_TRUE(options->allow_duplicate_messages);
    EXPECT_EQ(broker::SharedStrategy::hash, options->shared_strategy);
    EXPECT_EQ(11U, options->output_bytes_max);
    EXPECT_EQ(12, options->keep_alive_max_s);
    EXPECT_EQ(13U, options->connect_timeout_s);
    EXPECT_EQ(1400U, options->packet_size_max);
    EXPECT_EQ(15U, options->message_size_max);
    EXPECT_FALSE(options->retain_available);
    EXPECT_EQ(7200U, options->persistent_client_expiration_s);
    EXPECT_EQ(16, options->clients_max);
    EXPECT_EQ(17U, options->sys_interval_s);
    EXPECT_FALSE(options->connection_messages);
    EXPECT_EQ(18U, options->retained_messages_max);
    EXPECT_EQ(19U, options->retained_bytes_max);
    EXPECT_EQ(120U, options->retain_expiry_s);
    EXPECT_EQ(20U, options->subscriptions_max);
    EXPECT_EQ(21U, options->user_properties_max);
    EXPECT_TRUE(options->validate_payload_format);
    EXPECT_FALSE(options->enforce_receive_maximum);
    EXPECT_EQ("re/%c", options->response_information);
    EXPECT_EQ("other:1884", options->server_reference);
}

TEST(Settings, listener_options_reach_its_clients) {
    const config::Config config = parsed(
        "listener 1884 127.0.0.1\nallow_anonymous true\nmount_point m/\nmax_qos 1\n"
        "max_topic_alias 3\nmax_topic_alias_broker 4\naccept_protocol_versions "
        "4,5\nuse_username_as_clientid true\n"
        "listener_auto_id_prefix gate-\nsocket_domain ipv4\n");
    const broker::ListenerOptions options = door_options(config.listeners.at(0));
    EXPECT_EQ(1884, options.port);
    EXPECT_EQ("m/", options.mount_point);
    EXPECT_EQ(mqtt::Qos::at_least_once, options.qos_max);
    EXPECT_EQ(3, options.topic_alias_max);
    EXPECT_EQ(4, options.topic_alias_broker_max);
    EXPECT_FALSE(options.allow_v3_1);
    EXPECT_TRUE(options.allow_v3_1_1 && options.allow_v5);
    EXPECT_TRUE(options.allow_anonymous && options.use_user_name_as_client_id);
    EXPECT_EQ("gate-", options.auto_id_prefix);
    const net::ListenOptions listen = listen_options(config.listeners.at(0), config, 2);
    EXPECT_EQ("127.0.0.1", listen.host);
    EXPECT_EQ(AF_INET, listen.family);
    EXPECT_TRUE(listen.shared_port);
}

TEST(Settings, threads_says_how_many_shards) {
    EXPECT_EQ(3U, shard_count(parsed("threads 3\n")));
    EXPECT_GE(shard_count(parsed("")), 1U);
}

struct PathRow {
    std::string sentence;
    std::string text;
    std::string environment;
    std::string want;
};

TEST(Settings, the_store_has_its_place) {
    const PathRow table[] = {
        {"the default", "", "", "nightjar.store"},
        {"a location", "persistence_location /var/lib/x/\n", "", "/var/lib/x/nightjar.store"},
        {"without a slash", "persistence_location /var/lib/x\n", "", "/var/lib/x/nightjar.store"},
        {"another database", "persistence_file a/b.db\n", "", "a/nightjar.store"},
        {"a name of its own", "persistence_file mine\n", "", "mine"},
        {"the environment", "persistence_location /x\n", "/y", "/y/nightjar.store"},
    };
    for (const PathRow& row : table) {
        EXPECT_EQ(row.want, store_path(parsed(row.text, row.environment).persistence))
            << row.sentence;
    }
}

}  // namespace
}  // namespace server
