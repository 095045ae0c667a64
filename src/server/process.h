// What a daemon does to its own process.
#pragma once

#include <string>

#include "base/result.h"

namespace server {

// Detaches from the terminal: the caller's process ends with 0, and the copy that returns goes on.
base::Result<void, std::string> become_daemon();

// The file with our process id; removed when the object dies.
class PidFile {
public:
    PidFile() = default;
    PidFile(const PidFile&) = delete;
    PidFile& operator=(const PidFile&) = delete;
    ~PidFile();
    // An empty path writes none.
    base::Result<void, std::string> write(const std::string& path);

private:
    std::string path_;
};

// When running as root: what was made in the folder belongs to whom drop_privileges() becomes.
base::Result<void, std::string> give_to_user(const std::string& folder, const std::string& user);

// When running as root: becomes `user` (or, if there is no user "mosquitto", "nobody"), so that a
// fault gives away nothing but what that user has. "root" or an empty name keeps root, and
// `warning` says what that means.
base::Result<void, std::string> drop_privileges(const std::string& user, std::string& warning);

}  // namespace server
