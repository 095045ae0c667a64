#include "admin/control_answer.h"

#include <gtest/gtest.h>

#include <utility>

namespace admin {
namespace {

class FakeControls : public Controls {
public:
    ReloadOutcome reload() override { return outcome; }
    Status status() const override {
        return {.version = "1.2.3", .uptime_s = 4, .threads = 2, .listeners = {"port 1883"}};
    }
    void explain(const Question& question, const OnExplanation& done) override {
        asked = question.topic;
        later = done;
    }

    ReloadOutcome outcome;
    std::string asked;
    OnExplanation later;
};

class Answers : public ::testing::Test {
protected:
    std::string ask(std::string_view line) {
        std::string found;
        answer(line, controls_, [&](std::string text) { found = std::move(text); });
        return found;
    }

    FakeControls controls_;
};

TEST_F(Answers, a_reload_that_was_taken) {
    controls_.outcome.changed = {"max_qos"};
    controls_.outcome.needs_restart = {"threads"};
    EXPECT_EQ(ask(R"({"command":"reload"})"),
              R"({"ok":true,"changed":["max_qos"],"needs_restart":["threads"],)"
              R"("warnings":[]})"
              "\n");
}

TEST_F(Answers, a_reload_that_was_not) {
    controls_.outcome.error = "x.conf:1: Error: \"y\"";
    EXPECT_EQ(ask(R"({"command":"reload"})"),
              R"({"ok":false,"error":"x.conf:1: Error: \"y\"","changed":[],"needs_restart":[],)"
              R"("warnings":[]})"
              "\n");
}

TEST_F(Answers, the_status) {
    EXPECT_EQ(ask(R"({"command":"status"})"),
              R"({"ok":true,"version":"1.2.3","uptime_s":4,"threads":2,"clients_connected":0,)"
              R"("sessions":0,"subscriptions":0,"listeners":["port 1883"]})"
              "\n");
}

TEST_F(Answers, nonsense) {
    EXPECT_EQ(ask("\xFF\n"),
              R"({"ok":false,"error":"Error: a request is a JSON object on a line of its own."})"
              "\n");
}

TEST_F(Answers, an_explanation_that_comes_later) {
    std::string found;
    answer(R"({"command":"explain","action":"publish","topic":"a"})", controls_,
           [&](std::string text) { found = std::move(text); });
    EXPECT_EQ(controls_.asked, "a");
    EXPECT_EQ(found, "");
    controls_.later(Explanation{.listener = "port 1883",
                                .client_id = "c",
                                .login = {.is_allowed = true, .because = "because"},
                                .rights = {.because = "no \xFF", .remedy = "a line"}});
    EXPECT_EQ(found,
              R"({"ok":true,"allowed":false,"listener":"port 1883","client":"c",)"
              R"("login":{"allowed":true,"because":"because"},)"
              "\"rights\":{\"allowed\":false,\"because\":\"no \uFFFD\",\"remedy\":\"a line\"}}\n");
    controls_.later(base::fail(std::string("Error: no.")));
    EXPECT_EQ(found, "{\"ok\":false,\"error\":\"Error: no.\"}\n");
}

}  // namespace
}  // namespace admin
