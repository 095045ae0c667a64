// From what mosquitto.conf says to what each part of the broker is told.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/options.h"
#include "config/config.h"
#include "net/listener.h"

namespace server {

// What is said about persistence, at all and by topic; level memory if it is off.
broker::DurabilityLevels durability_levels(const config::Persistence& persistence);
std::shared_ptr<const broker::Options> broker_options(const config::Config& config);
broker::ListenerOptions door_options(const config::Listener& listener, std::uint32_t realm = 0);
// `loops`: how many event loops will listen there.
net::ListenOptions listen_options(const config::Listener& listener, const config::Config& config,
                                  std::size_t loops);
// `threads`, or the number of CPUs this process may use, within what Interest can tell apart.
std::uint32_t shard_count(const config::Config& config);

}  // namespace server
