// The socket at which people ask the broker while it runs (control_socket): the wire of
// admin/control_request.h, on shard 0's loop. Who may open the file may ask everything.
//
//     change = prepare(path)    opens what is new, or fails and nothing has changed
//     apply(change)             people come in by it; the one before is closed
//
// A connection is read one request at a time: while an answer is due, or the peer does not take
// those that it has, it is paused.
//
// Owned by Server. Thread: shard 0's, or before the shards run. Limits: connections_max,
// admin::line_bytes_max, idle_max_ms.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "admin/controls.h"
#include "base/log.h"
#include "net/event_loop.h"

namespace server {

class ControlChannel : private net::AcceptHandler {
public:
    static constexpr std::size_t connections_max = 8;
    static constexpr std::uint64_t idle_max_ms = 60'000;

    // Until apply() nobody notices.
    struct Change {
        std::string path{};  // Empty: none.
        bool is_none = false;
        net::ListenOptions options{};
        net::ListenSockets sockets{};
    };

    ControlChannel(net::EventLoop& loop, admin::Controls& controls, base::Log& log,
                   std::uint64_t idle_ms = idle_max_ms);
    ControlChannel(const ControlChannel&) = delete;
    ControlChannel& operator=(const ControlChannel&) = delete;
    ~ControlChannel() override;

    // `user`: whom the socket is to belong to, where that can be decided. Fails with a sentence.
    base::Result<Change, std::string> prepare(const std::string& path, const std::string& user);
    void apply(Change change);
    // Nobody comes in any more; who is in gets the answers that are written already.
    void stop();

private:
    class Connection;

    void on_connection(net::Listener& listener, net::DetachedStream connection) override;
    void on_accept_paused(net::Listener& listener, std::string_view reason) override;
    void answer(std::uint64_t connection, std::string_view line);
    void take_answer(std::uint64_t connection, const std::string& line);

    net::EventLoop& loop_;
    admin::Controls& controls_;
    base::Log& log_;
    const std::uint64_t idle_ms_;
    std::string path_;                   // Empty: nobody listens.
    net::Listener* listener_ = nullptr;  // The loop's.
    std::uint64_t next_connection_ = 1;
    std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
};

}  // namespace server
