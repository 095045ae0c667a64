// POSIX signals as events of a loop: the callback runs in the loop's thread, in a turn, and may do
// anything. One object watches any number of signals; it belongs to its owner and must die before
// the loop.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <vector>

#include "net/event_loop.h"

namespace net {

class Signals {
public:
    using Callback = std::function<void(int signal)>;

    Signals(EventLoop& loop, Callback callback) : loop_(loop), callback_(std::move(callback)) {}
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;
    ~Signals();

    // False if the system does not have or give this signal.
    bool watch(int signal);

private:
    static void on_signal(uv_signal_t* handle, int signal);

    EventLoop& loop_;
    Callback callback_;
    std::vector<uv_signal_t*> handles_;  // libuv lets go of them after we do.
};

}  // namespace net
