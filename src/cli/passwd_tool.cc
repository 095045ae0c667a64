#include "cli/passwd_tool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "auth/access_file.h"
#include "auth/password_table.h"
#include "auth/scram_table.h"
#include "cli/ask_password.h"

namespace cli {
namespace {

using Outcome = base::Result<void, std::string>;

using Kind = auth::MosquittoHash::Kind;

constexpr std::uint32_t default_iterations = 15'000;  // Of SCRAM.
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t password_bytes_max = 1024;
constexpr std::size_t plain_password_bytes_max = 65'535;  // Of a password in CONNECT.

// What a file's users have beside their names.
struct HashKind {
    std::string_view name;
    bool is_scram = false;
    Kind kind{};
    std::uint32_t iterations_min = 1;
    std::uint32_t iterations_max = 1;
    std::uint32_t iterations_default = 1;
};
constexpr auto hash_kinds = std::to_array<HashKind>({
    {"sha512-pbkdf2", false, Kind::pbkdf2, 1, auth::MosquittoHash::iterations_max, 10'000},
    {"sha512", false, Kind::sha512},
    {"argon2id", false, Kind::argon2id, 1, 100, 1},
    {"scram-sha-256",
     true,
     {},
     auth::scram_iterations_min,
     auth::scram_iterations_max,
     default_iterations},
});

struct PasswdOptions {
    bool create = false;
    bool batch = false;
    bool remove = false;
    bool upgrade = false;
    bool help = false;
    const HashKind* hash = hash_kinds.data();  // The first is the default.
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
    return is_number ? std::optional(value) : std::nullopt;
}

Outcome read_hash(std::string_view name, PasswdOptions& options) {
    const auto* const found = std::ranges::find(hash_kinds, name, &HashKind::name);
    if (found == hash_kinds.end()) {
        return base::fail(fmt::format(
            "Error: Unknown hash type '{}'; there are sha512-pbkdf2, sha512, argon2id and "
            "scram-sha-256.",
            name));
    }
    options.hash = found;
    return {};
}

Outcome read_iterations_of(std::string_view text, PasswdOptions& options) {
    options.iterations = read_iterations(text);
    if (options.iterations) return {};
    return base::fail(fmt::format("Error: iterations are a number, not {}.", text));
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
        return flag == "-H" ? read_hash(next, options) : read_iterations_of(next, options);
    } else if (flag == "-U") {
        options.upgrade = true;
    } else {
        return base::fail(fmt::format("Error: Unknown option '{}'.", flag));
    }
    return {};
}

Outcome check_hash(const PasswdOptions& options) {
    const HashKind& hash = *options.hash;
    const std::uint32_t iterations = options.iterations.value_or(hash.iterations_default);
    if (!auth::has_crypto) {
        return base::fail(std::string("Error: this build has no OpenSSL to hash passwords with."));
    }
    if (!hash.is_scram && hash.kind == Kind::argon2id && !auth::MosquittoHash::has_argon2) {
        return base::fail(std::string("Error: this build has no libargon2, so no argon2id."));
    }
    if (iterations < hash.iterations_min || iterations > hash.iterations_max) {
        return base::fail(fmt::format("Error: iterations of {} must be {} to {}, not {}.",
                                      hash.name, hash.iterations_min, hash.iterations_max,
                                      iterations));
    }
    return {};
}

Outcome check_words(const PasswdOptions& options) {
    if (options.upgrade) {
        if (options.words.size() == 1) return {};
        return base::fail(std::string("Error: -U needs a file, and nothing else."));
    }
    const std::size_t wanted = options.batch && !options.remove ? 3 : 2;
    if (options.words.size() != wanted) {
        return base::fail(std::string(
            wanted == 3 ? "Error: -b needs a file, a user and a password."
                        : "Error: a file and a user are needed, and a password only with -b."));
    }
    const std::string& user = options.words[1];
    const std::string why =
        options.hash->is_scram ? auth::judge_user_name(user) : auth::judge_password_user(user);
    if (why.empty()) return {};
    return base::fail(fmt::format("Error: {}.", why));
}

Outcome check(const PasswdOptions& options) {
    if (options.create && options.remove) {
        return base::fail(std::string("Error: -c and -D cannot be used together."));
    }
    if (options.upgrade && (options.create || options.remove || options.hash->is_scram)) {
        return base::fail(std::string("Error: -U goes with none of -c, -D and -H scram-sha-256."));
    }
    if (auto checked = check_words(options); !checked) return checked;
    return check_hash(options);
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

base::Result<std::string, std::string> get_password(const PasswdOptions& options) {
    auto password = options.batch ? base::Result<std::string, std::string>(options.words[2])
                                  : ask_password_twice();
    if (!password) return password;
    if (!options.hash->is_scram) {
        if (!password->empty() && password->size() <= plain_password_bytes_max) return password;
        return base::fail(fmt::format("Error: a password is not empty and has at most {} bytes.",
                                      plain_password_bytes_max));
    }
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

std::string hashed(const PasswdOptions& options, std::string_view password) {
    const std::uint32_t iterations = options.iterations.value_or(options.hash->iterations_default);
    return auth::MosquittoHash::make(options.hash->kind, base::as_bytes(password), iterations)
        .to_text();
}

// The user's whole line.
std::string line_of(const PasswdOptions& options, std::string_view password) {
    const std::string& user = options.words[1];
    if (!options.hash->is_scram) return fmt::format("{}:{}", user, hashed(options, password));
    return auth::to_line(
        user, auth::derive_keys(password, auth::random_bytes(salt_bytes),
                                options.iterations.value_or(options.hash->iterations_default)));
}

// A file of another kind is not ours to change.
base::Result<std::string, std::string> read_file(const PasswdOptions& options) {
    const std::string& path = options.words[0];
    auto text =
        auth::read_access_file(options.hash->is_scram ? "scram_file" : "password_file", path);
    if (!text || options.remove || options.upgrade) return text;
    if (options.hash->is_scram) {
        if (auto table = auth::ScramTable::parse(*text, path); !table) {
            return base::fail(table.error());
        }
    } else if (auto table = auth::PasswordTable::parse(*text, path); !table) {
        return base::fail(table.error());
    }
    return text;
}

// Hashes of what is still plain; nothing is changed if a line is malformed.
Outcome upgrade(const PasswdOptions& options, std::string_view text) {
    std::string edited;
    std::string error;
    std::size_t number = 0;
    auth::for_each_line(text, [&](std::string_view line, std::string_view whole) {
        ++number;
        const std::string_view user = auth::user_of(line);
        const std::string_view secret = line.substr(std::min(user.size() + 1, line.size()));
        if (!auth::is_record(line) || auth::MosquittoHash::parse(secret)) {
            edited.append(whole);
        } else if (secret.empty() || !auth::judge_password_user(user).empty()) {
            if (error.empty()) error = fmt::format("{}:{}", options.words[0], number);
        } else {
            edited.append(fmt::format("{}:{}\n", user, hashed(options, secret)));
        }
    });
    if (error.empty()) return replace_file(options.words[0], edited);
    return base::fail(fmt::format("{}: Error: not a user, a colon and a password.", error));
}

Outcome edit(const PasswdOptions& options) {
    const std::string& path = options.words[0];
    std::string text;
    if (!options.create) {
        auto read = read_file(options);
        if (!read) return base::fail(read.error());
        text = std::move(*read);
    }
    if (options.upgrade) return upgrade(options, text);
    const std::string& user = options.words[1];
    if (options.remove) {
        const auto edited = auth::without_user(text, user);
        if (!edited) return base::fail(fmt::format("Error: there is no user '{}'.", user));
        return replace_file(path, *edited);
    }
    const auto password = get_password(options);
    if (!password) return base::fail(password.error());
    const std::string line = line_of(options, *password);
    if (options.create && path == "-") {
        fmt::print("{}\n", line);
        return {};
    }
    return replace_file(path, auth::with_line(text, user, line));
}

}  // namespace

std::string passwd_usage() {
    std::string text =
        "nightjar passwd adds, changes and removes users of a password_file or scram_file.\n\n"
        "Usage: nightjar passwd [-H HASH] [-c] [-I ITERATIONS] FILE USER\n"
        "       nightjar passwd [-H HASH] [-c] [-I ITERATIONS] -b FILE USER PASSWORD\n"
        "       nightjar passwd -D FILE USER\n"
        "       nightjar passwd [-H HASH] [-I ITERATIONS] -U FILE\n\n"
        " -b : the password stands on the command line, where others may see it.\n"
        " -c : begin a new file, in place of one that is there; FILE - prints the line.\n"
        " -D : remove the user.\n"
        " -H : how passwords are kept, with the iterations that -I may say:\n";
    for (const HashKind& hash : hash_kinds) {
        fmt::format_to(std::back_inserter(text), "        {:<14} {} to {}, default {}\n", hash.name,
                       hash.iterations_min, hash.iterations_max, hash.iterations_default);
    }
    return text +
           "      The first is the default. scram-sha-256 is for a scram_file, and its iterations\n"
           "      are the clients' to pay for; the others are for a password_file.\n"
           " -I : how often the password is hashed.\n"
           " -U : hash what is plain in a file of users and plain passwords.\n";
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
