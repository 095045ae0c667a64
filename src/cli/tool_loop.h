// Drives one Session over one connection until it ends: what pub, sub and rr have in common.
//
// Thread: one. The loop prints -d lines and the errors of the connection; what to do with events
// is the tool's. Signals: SIGINT and SIGTERM disconnect if Hooks::catch_signals.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/tool_options.h"
#include "client/session.h"
#include "net/client_stream.h"

namespace cli {

// Exit codes, as mosquitto's tools have them.
inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_protocol = 2;
inline constexpr int exit_lost = 7;
inline constexpr int exit_keep_alive = 19;
inline constexpr int exit_timed_out = 27;

struct Hooks {
    // Each event but Traced and Disconnected.
    std::function<void(const client::Event&)> on_event;
    // Once a turn, before sleeping; may publish. Says when it wants to be called again at the
    // latest (client::Session::never: only when something happens).
    std::function<std::uint64_t(std::uint64_t now_ms)> on_turn;
    // A descriptor to wait for, or -1; asked each turn.
    std::function<int()> extra_fd;
    std::function<void()> on_extra;
    bool reconnect = false;  // After a lost connection, as mosquitto_sub does.
    bool catch_signals = false;
};

class ToolLoop {
public:
    explicit ToolLoop(const ToolOptions& options);

    // Connects and runs until the session ends; the exit code.
    int run(const Hooks& hooks);
    client::Session& session() { return session_; }
    // Ends the session with the DISCONNECT of the options.
    void disconnect(mqtt::ReasonCode reason = mqtt::ReasonCode::success);
    // Prints to standard error unless --quiet.
    void complain(std::string_view text) const;

    static std::uint64_t now_ms();

private:
    std::optional<int> connect();
    void turn(const Hooks& hooks);
    void drain_events(const Hooks& hooks);
    void complain_of(const mqtt::Connack& connack) const;
    void flush();
    void lose(const std::string& error);
    void read();
    void wait(const Hooks& hooks, std::uint64_t deadline_ms);
    void finish_output();
    int exit_code();
    bool try_again();

    const ToolOptions& options_;
    client::Session session_;
    std::unique_ptr<net::ClientStream> stream_;  // Null: not connected.
    std::optional<client::Disconnected> ended_;
    std::uint64_t give_up_ms_ = client::Session::never;
    bool timed_out_ = false;
    bool was_connected_ = false;
    bool stopping_ = false;
};

}  // namespace cli
