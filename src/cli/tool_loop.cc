#include "cli/tool_loop.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>
#include <utility>

#include "cli/open_door.h"
#include "cli/texts.h"

namespace cli {

using client::Disconnected;

namespace {

// Longest sleep: a signal that comes just before the sleep is seen after this long.
constexpr std::uint64_t sleep_max_ms = 1'000;
constexpr std::uint64_t reconnect_delay_ms = 1'000;
// How long the last bytes may take to leave.
constexpr int farewell_ms = 5'000;

// A signal handler can reach nothing else.
volatile std::sig_atomic_t signal_came = 0;

void on_signal(int) {
    signal_came = 1;
}

void catch_signals() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

ToolLoop::ToolLoop(const ToolOptions& options) : options_(options), session_(options.connection) {}

std::uint64_t ToolLoop::now_ms() {
    using namespace std::chrono;
    return static_cast<std::uint64_t>(
        duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

void ToolLoop::complain(std::string_view text) const {
    if (options_.quiet) return;
    std::fflush(stdout);
    std::fwrite(text.data(), 1, text.size(), stderr);
}

void ToolLoop::disconnect(mqtt::ReasonCode reason) {
    stopping_ = true;
    session_.disconnect(options_.disconnect.packet(reason));
}

// An exit code if there is no connection.
std::optional<int> ToolLoop::connect() {
    auto stream = open_door(options_);
    if (!stream) {
        complain(stream.error() + "\n");
        return exit_failed;
    }
    stream_ = std::move(*stream);
    ended_.reset();
    session_.open(now_ms());
    return std::nullopt;
}

int ToolLoop::run(const Hooks& hooks) {
    std::signal(SIGPIPE, SIG_IGN);
    if (const std::optional<int> failed = connect()) return *failed;
    if (hooks.catch_signals) catch_signals();
    constexpr std::uint64_t second_ms = 1'000;
    if (options_.timeout_s > 0) {
        give_up_ms_ = now_ms() + static_cast<std::uint64_t>(options_.timeout_s) * second_ms;
    }
    while (true) {
        while (!ended_) turn(hooks);
        finish_output();
        stream_.reset();
        const bool lost = ended_->cause == Disconnected::Cause::lost ||
                          ended_->cause == Disconnected::Cause::timed_out ||
                          ended_->cause == Disconnected::Cause::by_server;
        if (!hooks.reconnect || stopping_ || !lost || !was_connected_) return exit_code();
        if (!try_again()) return exit_code();
    }
}

// Reconnects; false if a signal or the timeout ended the waiting.
bool ToolLoop::try_again() {
    while (true) {
        const std::uint64_t next = now_ms() + reconnect_delay_ms;
        while (now_ms() < next) {
            timed_out_ = now_ms() >= give_up_ms_;
            if (signal_came != 0 || timed_out_) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        if (!connect()) return true;
    }
}

void ToolLoop::turn(const Hooks& hooks) {
    const std::uint64_t now = now_ms();
    session_.tick(now);
    drain_events(hooks);
    std::uint64_t deadline = session_.next_deadline();
    if (!ended_ && hooks.on_turn) deadline = std::min(deadline, hooks.on_turn(now));
    drain_events(hooks);
    timed_out_ = now >= give_up_ms_;
    if (!stopping_ && (timed_out_ || (signal_came != 0 && hooks.catch_signals))) {
        disconnect(mqtt::ReasonCode::disconnect_with_will);
        drain_events(hooks);
    }
    flush();
    if (ended_) return;
    wait(hooks, std::min(deadline, give_up_ms_));
}

void ToolLoop::complain_of(const mqtt::Connack& connack) const {
    const bool is_old = connack.reason == mqtt::ReasonCode::unsupported_protocol_version &&
                        session_.version() == mqtt::Version::v5;
    const char* const hint =
        is_old ? ". Try connecting to an MQTT v5 broker, or use MQTT v3.x mode." : "";
    complain("Connection error: " + connack_text(connack, session_.version()) + hint + "\n");
}

void ToolLoop::drain_events(const Hooks& hooks) {
    while (std::optional<client::Event> event = session_.next_event()) {
        if (const auto* traced = std::get_if<client::Traced>(&*event)) {
            const std::string line = trace_text(*traced, session_) + "\n";
            std::fwrite(line.data(), 1, line.size(), stdout);
        } else if (const auto* ended = std::get_if<Disconnected>(&*event)) {
            if (!ended_) ended_ = *ended;
            if (ended->cause == Disconnected::Cause::refused) complain_of(ended->connack);
        } else {
            if (std::holds_alternative<client::Connected>(*event)) was_connected_ = true;
            hooks.on_event(*event);
        }
    }
}

void ToolLoop::flush() {
    while (!session_.output().empty()) {
        const auto taken = stream_->write(session_.output());
        if (!taken) return lose(taken.error());
        if (*taken == 0) return;
        session_.consume(*taken);
    }
}

// What a layer has to say is worth more than that the connection is lost.
void ToolLoop::lose(const std::string& error) {
    if (stream_->has_failed()) complain("Error: " + error + ".\n");
    session_.transport_closed();
}

void ToolLoop::read() {
    std::uint8_t buffer[65'536];
    const auto size = stream_->read(buffer);
    if (!size) return lose(size.error());
    if (*size == 0 && stream_->at_end()) return session_.transport_closed();
    if (*size != 0) session_.receive(mqtt::Bytes(buffer, *size), now_ms());
}

void ToolLoop::wait(const Hooks& hooks, std::uint64_t deadline_ms) {
    const std::uint64_t now = now_ms();
    const std::uint64_t until = std::min(deadline_ms, now + sleep_max_ms);
    const int timeout_ms = until <= now ? 0 : static_cast<int>(until - now);
    const int extra = hooks.extra_fd ? hooks.extra_fd() : -1;
    std::fflush(stdout);
    const net::Readiness ready = stream_->wait(timeout_ms, !session_.output().empty(), extra);
    if (ready.extra && hooks.on_extra) hooks.on_extra();
    drain_events(hooks);
    if (ready.readable && !ended_) read();
}

// Writes what is left, DISCONNECT at least, before the connection is closed.
void ToolLoop::finish_output() {
    const std::uint64_t give_up = now_ms() + farewell_ms;
    bool has_said_goodbye = false;
    while (now_ms() < give_up) {
        const auto taken = stream_->write(session_.output());
        if (!taken) return;
        session_.consume(*taken);
        if (session_.output().empty()) {
            if (!std::exchange(has_said_goodbye, true)) stream_->finish();
            if (!stream_->flush() || !stream_->has_unsent()) return;
        }
        if (*taken == 0) stream_->wait(farewell_ms, true);
    }
}

int ToolLoop::exit_code() {
    if (timed_out_) {
        complain("Timed out\n");
        return exit_timed_out;
    }
    switch (ended_->cause) {
        case Disconnected::Cause::by_us:
            return exit_ok;
        case Disconnected::Cause::refused:
            if (options_.tool == Tool::pub) complain("Error: The connection was refused.\n");
            return session_.version() == mqtt::Version::v5
                       ? static_cast<int>(ended_->reason)
                       : static_cast<int>(ended_->connack.return_code_v3);
        case Disconnected::Cause::timed_out:
            complain("Error: Keepalive exceeded\n");
            return exit_keep_alive;
        case Disconnected::Cause::protocol_error:
            complain(
                "Error: A network protocol error occurred when communicating with the broker.\n");
            return exit_protocol;
        default:
            if (stopping_ || signal_came != 0) return exit_ok;
            complain("Error: The connection was lost.\n");
            return exit_lost;
    }
}

}  // namespace cli
