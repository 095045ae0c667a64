#include "server/control_channel.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>

#include "admin/control_answer.h"
#include "admin/control_request.h"
#include "server/process.h"

namespace server {

using base::LogType;

class ControlChannel::Connection : public net::StreamHandler {
public:
    Connection(ControlChannel& channel, std::uint64_t number)
        : channel_(channel),
          number_(number),
          idle_([](base::Timer&, void* self) { static_cast<Connection*>(self)->stream_->abort(); },
                this) {}

    void begin(net::DetachedStream from) {
        stream_ = &channel_.loop_.adopt(std::move(from), *this);
        rest();
    }
    void send(std::string_view line) {
        stream_->output().append(base::as_bytes(line));
        stream_->mark_dirty();
    }
    // The answer is sent: the next request may come.
    void go_on() {
        is_answer_due_ = false;
        rest();
        stream_->resume_reading();
    }
    void finish() { stream_->close_when_flushed(); }

private:
    std::size_t on_bytes(net::Stream& stream, base::Bytes bytes) override {
        if (stream.is_stuck()) {
            stream.pause_reading();
            return 0;
        }
        const admin::NextLine next = admin::next_line(bytes);
        if (next.status == admin::NextLine::Status::partial) return 0;
        if (next.status == admin::NextLine::Status::too_long) {
            send(admin::refusal_line(
                fmt::format("Error: a request has at most {} bytes.", admin::line_bytes_max)));
            finish();
            return bytes.size();
        }
        is_answer_due_ = true;
        idle_.cancel();
        stream.pause_reading();
        channel_.answer(number_, next.line);
        return next.consumed;
    }
    // It had not taken its answers.
    void on_writable(net::Stream& stream) override {
        if (!is_answer_due_) stream.resume_reading();
    }
    void on_closed(net::Stream&, net::CloseReason) override {
        channel_.connections_.erase(number_);  // It was us.
    }

    void rest() {
        base::TimerWheel& timers = channel_.loop_.timers();
        timers.add(idle_, channel_.loop_.now_ms() + channel_.idle_ms_);
    }

    ControlChannel& channel_;
    const std::uint64_t number_;
    net::Stream* stream_ = nullptr;  // The loop's.
    base::Timer idle_;               // Not armed while an answer is due.
    bool is_answer_due_ = false;
};

ControlChannel::ControlChannel(net::EventLoop& loop, admin::Controls& controls, base::Log& log,
                               std::uint64_t idle_ms)
    : loop_(loop), controls_(controls), log_(log), idle_ms_(idle_ms) {}

ControlChannel::~ControlChannel() = default;

base::Result<ControlChannel::Change, std::string> ControlChannel::prepare(const std::string& path,
                                                                          const std::string& user) {
    Change change{.path = path, .is_none = path == path_};
    if (path.empty() || change.is_none) return change;
    change.options.unix_path = path;
    change.options.unix_mode = S_IRUSR | S_IWUSR;
    auto sockets = net::ListenSockets::open(change.options);
    if (!sockets) return base::fail(fmt::format("Error: control_socket {}.", sockets.error()));
    if (auto given = give_to_user(path, user); !given) return base::fail(std::move(given.error()));
    change.sockets = std::move(*sockets);
    return change;
}

void ControlChannel::apply(Change change) {
    if (change.is_none) return;
    if (net::Listener* const before = std::exchange(listener_, nullptr)) loop_.close(*before);
    path_ = std::move(change.path);
    if (path_.empty()) return;
    auto listener = loop_.listen(change.options, std::move(change.sockets), *this);
    if (!listener) {
        return log_.print(LogType::error, "Error: nobody can ask at control_socket {}: {}.",
                          std::exchange(path_, {}), listener.error());
    }
    listener_ = *listener;
    log_.print(LogType::information, "Opening control socket on path {}.", path_);
}

void ControlChannel::stop() {
    if (net::Listener* const before = std::exchange(listener_, nullptr)) loop_.close(*before);
    path_.clear();
    for (const auto& [number, connection] : connections_) connection->finish();
}

void ControlChannel::on_connection(net::Listener&, net::DetachedStream connection) {
    if (connections_.size() == connections_max) {
        return log_.print(LogType::notice,
                          "control_socket: a connection is refused, {} are open already.",
                          connections_max);
    }
    const std::uint64_t number = next_connection_++;
    auto& made = connections_[number] = std::make_unique<Connection>(*this, number);
    made->begin(std::move(connection));
}

void ControlChannel::on_accept_paused(net::Listener&, std::string_view reason) {
    log_.print(LogType::error, "Error: control_socket: unable to accept connections: {}.", reason);
}

void ControlChannel::answer(std::uint64_t connection, std::string_view line) {
    admin::answer(line, controls_,
                  [this, connection](const std::string& text) { take_answer(connection, text); });
}

void ControlChannel::take_answer(std::uint64_t connection, const std::string& line) {
    const auto found = connections_.find(connection);
    if (found == connections_.end()) return;  // It did not wait for it.
    found->second->send(line);
    // Not from inside on_bytes(), for which the stream keeps what is left.
    loop_.inbox().post([this, connection] {
        if (const auto there = connections_.find(connection); there != connections_.end()) {
            there->second->go_on();
        }
    });
}

}  // namespace server
