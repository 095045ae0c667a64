#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "config/parse.h"

namespace config {
namespace {

base::Result<std::string, std::string> read(const std::string& path) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error))
        return base::fail(std::string("is a directory"));
    std::ifstream file(path, std::ios::binary);
    if (!file) return base::fail(std::generic_category().message(errno));

    // One byte more than may be: it shows that there is more. A pipe has no size to ask for.
    std::string text(file_bytes_max + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return base::fail(std::generic_category().message(errno));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > file_bytes_max) {
        return base::fail(fmt::format("is longer than {} bytes", file_bytes_max));
    }
    return text;
}

base::Result<std::vector<std::string>, std::string> list(const std::string& path) {
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator each(path, error);
    for (; !error && each != std::filesystem::directory_iterator(); each.increment(error)) {
        names.push_back(each->path().filename().string());
    }
    if (error) return base::fail(error.message());
    return names;
}

}  // namespace

Files files_on_disk() {
    return {.read = read, .list = list};
}

}  // namespace config
