#include "config/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "config/draft.h"
#include "config/options.h"
#include "config/resolve.h"
#include "config/words.h"

namespace config {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view included_suffix = ".conf";

// 00, 01, A, a, B, b: letters in order whatever their case, and the capital before the small.
bool comes_before(const std::string& one, const std::string& other) {
    const auto key = [](char c) {
        const bool small = c >= 'a' && c <= 'z';
        return std::pair(small ? static_cast<char>(c - 'a' + 'A') : c, c);
    };
    return std::lexicographical_compare(one.begin(), one.end(), other.begin(), other.end(),
                                        [&](char a, char b) { return key(a) < key(b); });
}

class Parser {
public:
    explicit Parser(const Files& files) : files_(files) {}

    base::Result<void, Error> read_file(const std::string& path);
    Draft take() { return std::move(draft_); }

private:
    base::Result<void, Error> read_lines(std::string_view text);
    Outcome read_line(std::string_view line, std::vector<std::string>& included);
    base::Result<std::vector<std::string>, std::string> included_files(Words& words) const;

    const Files& files_;
    Draft draft_;
    bool in_main_file_ = true;
};

base::Result<void, Error> Parser::read_file(const std::string& path) {
    const auto text = files_.read(path);
    if (!text) {
        return base::fail(
            Error{path, 0,
                  fmt::format("Error: Unable to open config file '{}': {}.", path, text.error())});
    }
    draft_.place = {path, 0};
    std::string_view rest = *text;
    if (rest.starts_with(byte_order_mark)) rest.remove_prefix(byte_order_mark.size());
    return read_lines(rest);
}

base::Result<void, Error> Parser::read_lines(std::string_view text) {
    std::vector<std::string> included;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++draft_.place.line;
        while (line.ends_with('\r')) line.remove_suffix(1);

        if (auto read = read_line(line, included); !read) {
            return base::fail(Error{draft_.place.file, draft_.place.line, read.error()});
        }
        if (included.empty()) continue;

        // An included file has its own cursors; this one goes on where it was.
        const Place place = draft_.place;
        const Cursors cursors = draft_.at;
        in_main_file_ = false;
        for (const std::string& path : included) {
            draft_.at = {};
            if (auto read = read_file(path); !read) return read;
        }
        in_main_file_ = true;
        draft_.place = place;
        draft_.at = cursors;
        included.clear();
    }
    return {};
}

Outcome Parser::read_line(std::string_view line, std::vector<std::string>& included) {
    if (line.starts_with('#')) return {};
    if (line.find('\0') != std::string_view::npos) {
        return base::fail(std::string("Error: NUL byte in configuration."));
    }
    Words words(line);
    if (words.key().empty()) return {};
    const Option* option = find_option(words.key());
    if (option == nullptr) {
        return base::fail(fmt::format("Error: Unknown configuration variable '{}'.", words.key()));
    }
    if (option->name != "include_dir") return apply(*option, draft_, words);

    auto found = included_files(words);
    if (!found) return base::fail(found.error());
    included = std::move(*found);
    return {};
}

base::Result<std::vector<std::string>, std::string> Parser::included_files(Words& words) const {
    if (!in_main_file_) {
        return base::fail(std::string(
            "Error: The include_dir option is only valid in the main configuration file."));
    }
    const auto directory = words.text();
    if (!directory) return base::fail(directory.error());
    auto names = files_.list(*directory);
    if (!names) {
        return base::fail(
            fmt::format("Error: Unable to open include_dir '{}': {}.", *directory, names.error()));
    }
    std::erase_if(*names, [](const std::string& name) {
        return name.size() <= included_suffix.size() || !name.ends_with(included_suffix);
    });
    std::sort(names->begin(), names->end(), comes_before);
    for (std::string& name : *names) name.insert(0, *directory + "/");
    return std::move(*names);
}

}  // namespace

std::string to_string(const Diagnostic& diagnostic) {
    if (diagnostic.file.empty()) return diagnostic.message;
    if (diagnostic.line == 0) return fmt::format("{}: {}", diagnostic.file, diagnostic.message);
    return fmt::format("{}:{}: {}", diagnostic.file, diagnostic.line, diagnostic.message);
}

base::Result<Config, Error> parse(const Options& options, const Files& files) {
    Parser parser(files);
    if (options.file) {
        if (auto read = parser.read_file(*options.file); !read) return base::fail(read.error());
    }
    return resolve(parser.take(), options);
}

}  // namespace config
