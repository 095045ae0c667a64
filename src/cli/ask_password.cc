#include "cli/ask_password.h"

#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

namespace cli {
namespace {

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

}  // namespace

base::Result<std::string, std::string> ask_password(const char* prompt) {
    const NoEcho silence;
    std::fputs(prompt, stdout);
    std::fflush(stdout);
    std::string line;
    if (!std::getline(std::cin, line)) return base::fail(std::string("Error: no password given."));
    std::fputs("\n", stdout);
    return line;
}

base::Result<std::string, std::string> ask_password_twice() {
    auto password = ask_password("Password: ");
    if (!password) return password;
    const auto again = ask_password("Reenter password: ");
    if (!again) return base::fail(again.error());
    if (*again != *password) return base::fail(std::string("Error: Passwords do not match."));
    return password;
}

}  // namespace cli
