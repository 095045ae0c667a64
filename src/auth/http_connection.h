// A service that is asked over HTTP, and one connection to it, made by libcurl.
//
// It connects when it is first asked, stays, and connects again after it was lost. Who answers is
// always verified with https. Redirects are not followed, the environment's proxies, .netrc and
// cookies are not used: a password goes where the configuration says, or nowhere.
//
// Owned by who asks. Threads: one at a time, but for abort(). Limits: reply_bytes_max of a reply;
// nothing waits longer than the timeout, looking up the name included.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace auth {

#ifdef NIGHTJAR_HTTP
inline constexpr bool has_http = true;
#else
inline constexpr bool has_http = false;
#endif
// "libcurl/7.88.1 OpenSSL/3.0.19".
std::string http_version();

struct HttpService {
    std::string url{};
    std::vector<std::string> headers{};  // "Name: value", beside our own.
    std::string ca_file{};               // Empty: the system's authorities.
    std::string cert_file{};
    std::string key_file{};
    std::chrono::milliseconds timeout{5000};
};

struct HttpReply {
    int status = 0;
    std::string body{};
};

struct HttpError {
    std::string message{};
    bool is_lost = false;  // The service was not reached, or has gone; else it is what it replied.
};

class HttpConnection {
public:
    static constexpr std::size_t reply_bytes_max = 65'536;

    explicit HttpConnection(const HttpService& service);
    HttpConnection(const HttpConnection&) = delete;
    HttpConnection& operator=(const HttpConnection&) = delete;
    ~HttpConnection();

    base::Result<HttpReply, HttpError> post(const std::string& json);

    // From any thread, for good: what waits for the service fails within a second.
    void abort();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace auth
