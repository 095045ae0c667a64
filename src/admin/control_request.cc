#include "admin/control_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "mqtt/topic.h"
#include "mqtt/utf8.h"

namespace admin {
namespace {

using broker::Access;
using nlohmann::json;
using Outcome = base::Result<void, std::string>;

constexpr std::size_t mqtt_text_max = 65'535;

constexpr std::array<std::pair<std::string_view, ControlRequest::Command>, 3> commands{{
    {"reload", ControlRequest::Command::reload},
    {"status", ControlRequest::Command::status},
    {"explain", ControlRequest::Command::explain},
}};
constexpr std::array<std::pair<std::string_view, Access>, 3> actions{{
    {"publish", Access::publish},
    {"subscribe", Access::subscribe},
    {"receive", Access::receive},
}};

Outcome take_action(Question& question, const std::string& word) {
    const auto* const found =
        std::ranges::find(actions, word, &decltype(actions)::value_type::first);
    if (found == actions.end()) {
        return base::fail(fmt::format("'{}' is none of publish, subscribe and receive", word));
    }
    question.access = found->second;
    return {};
}

Outcome take(Question& question, const std::string& key, const std::string& value) {
    if (key == "action") return take_action(question, value);
    if (key == "user") {
        question.user = value;
    } else if (key == "client") {
        question.client_id = value;
    } else if (key == "topic") {
        question.topic = value;
    } else if (key == "address") {
        question.address = value;
    } else if (key == "listener") {
        question.listener = value;
    } else {
        return base::fail(fmt::format("explain knows nothing of '{}'", key));
    }
    return {};
}

bool is_text(const std::string& text) {
    return text.size() <= mqtt_text_max && mqtt::is_valid_utf8(text);
}

Outcome judge(const Question& question) {
    if (!is_text(question.client_id)) return base::fail(std::string("the client is no client id"));
    if (question.user && !is_text(*question.user)) {
        return base::fail(std::string("the user is no user name"));
    }
    const bool is_filter = question.access == Access::subscribe;
    const auto shared = is_filter ? mqtt::split_shared(question.topic) : std::nullopt;
    const std::string_view topic = shared ? shared->filter : question.topic;
    const bool is_valid = is_text(question.topic) && (is_filter ? mqtt::is_valid_topic_filter(topic)
                                                                : mqtt::is_valid_topic_name(topic));
    if (is_valid) return {};
    return base::fail(
        fmt::format("'{}' is no topic {}", question.topic, is_filter ? "filter" : "name"));
}

base::Result<Question, std::string> read_question(const json& object) {
    Question question;
    for (const char* const needed : {"action", "topic"}) {
        if (!object.contains(needed)) return base::fail(fmt::format("explain wants '{}'", needed));
    }
    for (const auto& [key, value] : object.items()) {
        if (key == "command") continue;
        if (!value.is_string()) return base::fail(fmt::format("'{}' is not a string", key));
        if (auto taken = take(question, key, value.get_ref<const std::string&>()); !taken) {
            return base::fail(std::move(taken.error()));
        }
    }
    if (auto judged = judge(question); !judged) return base::fail(std::move(judged.error()));
    return question;
}

}  // namespace

base::Result<ControlRequest, std::string> parse_request(std::string_view line) {
    const json object = json::parse(line, nullptr, false);
    if (!object.is_object()) {
        return base::fail(std::string("a request is a JSON object on a line of its own"));
    }
    const auto command = object.find("command");
    if (command == object.end() || !command->is_string()) {
        return base::fail(std::string("a request has a string 'command'"));
    }
    const auto& word = command->get_ref<const std::string&>();
    const auto* const found =
        std::ranges::find(commands, word, &decltype(commands)::value_type::first);
    if (found == commands.end()) {
        return base::fail(fmt::format("'{}' is none of reload, status and explain", word));
    }
    ControlRequest request{.command = found->second};
    if (request.command != ControlRequest::Command::explain) {
        if (object.size() == 1) return request;
        return base::fail(fmt::format("{} takes nothing else", word));
    }
    auto question = read_question(object);
    if (!question) return base::fail(std::move(question.error()));
    request.question = std::move(*question);
    return request;
}

NextLine next_line(base::Bytes bytes) {
    const std::string_view text = base::as_text(bytes);
    const std::size_t end = text.find('\n');
    if (std::min(end, text.size()) > line_bytes_max) return {NextLine::Status::too_long};
    if (end == std::string_view::npos) return {NextLine::Status::partial};
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return {NextLine::Status::whole, line, end + 1};
}

}  // namespace admin
