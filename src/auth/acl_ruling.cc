#include "auth/acl_ruling.h"

#include <fmt/format.h>

namespace auth {
namespace {

using broker::Access;
using broker::Inquiry;

// The line that there is not.
std::string remedy_for(const Inquiry& inquiry) {
    const bool is_write = inquiry.access == Access::publish;
    const std::string line =
        fmt::format("the line 'topic {} {}'", is_write ? "write" : "read", inquiry.topic);
    const std::string user = inquiry.user_name.value_or("");
    if (user.empty()) return line + " before the first line 'user'";
    return fmt::format("{} below the line 'user {}'", line, user);
}

std::string why_nothing_allows(const AclTable& table, const Inquiry& inquiry) {
    const bool is_text = (inquiry.client_id + inquiry.user_name.value_or("")).find_first_of("+#") ==
                         std::string::npos;
    return fmt::format("no line of acl_file {} allows it{}", table.file(),
                       is_text || table.patterns().empty()
                           ? ""
                           : ", and patterns give nothing to names with + or #");
}

}  // namespace

broker::Ruling ruling_of(const AclTableRef& table, const Inquiry& inquiry) {
    if (inquiry.access == Access::subscribe) {
        return {.is_allowed = true,
                .because = fmt::format(
                    "acl_file {} is asked for each message that would be received", table->file())};
    }
    const AclRights rights(table, inquiry.client_id, inquiry.user_name.value_or(""));
    const AclRights::Verdict verdict = rights.judge(inquiry.access, inquiry.topic);
    if (!verdict.rule) {
        return {.because = why_nothing_allows(*table, inquiry), .remedy = remedy_for(inquiry)};
    }
    broker::Ruling ruling{
        .is_allowed = verdict.is_allowed,
        .because = fmt::format("acl_file {}:{}: {}", table->file(), verdict.rule->line,
                               table->text_of(*verdict.rule))};
    if (verdict.is_allowed) return ruling;
    // Lines about the client are asked before patterns.
    ruling.remedy = table->pattern_of(*verdict.rule)
                        ? remedy_for(inquiry)
                        : fmt::format("nothing, while line {} is there", verdict.rule->line);
    return ruling;
}

}  // namespace auth
