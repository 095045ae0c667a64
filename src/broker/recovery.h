// Fills a broker from its store: sessions with their subscriptions, messages, identifiers and
// wills, and what is retained. A message that was on its way to another shard and had not arrived
// is delivered to who was there, in the order of its way; with that it is no longer on its way, all
// at once.
//
// Before the shards run and connections are accepted; thread: any one. What does not fit together
// (a message of no session, a packet identifier used twice) is left out and logged: the broker
// starts.
#pragma once

#include <span>

#include "broker/shard.h"

namespace broker {

// `shards` are all of the broker's, in their order.
void recover(Broker& broker, std::span<Shard* const> shards);

}  // namespace broker
