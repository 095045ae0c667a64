#include "cli/passwd_tool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "auth/access_file.h"
#include "auth/scram_table.h"

namespace cli {
namespace {

using Outcome = base::Result<void, std::string>;

constexpr std::uint32_t default_iterations = 15'000;
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t password_bytes_max = 1024;

struct PasswdOptions {
    bool create = false;
    bool batch = false;
    bool remove = false;
    bool help = false;
    std::string hash;
    std::optional<std::uint32_t> iterations;
    std::vector<std::string> words;  // FILE USER [PASSWORD]
};

std::string system_error() {
    return std::generic_category().message(errno);
}

std::optional<std::uint32_t> read_iterations(std::string_view text) {
    std::uint32_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_number = read.ec == std::errc() && read.ptr == text.data() + text.size();
    if (!is_number || value < auth::scram_iterations_min || value > auth::scram_iterations_max) {
        return std::nullopt;
    }
    return value;
}

// A flag and its value, if it has one; `next` is what follows it, null at the end.
Outcome read_flag(std::string_view flag, const char* next, PasswdOptions& options) {
    if (flag == "-c") {
        options.create = true;
    } else if (flag == "-b") {
        options.batch = true;
    } else if (flag == "-D") {
        options.remove = true;
    } else if (flag == "-h" || flag == "--help") {
        options.help = true;
    } else if (flag == "-H" || flag == "-I") {
        if (next == nullptr) return base::fail(fmt::format("Error: {} needs a value.", flag));
        if (flag == "-H") {
            options.hash = next;
        } else if (options.iterations = read_iterations(next); !options.iterations) {
            return base::fail(fmt::format("Error: iterations must be {} to {}, not {}.",
                                          auth::scram_iterations_min, auth::scram_iterations_max,
                                          next));
        }
    } else if (flag == "-U") {
        return base::fail(
            std::string("Error: -U is not there: SCRAM keys cannot be made of "
                        "another kind of hash."));
    } else {
        return base::fail(fmt::format("Error: Unknown option '{}'.", flag));
    }
    return {};
}

Outcome check(const PasswdOptions& options) {
    if (options.hash != "scram-sha-256") {
        return base::fail(
            options.hash.empty()
                ? std::string("Error: -H scram-sha-256 must be given. Password files of the other "
                              "kinds come with a later version.")
                : fmt::format("Error: -H {} comes with a later version; there is scram-sha-256.",
                              options.hash));
    }
    if (options.create && options.remove) {
        return base::fail(std::string("Error: -c and -D cannot be used together."));
    }
    const std::size_t wanted = options.batch && !options.remove ? 3 : 2;
    if (options.words.size() != wanted) {
        return base::fail(std::string(
            wanted == 3 ? "Error: -b needs a file, a user and a password."
                        : "Error: a file and a user are needed, and a password only with -b."));
    }
    if (const auto why = auth::judge_user_name(options.words[1]); !why.empty()) {
        return base::fail(fmt::format("Error: {}.", why));
    }
    if (!auth::has_crypto) {
        return base::fail(std::string("Error: this build has no OpenSSL, so no SCRAM-SHA-256."));
    }
    return {};
}

base::Result<PasswdOptions, std::string> parse(std::span<char*> arguments) {
    PasswdOptions options;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view word = arguments[i];
        if (word.size() < 2 || word[0] != '-') {
            options.words.emplace_back(word);
            continue;
        }
        const char* const next = i + 1 < arguments.size() ? arguments[i + 1] : nullptr;
        if (auto read = read_flag(word, next, options); !read) return base::fail(read.error());
        if (word == "-H" || word == "-I") ++i;
    }
    if (options.help) return options;
    if (auto checked = check(options); !checked) return base::fail(checked.error());
    return options;
}

// Shows nothing of what is typed while it lives.
class NoEcho {
public:
    NoEcho() : is_terminal_(tcgetattr(STDIN_FILENO, &before_) == 0) {
        if (!is_terminal_) return;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        tcsetattr(STDIN_FILENO, TCSANOW, &silent);
    }
    NoEcho(const NoEcho&) = delete;
    NoEcho& operator=(const NoEcho&) = delete;
    ~NoEcho() {
        if (is_terminal_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    }

private:
    termios before_{};
    bool is_terminal_;
};

base::Result<std::string, std::string> ask(const char* prompt) {
    const NoEcho silence;
    std::fputs(prompt, stdout);
    std::fflush(stdout);
    std::string line;
    if (!std::getline(std::cin, line)) return base::fail(std::string("Error: no password given."));
    std::fputs("\n", stdout);
    return line;
}

base::Result<std::string, std::string> ask_twice() {
    auto password = ask("Password: ");
    if (!password) return password;
    const auto again = ask("Reenter password: ");
    if (!again) return base::fail(again.error());
    if (*again != *password) return base::fail(std::string("Error: Passwords do not match."));
    return password;
}

base::Result<std::string, std::string> get_password(const PasswdOptions& options) {
    auto password =
        options.batch ? base::Result<std::string, std::string>(options.words[2]) : ask_twice();
    if (!password) return password;
    if (!auth::is_prepared(*password) || password->size() > password_bytes_max) {
        return base::fail(
            fmt::format("Error: a password is UTF-8 without control characters, not "
                        "empty and at most {} bytes.",
                        password_bytes_max));
    }
    return password;
}

bool write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = write(file, text.data(), text.size());
        if (written < 0 && errno != EINTR) return false;
        if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

// The old file or the new one is there at any moment, whole; readable by its owner only, who stays.
Outcome replace_file(const std::string& path, std::string_view text) {
    std::string fresh = path + ".XXXXXX";
    const int file = mkstemp(fresh.data());  // Of mode 0600.
    if (file < 0) {
        return base::fail(
            fmt::format("Error: Unable to write beside {}: {}.", path, system_error()));
    }
    struct stat before {};
    bool done = true;
    if (stat(path.c_str(), &before) == 0 && before.st_uid != geteuid()) {
        done = fchown(file, before.st_uid, before.st_gid) == 0;
    }
    done = done && write_all(file, text) && fsync(file) == 0;
    const int error = errno;
    close(file);
    errno = error;
    if (done && rename(fresh.c_str(), path.c_str()) == 0) return {};
    const std::string why = system_error();
    unlink(fresh.c_str());
    return base::fail(fmt::format("Error: Unable to write {}: {}.", path, why));
}

Outcome edit(const PasswdOptions& options) {
    const std::string& path = options.words[0];
    const std::string& user = options.words[1];
    std::string text;
    if (!options.create) {
        auto read = auth::read_access_file("scram_file", path);
        if (!read) return base::fail(read.error());
        text = std::move(*read);
        // A file of another kind is not ours to change.
        if (const auto table = auth::ScramTable::parse(text, path); !table) {
            return base::fail(table.error());
        }
    }
    if (options.remove) {
        const auto edited = auth::without_user(text, user);
        if (!edited) return base::fail(fmt::format("Error: there is no user '{}'.", user));
        return replace_file(path, *edited);
    }
    const auto password = get_password(options);
    if (!password) return base::fail(password.error());
    const auth::ScramKeys keys = auth::derive_keys(*password, auth::random_bytes(salt_bytes),
                                                   options.iterations.value_or(default_iterations));
    return replace_file(path, auth::with_user(text, user, keys));
}

}  // namespace

std::string passwd_usage() {
    return fmt::format(
        "nightjar passwd adds, changes and removes users of a scram_file.\n\n"
        "Usage: nightjar passwd -H scram-sha-256 [-c] [-I ITERATIONS] FILE USER\n"
        "       nightjar passwd -H scram-sha-256 [-c] [-I ITERATIONS] -b FILE USER PASSWORD\n"
        "       nightjar passwd -H scram-sha-256 -D FILE USER\n\n"
        " -b : the password stands on the command line, where others may see it.\n"
        " -c : begin a new file, in place of one that is there.\n"
        " -D : remove the user.\n"
        " -H : the kind of file; there is scram-sha-256 today.\n"
        " -I : how often the password is hashed, {} to {}; default {}. Clients pay for it, at\n"
        "      each login.\n",
        auth::scram_iterations_min, auth::scram_iterations_max, default_iterations);
}

int run_passwd(std::span<char*> arguments) {
    const auto options = parse(arguments);
    if (options && options->help) {
        fmt::print("{}", passwd_usage());
        return 0;
    }
    const Outcome done = options ? edit(*options) : Outcome(base::fail(options.error()));
    if (done) return 0;
    fmt::print(stderr, "{}\n", done.error());
    if (!options) fmt::print(stderr, "Use 'nightjar passwd --help' to see usage.\n");
    return 1;
}

}  // namespace cli
