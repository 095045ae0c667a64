// Any bytes as mosquitto.conf. What follows the first NUL is a second file, for include_dir.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "config/difference.h"
#include "config/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string input(reinterpret_cast<const char*>(data), size);
    const std::size_t cut = input.find('\0');
    const std::string main_text = input.substr(0, cut);
    const std::string other = cut == std::string::npos ? std::string() : input.substr(cut + 1);

    const config::Files files{
        .read = [&](const std::string& path) -> base::Result<std::string, std::string> {
            return path == "main.conf" ? main_text : other;
        },
        .list = [](const std::string&) -> base::Result<std::vector<std::string>, std::string> {
            return std::vector<std::string>{"a.conf"};
        }};
    const auto parsed = config::parse({.file = "main.conf", .ports = {1884}}, files);
    if (!parsed) {
        ASSERT(!parsed.error().message.empty());
        ASSERT(!config::to_string(parsed.error()).empty());
        return 0;
    }
    ASSERT(!parsed->listeners.empty());
    ASSERT(config::difference(*parsed, *parsed).empty());
    const auto fresh = config::parse({}, files);
    ASSERT(fresh.has_value());
    static_cast<void>(config::difference(*fresh, *parsed));
    return 0;
}
