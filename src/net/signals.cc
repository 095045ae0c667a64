#include "net/signals.h"

namespace net {

bool Signals::watch(int signal) {
    auto handle = std::make_unique<uv_signal_t>();
    if (uv_signal_init(loop_.uv(), handle.get()) != 0) return false;
    handle->data = this;
    uv_signal_t* const watched = handle.release();
    handles_.push_back(watched);
    if (uv_signal_start(watched, &Signals::on_signal, signal) != 0) return false;
    uv_unref(reinterpret_cast<uv_handle_t*>(watched));
    return true;
}

Signals::~Signals() {
    for (uv_signal_t* handle : handles_) {
        handle->data = nullptr;
        uv_close(reinterpret_cast<uv_handle_t*>(handle),
                 [](uv_handle_t* closed) { delete reinterpret_cast<uv_signal_t*>(closed); });
    }
}

void Signals::on_signal(uv_signal_t* handle, int signal) {
    if (handle->data) static_cast<Signals*>(handle->data)->callback_(signal);
}

}  // namespace net
