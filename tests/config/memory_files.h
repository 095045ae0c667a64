// Config files that are in memory: "main.conf" is what is parsed, the others are in directories.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/parse.h"

namespace config {

using FileTexts = std::map<std::string, std::string>;

inline Files memory_files(FileTexts texts) {
    auto read = [texts](const std::string& path) -> base::Result<std::string, std::string> {
        const auto found = texts.find(path);
        if (found == texts.end()) return base::fail(std::string("No such file or directory"));
        return found->second;
    };
    // In reverse, so that it is the parser that sorts.
    auto list =
        [texts](const std::string& path) -> base::Result<std::vector<std::string>, std::string> {
        std::vector<std::string> names;
        for (auto each = texts.rbegin(); each != texts.rend(); ++each) {
            if (each->first.starts_with(path + "/")) {
                names.push_back(each->first.substr(path.size() + 1));
            }
        }
        if (names.empty()) return base::fail(std::string("No such file or directory"));
        return names;
    };
    return {.read = std::move(read), .list = std::move(list)};
}

inline base::Result<Config, Error> parse_text(const std::string& text, Options options = {},
                                              FileTexts others = {}) {
    others["main.conf"] = text;
    options.file = "main.conf";
    return parse(options, memory_files(std::move(others)));
}

// The error as it is shown, or "" if there is none.
inline std::string error_of(const std::string& text, FileTexts others = {}) {
    const auto config = parse_text(text, {}, std::move(others));
    return config ? std::string() : to_string(config.error());
}

inline std::vector<std::string> shown_warnings(const Config& config) {
    std::vector<std::string> shown;
    for (const Warning& warning : config.warnings) shown.push_back(to_string(warning));
    return shown;
}

}  // namespace config
