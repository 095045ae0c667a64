// Of "host:port", as credentials name who asks: the host.
#pragma once

#include <string>
#include <string_view>

namespace auth {

// Of "10.0.0.1:1883", "::1:1883" or "[::1]:1883".
std::string host_of(std::string_view peer);
// What counts as one: an IPv4 address; of IPv6 the network of 64 bits, which one host may use as it
// likes. Not for printing.
std::string network_of(std::string_view peer);

}  // namespace auth
