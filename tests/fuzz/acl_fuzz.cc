// An acl_file: no text does harm, what is allowed is allowed by a line that speaks of it, and names
// with wildcards widen no pattern.
//
//     input := client id, line end, user name, line end, topic, line end, file
#include <cstdlib>
#include <string>

#include "auth/acl_table.h"
#include "mqtt/topic.h"
#include "mqtt/utf8.h"

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

std::string_view take_line(std::string_view& text) {
    const std::size_t size = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, size);
    text.remove_prefix(std::min(size + 1, text.size()));
    return line;
}

void check(const auth::AclRights::Verdict& verdict, std::string_view topic) {
    require(!verdict.is_allowed || verdict.rule);
    if (!verdict.rule) return;
    require(mqtt::matches(verdict.rule->filter, topic));
    require(verdict.is_allowed == (verdict.rule->access != auth::AclRule::deny));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::string_view client_id = take_line(text);
    const std::string_view user = take_line(text);
    const std::string_view topic = take_line(text);
    const bool may_be = mqtt::is_valid_topic_name(topic) && !client_id.empty() &&
                        mqtt::is_valid_utf8_payload(client_id) && mqtt::is_valid_utf8_payload(user);
    const auto table = auth::AclTable::parse(text, "file");
    if (!table) {
        require(table.error().starts_with("file:"));
        return 0;
    }
    if (!may_be) return 0;
    const auth::AclRights rights(*table, client_id, user);
    for (const auto access : {broker::Access::publish, broker::Access::receive}) {
        const auto verdict = rights.judge(access, topic);
        check(verdict, topic);
        const bool has_wildcard = client_id.find_first_of("+#") != std::string_view::npos;
        if (has_wildcard && !(*table)->rules_of(user)) require(!verdict.is_allowed);
    }
    return 0;
}
