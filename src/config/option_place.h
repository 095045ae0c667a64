// "file:line" of an option, for what is found out about it later. It is no part of what was asked
// for: two of them are always equal.
#pragma once

#include <string>

namespace config {

struct OptionPlace {
    std::string text{};
    bool operator==(const OptionPlace&) const { return true; }
};

}  // namespace config
