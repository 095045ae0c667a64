// Log lines to where mosquitto.conf sends them: stdout, stderr, a file, syslog, $SYS/broker/log.
//
//     1700000000: New client connected from 127.0.0.1:40000 as dev1 (p4, c1, k60).
//
// A line is one line: what a peer has put into it that would end it, or move a terminal's cursor,
// is written as \x0A.
//
// Threads: any; a line is one write() under a lock. A destination that fails is left out, never
// waited for: logging must not stop the service. Ownership: the program's, before everything else.
#pragma once

#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "base/guarded.h"
#include "base/log.h"
#include "config/config.h"

namespace server {

class Logger : public base::Log {
public:
    Logger();
    Logger(const Logger&) = delete;
    Logger& operator=(const Logger&) = delete;
    ~Logger() override;

    // Takes the settings of a (re)loaded configuration; false, with a reason, if the log file
    // cannot be opened: then the other destinations are used.
    bool configure(const config::Logging& settings, std::string& error);
    // Opens the log file anew, for log rotation.
    bool reopen(std::string& error);
    // Who publishes lines under $SYS/broker/log; called from any thread, under no lock.
    using Publish = std::function<void(base::LogType type, std::string line)>;
    void set_publisher(Publish publish) { publish_ = std::move(publish); }
    // stdout and stderr end with the terminal; `log_dest` still holds for the rest.
    void detach_terminal() { terminal_ = false; }

    bool enabled(base::LogType type) const override {
        return (types_.load(std::memory_order_relaxed) & static_cast<std::uint32_t>(type)) != 0;
    }
    void write(base::LogType type, std::string_view line) override;

private:
    struct CloseFile {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    struct Output {
        config::Logging settings;
        std::unique_ptr<std::FILE, CloseFile> file;
    };
    static bool open_file(Output& output, std::string& error);
    static std::string stamp(const config::Logging& settings);

    base::Guarded<Output> output_;
    std::atomic<std::uint32_t> types_;
    std::atomic<bool> terminal_{true};
    Publish publish_;
};

}  // namespace server
