// A folder of its own for a test, gone with it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace storage {

class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "nightjar-XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    std::string path() const { return path_; }
    std::string store() const { return path_ + "/nightjar.store"; }

private:
    std::string path_;
};

}  // namespace storage
