// From the file (or none) and the flags to a Config. The rules of the format are in words.h, the
// options in option_table.cc, and what the lines mean together in resolve.cc.
//
// Threads: none; no global state. Limits: a file is at most `file_bytes_max` long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace config {

inline constexpr std::size_t file_bytes_max = 16U << 20U;

// What the command line says, and the environment.
struct Options {
    std::optional<std::string> file{};   // -c
    std::vector<std::uint16_t> ports{};  // -p, as often as given; used only in local-only mode.
    bool verbose = false;                // -v: every log type, whatever the file says.
    bool quiet = false;                  // -q: no log at all; beats verbose.
    // MOSQUITTO_PERSISTENCE_LOCATION: beats the file's persistence_location, unless empty.
    std::string persistence_location{};
};

// The files, as two questions, so that tests answer them from memory. Errors are a sentence.
struct Files {
    std::function<base::Result<std::string, std::string>(const std::string& path)> read;
    // The names (without the directory) of all that is in a directory, in any order.
    std::function<base::Result<std::vector<std::string>, std::string>(const std::string& path)>
        list;
};
Files files_on_disk();

// Stops at the first error. Opens no file that the options name, except those of include_dir.
base::Result<Config, Error> parse(const Options& options, const Files& files = files_on_disk());

}  // namespace config
