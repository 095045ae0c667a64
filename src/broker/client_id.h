// Client identifiers that the broker assigns.
#pragma once

#include <string>
#include <string_view>

namespace broker {

// The prefix and a random UUID, as Mosquitto writes it: "auto-5B0A1F6C-...". From the system's
// random source: nobody can guess another client's.
std::string make_client_id(std::string_view prefix);

}  // namespace broker
