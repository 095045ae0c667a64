// The service is a function here. Over HTTP: tests/scenarios/http_users_test.py.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <nlohmann/json.hpp>

#include "auth/http_users.h"
#include "support/fake_log.h"

namespace auth {
namespace {

using broker::Access;
using broker::AuthAnswer;
using Kind = AuthAnswer::Kind;

constexpr const char* with_rules =
    R"({"result": "allow", "acl": [{"permission": "allow", "action": "all", "topic": "a/#"}]})";

class HttpSourceTest : public ::testing::Test, private broker::AuthWaiter {
protected:
    void SetUp() override {
        if (!has_crypto) GTEST_SKIP() << "built without OpenSSL";
        settings_.name = "http://users.test/";
        settings_.workers = 1;
    }
    void start() {
        source_ = std::make_unique<HttpSource>(
            settings_, log_,
            [this](std::uint32_t, std::function<void()> task) {
                posted_.set_value(std::move(task));
            },
            LoginHeritage(),
            [this](std::size_t, const std::string& body) -> base::Result<HttpReply, HttpError> {
                bodies_.push_back(body);
                if (error_) return base::fail(*error_);
                return reply_;
            });
    }
    void lose() { error_ = HttpError{"connection refused", true}; }
    AuthAnswer login(const broker::Credentials& credentials) {
        const std::size_t before = bodies_.size();
        auto begun = source_->begin(credentials);
        if (begun.answer.kind == Kind::later) {
            begun.exchange->answer_to(*this);
            posted_.get_future().get()();
            posted_ = {};
        } else {
            answer_ = begun.answer;
        }
        was_asked_ = bodies_.size() != before;
        return answer_;
    }
    static broker::Credentials ann(std::string_view password = "secret",
                                   std::string_view client_id = "c") {
        return {.client_id = client_id,
                .user_name = "ann",
                .password = base::as_bytes(password),
                .peer = "10.0.0.1:50123",
                .realm = 1,
                .listener_port = 1883};
    }
    void on_answer(AuthAnswer answer) override { answer_ = std::move(answer); }

    support::FakeLog log_;
    HttpSettings settings_;
    HttpReply reply_{204, ""};
    std::optional<HttpError> error_;
    std::vector<std::string> bodies_;
    std::unique_ptr<HttpSource> source_;
    std::promise<std::function<void()>> posted_;
    AuthAnswer answer_;
    bool was_asked_ = false;  // For the last login.
};

TEST_F(HttpSourceTest, asks_with_all_that_it_knows) {
    start();
    ASSERT_EQ(login(ann("p\"\\\n\x01\xC3\xA4")).kind, Kind::accepted);
    EXPECT_EQ(bodies_.back(), R"({"username":"ann","password":"p\"\\\n\u0001ä","clientid":"c",)"
                              R"("peerhost":"10.0.0.1","listener":1883})");
    broker::Credentials without = ann();
    without.password.reset();
    login(without);
    EXPECT_TRUE(nlohmann::json::parse(bodies_.back()).at("password").is_null());
}

TEST_F(HttpSourceTest, a_password_that_is_no_text_is_nobodys) {
    start();
    EXPECT_EQ(login(ann("\xFF")).kind, Kind::unknown);
    EXPECT_FALSE(was_asked_);
}

TEST_F(HttpSourceTest, the_answer_is_the_services) {
    const std::tuple<int, Kind, mqtt::ReasonCode> rows[] = {
        {204, Kind::accepted, mqtt::ReasonCode::not_authorized},
        {403, Kind::refused, mqtt::ReasonCode::not_authorized},
        {404, Kind::unknown, mqtt::ReasonCode::not_authorized},
        {500, Kind::refused, mqtt::ReasonCode::server_unavailable}};
    for (const auto& [status, want, reason] : rows) {
        reply_.status = status;
        start();
        EXPECT_EQ(login(ann()).kind, want) << status;
        EXPECT_EQ(answer_.reason, reason) << status;
    }
}

TEST_F(HttpSourceTest, a_login_is_let_in_again_without_a_request_but_never_without_its_password) {
    start();
    EXPECT_EQ(login(ann()).kind, Kind::accepted);
    EXPECT_TRUE(was_asked_);
    EXPECT_EQ(login(ann()).kind, Kind::accepted);
    EXPECT_FALSE(was_asked_);
    reply_.status = 403;
    broker::Credentials without = ann();
    without.password.reset();
    broker::Credentials elsewhere = ann();
    elsewhere.listener_port = 8883;
    broker::Credentials from_elsewhere = ann();
    from_elsewhere.peer = "10.0.0.2:1";
    for (const auto& other :
         {ann("wrong"), ann(""), without, ann("secret", "d"), elsewhere, from_elsewhere}) {
        EXPECT_EQ(login(other).kind, Kind::refused);
        EXPECT_TRUE(was_asked_);
    }
    EXPECT_EQ(source_->figures().logins.cached, 1U);
}

TEST_F(HttpSourceTest, a_refusal_is_remembered_as_it_was) {
    for (const auto& [status, want] : {std::pair(403, Kind::refused), {404, Kind::unknown}}) {
        reply_.status = status;
        start();
        EXPECT_EQ(login(ann()).kind, want);
        EXPECT_EQ(login(ann()).kind, want);
        EXPECT_FALSE(was_asked_);
        EXPECT_EQ(login(ann("another")).kind, want);
        EXPECT_TRUE(was_asked_);
    }
}

TEST_F(HttpSourceTest, caches_may_be_off) {
    settings_.logins.cache_ms = settings_.logins.negative_cache_ms = 0;
    start();
    for (const int status : {204, 403}) {
        reply_.status = status;
        for (int i = 0; i < 2; ++i) {
            login(ann());
            EXPECT_TRUE(was_asked_) << status;
        }
    }
}

TEST_F(HttpSourceTest, rights_come_with_the_login_also_from_the_cache) {
    reply_ = {200, with_rules};
    start();
    for (int i = 0; i < 2; ++i) {
        const AuthAnswer answer = login(ann());
        ASSERT_TRUE(answer.granted);
        EXPECT_TRUE(answer.granted->allows(Access::publish, "a/b"));
        EXPECT_FALSE(answer.granted->allows(Access::publish, "b"));
        EXPECT_EQ(answer.granted->explain(Access::publish, "a/b"), "HTTP: allow a/#");
    }
    EXPECT_FALSE(was_asked_);
}

TEST_F(HttpSourceTest, without_rules_or_where_nothing_is_allowed_none_come) {
    start();
    EXPECT_FALSE(login(ann()).granted);
    settings_.has_rights = false;
    reply_ = {200, with_rules};
    start();
    EXPECT_EQ(login(ann()).kind, Kind::accepted);
    EXPECT_FALSE(answer_.granted);
}

TEST_F(HttpSourceTest, a_login_ends_when_the_service_says) {
    const auto reply_until = [this](std::chrono::seconds from_now) {
        const auto then = std::chrono::system_clock::now() + from_now;
        const auto seconds =
            std::chrono::duration_cast<std::chrono::seconds>(then.time_since_epoch()).count();
        reply_ = {200, R"({"result": "allow", "expire_at": )" + std::to_string(seconds) + "}"};
        start();
        return login(ann());
    };
    EXPECT_EQ(reply_until(std::chrono::seconds(-1)).kind, Kind::refused);
    EXPECT_EQ(reply_until(std::chrono::hours(24 * 365 * 200)).lasts_s, UINT32_MAX);
    for (const AuthAnswer& answer : {reply_until(std::chrono::hours(1)), login(ann())}) {
        EXPECT_EQ(answer.kind, Kind::accepted);
        EXPECT_GT(answer.lasts_s, 3590U);
        EXPECT_LE(answer.lasts_s, 3600U);
    }
    EXPECT_FALSE(was_asked_);
}

TEST_F(HttpSourceTest, what_it_said_before_holds_while_it_fails) {
    settings_.logins.cache_ms = 0;
    reply_ = {200, with_rules};
    start();
    ASSERT_EQ(login(ann()).kind, Kind::accepted);
    lose();
    EXPECT_EQ(login(ann()).kind, Kind::accepted);
    EXPECT_TRUE(answer_.granted);
    EXPECT_EQ(login(ann("wrong")).kind, Kind::refused);
    EXPECT_EQ(login(ann("secret", "another")).kind, Kind::refused);
    EXPECT_EQ(answer_.reason, mqtt::ReasonCode::server_unavailable);
    EXPECT_EQ(source_->figures().logins.stale, 1U);
}

TEST_F(HttpSourceTest, what_it_said_no_more_does_not_hold) {
    settings_.logins.cache_ms = settings_.logins.negative_cache_ms = 0;
    settings_.logins.on_error = LoginCache::OnError::stale;
    start();
    ASSERT_EQ(login(ann()).kind, Kind::accepted);
    reply_.status = 403;
    ASSERT_EQ(login(ann("wrong")).kind, Kind::refused);
    error_ = HttpError{"broken", false};
    EXPECT_EQ(login(ann()).kind, Kind::accepted);
    error_.reset();
    ASSERT_EQ(login(ann()).kind, Kind::refused);
    lose();
    EXPECT_EQ(login(ann()).kind, Kind::refused);
}

TEST_F(HttpSourceTest, without_an_answer_of_before_on_error_decides) {
    using OnError = LoginCache::OnError;
    const std::pair<OnError, Kind> rows[] = {{OnError::deny, Kind::refused},
                                             {OnError::next, Kind::unknown},
                                             {OnError::stale, Kind::refused}};
    lose();
    for (const auto& [on_error, want] : rows) {
        settings_.logins.on_error = on_error;
        start();
        EXPECT_EQ(login(ann()).kind, want);
    }
}

TEST_F(HttpSourceTest, is_left_alone_after_losses_and_not_after_what_a_client_may_cause) {
    const auto not_asked_of = [this] {
        start();
        for (int i = 0; i < 5; ++i) login(ann());
        return source_->figures().server.not_asked;
    };
    reply_ = {200, "{"};
    EXPECT_EQ(not_asked_of(), 0U);
    reply_ = {500, ""};
    EXPECT_EQ(not_asked_of(), 0U);
    error_ = HttpError{"the reply is too long", false};
    EXPECT_EQ(not_asked_of(), 0U);
    error_.reset();
    reply_ = {503, ""};
    EXPECT_EQ(not_asked_of(), 2U);
    lose();
    EXPECT_EQ(not_asked_of(), 2U);
    EXPECT_EQ(log_.count("Error: service http://users.test/ is lost"), 2U);
}

TEST_F(HttpSourceTest, users_are_those_of_the_realm) {
    start();
    NewSources<HttpSource> wanted;
    HttpUsers users;
    constexpr std::size_t none = RealmSources<HttpSource>::none;
    wanted.table = {{source_.get()}, {none, 0, none}};
    wanted.fresh.push_back(std::move(source_));
    EXPECT_TRUE(users.use(std::move(wanted)).is_empty());
    EXPECT_TRUE(users.has_users(1));
    EXPECT_FALSE(users.has_users(0) || users.has_users(2) || users.has_users(3));
    EXPECT_EQ(users.begin({.client_id = "c", .user_name = "ann", .realm = 2}).answer.kind,
              Kind::unknown);
    EXPECT_EQ(users.begin({.client_id = "c", .method = "M", .realm = 1}).answer.reason,
              mqtt::ReasonCode::bad_authentication_method);
}

}  // namespace
}  // namespace auth
