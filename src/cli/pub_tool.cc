// mosquitto_pub: publishes one message, a repeated one, or one a line of standard input.
#include <unistd.h>

#include <cstdio>

#include "cli/texts.h"
#include "cli/tools.h"

namespace cli {
namespace {

using client::Session;

// Standard input is not read while more than this waits for the broker.
constexpr std::size_t output_high_bytes = std::size_t{256} << 10;

class Publisher {
public:
    Publisher(const ToolOptions& options, ToolLoop& loop, std::string message)
        : options_(options), loop_(loop), message_(std::move(message)) {}

    int run() {
        Hooks hooks;
        hooks.on_event = [this](const client::Event& event) { on_event(event); };
        hooks.on_turn = [this](std::uint64_t now) { return on_turn(now); };
        hooks.extra_fd = [this] { return wants_input() ? STDIN_FILENO : -1; };
        hooks.on_extra = [this] { read_input(); };
        const int code = loop_.run(hooks);
        return failed_ ? exit_failed : code;
    }

private:
    bool reads_lines() const { return options_.source == MessageSource::stdin_lines; }

    void on_event(const client::Event& event) {
        if (std::holds_alternative<client::Connected>(event)) {
            if (!reads_lines()) publish(message_);
        } else if (const auto* published = std::get_if<client::Published>(&event)) {
            on_published(*published);
        }
    }

    void on_published(const client::Published& published) {
        if (is_failure(published.reason)) {
            loop_.complain("Warning: Publish " + std::to_string(published.id) +
                           " failed: " + std::string(reason_text(published.reason)) + ".\n");
            if (!published.reason_string.empty()) {
                loop_.complain(std::string(published.reason_string) + "\n");
            }
        }
        ++published_;
        if (reads_lines()) return finish_lines();
        if (published_ < static_cast<std::uint64_t>(options_.repeat_count)) {
            repeat_at_ms_ = ToolLoop::now_ms() + options_.repeat_delay_ms;
        } else {
            loop_.disconnect();
        }
    }

    std::uint64_t on_turn(std::uint64_t now_ms) {
        if (repeat_at_ms_ <= now_ms) {
            repeat_at_ms_ = Session::never;
            publish(message_);
        }
        return repeat_at_ms_;
    }

    void publish(const std::string& payload) {
        client::Message message = options_.publish;
        // With an alias the topic is said once.
        if (!options_.has_topic_alias || sent_ == 0) message.topic = *options_.topic;
        message.payload = payload;
        message.qos = options_.qos;
        message.retain = options_.retain;
        const auto id = loop_.session().publish(std::move(message));
        if (id) {
            ++sent_;
            return;
        }
        failed_ = true;
        loop_.complain(error_text(id.error()));
        loop_.disconnect();
    }

    static std::string error_text(mqtt::ReasonCode reason) {
        switch (reason) {
            case mqtt::ReasonCode::packet_too_large:
                return "Error: Message payload is too large.\n";
            case mqtt::ReasonCode::qos_not_supported:
                return "Error: Message QoS not supported on broker, try a lower QoS.\n";
            default:
                return "Error: " + std::string(reason_text(reason)) + ".\n";
        }
    }

    bool wants_input() const {
        return reads_lines() && !input_ended_ && loop_.session().is_connected() &&
               loop_.session().output().size() < output_high_bytes &&
               loop_.session().unfinished() < options_.connection.queued_max;
    }

    void read_input() {
        char buffer[16'384];
        const ssize_t size = ::read(STDIN_FILENO, buffer, sizeof buffer);
        if (size > 0) {
            input_.append(buffer, static_cast<std::size_t>(size));
        } else {
            input_ended_ = true;
        }
        std::size_t start = 0;
        for (std::size_t end = input_.find('\n'); end != std::string::npos && !failed_;
             end = input_.find('\n', start)) {
            publish(input_.substr(start, end - start));
            start = end + 1;
        }
        input_.erase(0, start);
        if (!input_ended_ || failed_) return;
        if (!input_.empty()) publish(input_);  // A last line without its end.
        input_.clear();
        finish_lines();
    }

    void finish_lines() {
        if (input_ended_ && input_.empty() && published_ == sent_) loop_.disconnect();
    }

    const ToolOptions& options_;
    ToolLoop& loop_;
    std::string message_;
    std::string input_;
    bool input_ended_ = false;
    bool failed_ = false;
    std::uint64_t sent_ = 0;
    std::uint64_t published_ = 0;
    std::uint64_t repeat_at_ms_ = Session::never;
};

}  // namespace

int run_pub(const ToolOptions& options) {
    std::optional<std::string> message = load_message(options);
    if (!message) return exit_failed;
    if (!options.topic || options.source == MessageSource::none) {
        std::fputs("Error: Both topic and message must be supplied.\n", stderr);
        std::fputs(usage_text(Tool::pub, options.program).c_str(), stdout);
        return exit_failed;
    }
    ToolOptions adjusted = options;
    // One read of standard input can be this many lines.
    constexpr std::size_t lines_max = 20'000;
    adjusted.connection.queued_max = lines_max;
    ToolLoop loop(adjusted);
    const std::string payload = options.source == MessageSource::empty ? "" : std::move(*message);
    // The margin: as many lines as one read can hold.
    adjusted.connection.queued_max = lines_max - 16'384;
    return Publisher(adjusted, loop, payload).run();
}

}  // namespace cli
