// Users whom a service is asked for over HTTP, and what they may do.
//
//     {"username", "password", "clientid", "peerhost", "listener"}  ->  auth/http_answer.h
//
// A login that nothing is known of (LoginCache) is asked about by a worker, over a connection of
// its own. Rights that the service names go with the session, as long as that is this login's; the
// service is never asked for a message. A service that fails is left alone for a while
// (ServerHealth), and what it said before holds, or `on_error` says what becomes of the login.
//
// Owned by HttpUsers. Threads: begin() by each shard, the rest on workers. Limits: queue_max logins
// that wait, what LoginCache keeps.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "auth/http_answer.h"
#include "auth/late_answers.h"
#include "auth/login_cache.h"
#include "auth/server_health.h"

namespace auth {

struct HttpSettings {
    std::string name{};  // For the log: the URL without what may be secret.
    HttpService service{};
    std::size_t workers = 8;
    LoginCache::Settings logins{};
    bool has_rights = true;  // What the service says that clients may do counts.
};

class HttpSource {
public:
    static constexpr std::size_t queue_max = 10'000;
    // Called on a worker's thread, with its number and the request's body.
    using Ask = std::function<base::Result<HttpReply, HttpError>(std::size_t, const std::string&)>;

    struct Figures {
        LoginCache::Figures logins{};
        ServerHealth::Figures server{};
        std::uint64_t refused = 0;  // For which there was no room in the queue.
        std::size_t waiting = 0;
    };

    // Without `ask` over HTTP.
    HttpSource(HttpSettings settings, base::Log& log, LateAnswers::Post post,
               LoginHeritage heritage = {}, Ask ask = nullptr);
    HttpSource(const HttpSource&) = delete;
    HttpSource& operator=(const HttpSource&) = delete;
    ~HttpSource() { finish(); }

    // For who takes our place; of other users there is none, since rights go with the sessions.
    LoginHeritage heritage(bool has_same_users) const {
        return has_same_users ? logins_.heritage(true) : LoginHeritage();
    }

    // Credentials with a name and without a method.
    broker::AuthBegun begin(const broker::Credentials& credentials);
    // What is being asked fails within a second, and its client is told that the server is busy.
    void finish();

    const std::string& name() const { return health_.name(); }
    Figures figures() const;

private:
    // What is to be asked about `attempt`.
    struct Question {
        LoginAttempt attempt{};
        std::string body{};
    };

    broker::AuthAnswer log_in(std::size_t worker, const Question& question);
    broker::AuthAnswer answer_to(const LoginAttempt& attempt, HttpAnswer said);
    broker::AuthAnswer answer_to_trouble(const LoginAttempt& attempt);

    const bool has_rights_;
    LoginCache logins_;
    ServerHealth health_;
    std::vector<std::unique_ptr<HttpConnection>> connections_;  // One for each worker.
    const Ask ask_;
    std::atomic<bool> is_finishing_{false};

    WorkPool pool_;  // After what its workers use.
    LateAnswers late_;
};

}  // namespace auth
