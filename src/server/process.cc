#include "server/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

namespace server {

base::Result<void, std::string> become_daemon() {
    const pid_t child = fork();
    if (child < 0) return base::fail(fmt::format("Error in fork: {}.", std::strerror(errno)));
    if (child > 0) _exit(0);
    if (setsid() < 0) return base::fail(fmt::format("Error in setsid: {}.", std::strerror(errno)));
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) return base::fail(std::string("Error opening /dev/null."));
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, standard);
    close(null);
    return {};
}

PidFile::~PidFile() {
    if (!path_.empty()) std::remove(path_.c_str());
}

base::Result<void, std::string> PidFile::write(const std::string& path) {
    if (path.empty()) return {};
    std::FILE* file = std::fopen(path.c_str(), "we");
    if (!file) {
        return base::fail(
            fmt::format("Unable to write pid file {}: {}.", path, std::strerror(errno)));
    }
    path_ = path;
    fmt::print(file, "{}", getpid());
    std::fclose(file);
    return {};
}

namespace {

bool stays_root(const std::string& user) {
    return geteuid() != 0 || user.empty() || user == "root";
}

const passwd* account_of(const std::string& user) {
    const passwd* account = getpwnam(user.c_str());
    return account || user != "mosquitto" ? account : getpwnam("nobody");
}

}  // namespace

base::Result<void, std::string> give_to_user(const std::string& folder, const std::string& user) {
    const passwd* account = stays_root(user) ? nullptr : account_of(user);
    if (!account) return {};  // drop_privileges() says what is wrong with the name.
    std::error_code error;
    std::vector<std::string> paths{folder};
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        paths.push_back(entry.path());
    }
    for (const std::string& path : paths) {
        if (lchown(path.c_str(), account->pw_uid, account->pw_gid) == 0) continue;
        if (errno == ENOENT) continue;  // A file of the store that it needed no longer.
        return base::fail(fmt::format("Error: {} cannot be given to user {}: {}.", path,
                                      account->pw_name, std::strerror(errno)));
    }
    return {};
}

base::Result<void, std::string> drop_privileges(const std::string& user, std::string& warning) {
    if (geteuid() != 0) return {};
    if (user.empty() || user == "root") {
        warning = "Mosquitto should not be run as root/administrator: neither should nightjar.";
        return {};
    }
    const passwd* account = account_of(user);
    if (!account) {
        return base::fail(fmt::format("Invalid user '{}': there is no such account.", user));
    }
    if (initgroups(account->pw_name, account->pw_gid) != 0 || setgid(account->pw_gid) != 0 ||
        setuid(account->pw_uid) != 0) {
        return base::fail(
            fmt::format("Error becoming user {}: {}.", account->pw_name, std::strerror(errno)));
    }
    return {};
}

}  // namespace server
