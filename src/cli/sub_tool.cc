// mosquitto_sub: subscribes and prints what comes.
#include <algorithm>
#include <cstdio>
#include <map>
#include <random>

#include "cli/format.h"
#include "cli/texts.h"
#include "cli/tools.h"
#include "mqtt/topic.h"

namespace cli {
namespace {

using client::Session;

class Subscriber {
public:
    Subscriber(const ToolOptions& options, ToolLoop& loop) : options_(options), loop_(loop) {}

    int run() {
        Hooks hooks;
        hooks.on_event = [this](const client::Event& event) { on_event(event); };
        hooks.on_turn = [this](std::uint64_t now) { return print_rate(now); };
        hooks.reconnect = true;
        hooks.catch_signals = true;
        return loop_.run(hooks);
    }

private:
    void on_event(const client::Event& event) {
        if (std::holds_alternative<client::Connected>(event)) {
            subscribe();
        } else if (const auto* subscribed = std::get_if<client::Subscribed>(&event)) {
            on_subscribed(*subscribed);
        } else if (const auto* received = std::get_if<client::Received>(&event)) {
            on_received(*received);
        } else if (std::holds_alternative<client::Unsubscribed>(event)) {
            if (options_.topics.empty() && options_.exit_after_subscribe) loop_.disconnect();
        } else if (const auto* published = std::get_if<client::Published>(&event)) {
            // The last removal of a kept message has arrived.
            if (published->id == last_removal_ && done_) loop_.disconnect();
        }
    }

    void subscribe() {
        std::vector<client::Subscription> subscriptions;
        for (const std::string& topic : options_.topics) {
            mqtt::SubscribeOptions options;
            options.qos = options_.qos;
            options.retain_as_published = options_.retain_as_published;
            options.retain_handling = options_.retain_handling;
            subscriptions.push_back({topic, options});
        }
        Session& session = loop_.session();
        session.subscribe(subscriptions, options_.subscription_id, options_.subscribe_user);
        for (const std::string& topic : options_.unsubscribe_topics) {
            session.unsubscribe(std::span(&topic, 1), options_.unsubscribe_user);
        }
    }

    void on_subscribed(const client::Subscribed& subscribed) {
        std::string line;
        for (const mqtt::ReasonCode reason : subscribed.reasons) {
            line.append(line.empty() ? "" : ", ").append(std::to_string(static_cast<int>(reason)));
        }
        if (options_.debug && !options_.quiet) {
            std::printf("Subscribed (mid: %d): %s\n", subscribed.id, line.c_str());
        }
        if (std::all_of(subscribed.reasons.begin(), subscribed.reasons.end(), mqtt::is_failure)) {
            loop_.complain("All subscription requests were denied.\n");
            loop_.disconnect();
        } else if (options_.exit_after_subscribe) {
            loop_.disconnect();
        }
    }

    void on_received(const client::Received& received) {
        const mqtt::Publish& publish = received.publish;
        if (done_) return;
        if (options_.retained_only && !publish.retain) return finish();
        if (publish.retain && options_.no_retain) return;
        for (const std::string& filter : options_.filters_out) {
            if (mqtt::matches(filter, publish.topic)) return;
        }
        if (options_.remove_retained && publish.retain) remove(publish.topic);
        ++rate_;
        if (!options_.output.message_rate) print(received);
        if (options_.message_count > 0 && ++count_ == options_.message_count) finish();
    }

    // Ends, once the removals are acknowledged.
    void finish() {
        done_ = true;
        if (last_removal_ == 0) loop_.disconnect();
    }

    void remove(std::string_view topic) {
        client::Message message;
        message.topic = topic;
        message.qos = mqtt::Qos::at_least_once;
        message.retain = true;
        const auto id = loop_.session().publish(std::move(message));
        if (id) last_removal_ = *id;
    }

    void print(const client::Received& received) {
        constexpr int all = 10'000;
        if (options_.output.random_filter < all) {
            std::uniform_int_distribution<int> dice(0, all - 1);
            if (dice(random_) >= options_.output.random_filter) return;
        }
        std::string text;
        const WallTime now = WallTime::now();
        const auto error = print_message(text, options_.output, received, now);
        if (options_.output.watch) text = on_its_line(received.publish.topic, text);
        std::fwrite(text.data(), 1, text.size(), stdout);
        if (error) loop_.complain(*error + (error->ends_with('\n') ? "" : "\n"));
        std::fflush(stdout);
        if (std::ferror(stdout) != 0) loop_.disconnect();  // Nobody reads any more.
    }

    // -w: a line of the screen for each topic, in the order they came.
    std::string on_its_line(std::string_view topic, const std::string& text) {
        const auto [line, is_new] =
            lines_.try_emplace(std::string(topic), static_cast<int>(lines_.size()) + 1);
        const std::string clear = lines_.size() == 1 && is_new ? "\x1b[2J" : "";
        return clear + "\x1b[" + std::to_string(line->second) + ";1H\x1b[2K" + text;
    }

    // --message-rate: once a second.
    std::uint64_t print_rate(std::uint64_t now_ms) {
        if (!options_.output.message_rate) return Session::never;
        constexpr std::uint64_t second_ms = 1'000;
        if (next_rate_ms_ == 0) next_rate_ms_ = now_ms + second_ms;
        if (now_ms >= next_rate_ms_) {
            std::printf("%llu\n", static_cast<unsigned long long>(rate_));
            std::fflush(stdout);
            rate_ = 0;
            next_rate_ms_ += second_ms;
        }
        return next_rate_ms_;
    }

    const ToolOptions& options_;
    ToolLoop& loop_;
    std::mt19937 random_{std::random_device{}()};
    std::map<std::string, int> lines_;
    mqtt::PacketId last_removal_ = 0;
    int count_ = 0;
    bool done_ = false;
    std::uint64_t rate_ = 0;
    std::uint64_t next_rate_ms_ = 0;
};

}  // namespace

int run_sub(const ToolOptions& options) {
    if (options.no_retain && options.retained_only) {
        std::fputs("\nError: Combining '-R' and '--retained-only' makes no sense.\n", stderr);
        return exit_failed;
    }
    ToolLoop loop(options);
    return Subscriber(options, loop).run();
}

}  // namespace cli
