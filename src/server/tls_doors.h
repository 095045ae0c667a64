// TLS of the listeners: from what mosquitto.conf says to what their doors hand out, at the start
// and at each reload.
//
// Thread: shard 0's.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "server/door.h"

namespace server {

// "listener 8883", as errors name it.
std::string name_of(const config::Listener& listener);
// Reads the listener's certificates or keys and gives its door what they make; nothing without TLS.
// The error is a sentence.
base::Result<void, std::string> load_tls(Door& door, const config::Listener& listener);

// All files of all doors read again: all of them, or none if one has an error.
class TlsReload {
public:
    static base::Result<TlsReload, std::string> read(
        const std::vector<std::unique_ptr<Door>>& doors, const config::Config& fresh);
    // New connections meet the new files; those that exist keep what they began with.
    void apply();
    // Listeners whose TLS is on where it was off, or the reverse: that needs a restart.
    const std::vector<std::string>& switched() const { return switched_; }

private:
    std::vector<std::pair<Door*, base::Ref<net::TlsContext>>> contexts_;
    std::vector<std::string> switched_;
};

}  // namespace server
