// mosquitto_rr: publishes a request and prints the response.
#include <chrono>
#include <cstdio>

#include "cli/format.h"
#include "cli/texts.h"
#include "cli/tools.h"

namespace cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

class Requester {
public:
    Requester(const ToolOptions& options, ToolLoop& loop, std::string message)
        : options_(options), loop_(loop), message_(std::move(message)) {}

    int run() {
        Hooks hooks;
        hooks.on_event = [this](const client::Event& event) { on_event(event); };
        const int code = loop_.run(hooks);
        if (options_.measure_latency && answered_) print_latency();
        return denied_ ? exit_failed : code;
    }

private:
    void on_event(const client::Event& event) {
        if (std::holds_alternative<client::Connected>(event)) {
            subscribe();
        } else if (const auto* subscribed = std::get_if<client::Subscribed>(&event)) {
            on_subscribed(*subscribed);
        } else if (const auto* received = std::get_if<client::Received>(&event)) {
            on_received(*received);
        } else if (const auto* published = std::get_if<client::Published>(&event)) {
            if (is_failure(published->reason)) deny(published->reason);
        }
    }

    void subscribe() {
        mqtt::SubscribeOptions options;
        options.qos = options_.qos;
        options.retain_as_published = options_.retain_as_published;
        options.retain_handling = options_.retain_handling;
        const client::Subscription one{*options_.response_topic, options};
        loop_.session().subscribe(std::span(&one, 1), options_.subscription_id,
                                  options_.subscribe_user);
    }

    void on_subscribed(const client::Subscribed& subscribed) {
        if (is_failure(subscribed.reasons.front())) return deny(subscribed.reasons.front());
        client::Message message = options_.publish;
        message.topic = *options_.topic;
        message.payload = message_;
        message.qos = options_.qos;
        message.properties.response_topic = options_.response_topic;
        sent_at_ = SteadyClock::now();
        const auto id = loop_.session().publish(std::move(message));
        if (!id) deny(id.error());
    }

    void deny(mqtt::ReasonCode reason) {
        loop_.complain(std::string(reason_text(reason)) + "\n");
        denied_ = true;
        loop_.disconnect();
    }

    void on_received(const client::Received& received) {
        if (answered_ || (received.publish.retain && options_.no_retain)) return;
        answered_ = true;
        latency_ = SteadyClock::now() - sent_at_;
        std::string text;
        const auto error = print_message(text, options_.output, received, WallTime::now());
        std::fwrite(text.data(), 1, text.size(), stdout);
        if (error) loop_.complain(*error);
        loop_.disconnect();
    }

    void print_latency() const {
        const auto ns = static_cast<double>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(latency_).count());
        if (ns >= 1e9) {
            std::printf("Latency: %.9f\n", ns / 1e9);
        } else if (ns >= 1e6) {
            std::printf("Latency: %fms\n", ns / 1e6);
        } else if (ns >= 1e3) {
            std::printf("Latency: %fµs\n", ns / 1e3);
        } else {
            std::printf("Latency: %.0fns\n", ns);
        }
    }

    const ToolOptions& options_;
    ToolLoop& loop_;
    std::string message_;
    SteadyClock::time_point sent_at_;
    SteadyClock::duration latency_{};
    bool answered_ = false;
    bool denied_ = false;
};

}  // namespace

int run_rr(const ToolOptions& options) {
    std::optional<std::string> message = load_message(options);
    if (!message) return exit_failed;
    if (!options.topic || options.source == MessageSource::none || !options.response_topic) {
        std::fprintf(stderr,
                     "Error: All of topic, message, and response topic must be supplied.\n"
                     "\nUse '%s --help' to see usage.\n",
                     options.program.c_str());
        return exit_failed;
    }
    if (options.publish.properties.response_topic) {
        std::fputs("Error in PUBLISH properties: Duplicate response topic.\n", stderr);
        return exit_failed;
    }
    ToolLoop loop(options);
    return Requester(options, loop, std::move(*message)).run();
}

}  // namespace cli
