// A library for LD_PRELOAD that kills the broker inside a commit: at the N-th call by which it
// changes a file of its store. The product knows nothing of it.
//
// KILL_POINT_ORDER names a file. While it is not there nothing happens. Once it is, it is read and
// removed: "N before", "N after" or "N half" (only half of what is to be written is), and the calls
// are counted from there on: write, pwrite, fsync, fdatasync and rename below "nightjar.store/".
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>

namespace {

enum class When { before, half, after };

// Read once, before the first count that may reach 0.
struct Order {
    std::mutex mutex;
    std::atomic<bool> is_there{false};
    std::atomic<long> calls_left{0};
    When when{};
};

Order& order() {
    static Order* const one = new Order;  // Never destroyed: calls come until the very end.
    return *one;
}

bool is_of_store(std::string_view path) {
    return path.find("nightjar.store/") != std::string_view::npos;
}

bool is_of_store(int file) {
    char link[32];
    char path[1024];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const ssize_t size = readlink(link, path, sizeof path);
    return size > 0 && is_of_store(std::string_view(path, static_cast<std::size_t>(size)));
}

void read_order(Order& found) {
    const std::lock_guard lock(found.mutex);
    const char* const path = std::getenv("KILL_POINT_ORDER");
    if (found.is_there || !path) return;
    std::FILE* const file = std::fopen(path, "re");
    if (!file) return;
    long calls = 0;
    char word[8] = "";
    const bool is_read = std::fscanf(file, "%ld %7s", &calls, word) == 2;
    std::fclose(file);
    unlink(path);
    if (!is_read) return;
    const std::string_view when = word;
    found.when = when == "before" ? When::before : when == "half" ? When::half : When::after;
    found.calls_left = calls;
    found.is_there = true;
}

// Whether this is the call.
bool is_the_one() {
    Order& one = order();
    if (!one.is_there) read_order(one);
    return one.is_there && --one.calls_left == 0;
}

[[noreturn]] void die() {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

// `call(size)` is what was asked for, of so many bytes.
template <typename Call>
auto around(bool is_counted, std::size_t size, Call&& call) {
    if (!is_counted || !is_the_one()) return call(size);
    if (order().when == When::half) call(size / 2);
    if (order().when == When::after) call(size);
    die();
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* bytes, std::size_t size) {
    return around(is_of_store(file), size,
                  [&](std::size_t some) { return syscall(SYS_write, file, bytes, some); });
}

ssize_t pwrite(int file, const void* bytes, std::size_t size, off_t at) {
    return around(is_of_store(file), size,
                  [&](std::size_t some) { return syscall(SYS_pwrite64, file, bytes, some, at); });
}

int fsync(int file) {
    return around(is_of_store(file), 0,
                  [&](std::size_t) { return static_cast<int>(syscall(SYS_fsync, file)); });
}

int fdatasync(int file) {
    return around(is_of_store(file), 0,
                  [&](std::size_t) { return static_cast<int>(syscall(SYS_fdatasync, file)); });
}

int rename(const char* from, const char* to) noexcept {
    return around(is_of_store(std::string_view(to)), 0,
                  [&](std::size_t) { return renameat(AT_FDCWD, from, AT_FDCWD, to); });
}
}
