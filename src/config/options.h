// Every option nightjar knows, one row each: the one source for reading a file, for what a reload
// may change and for the table in docs/COMPATIBILITY.md.
#pragma once

#include <span>
#include <string_view>

#include "config/draft.h"
#include "config/words.h"

namespace config {

enum class Scope {
    general,         // The broker.
    security,        // The broker, or with per_listener_settings the last listener.
    listener,        // The last listener, or a default one.
    named_listener,  // The last listener; an error without one.
    bridge,          // The last connection.
    plugin,          // The last plugin.
};
enum class Support {
    honoured,
    accepted,  // Checked and kept, but without effect yet: one warning.
    dropped,   // Of no use here, and mostly not in Mosquitto either: one warning.
};
enum class Reload { yes, no };
// Which check an accepted option asks for. Without it nobody may pass where it would have stood.
enum class Guards { nothing, authentication, authorization, both };

// What a setting is compared by: a whole config, or one of its listeners.
struct Compared {
    const Config& config;
    const Listener* listener;  // Null for settings of the broker.
};

struct Setting {
    Outcome (*set)(Draft& draft, Words& words) = nullptr;
    // Null if the setting is no value of its own (it begins a listener, or belongs to a bridge).
    bool (*same)(const Compared& one, const Compared& other) = nullptr;
    bool of_listener = false;  // `same` looks at listeners.
};

struct Option {
    std::string_view name;  // Ends in '*' if it stands for all that begin with it.
    Scope scope;
    Support support;
    Reload reload;
    Setting setting;
    std::string_view deprecated{};  // Not empty: it is, and this sentence says what to do.
    Guards guards = Guards::nothing;
    bool own = false;  // nightjar's own.
};

// Sorted by name (option_table.cc).
std::span<const Option> options();
const Option* find_option(std::string_view name);

// Reads the rest of a line into the draft.
Outcome apply(const Option& option, Draft& draft, Words& words);

}  // namespace config
