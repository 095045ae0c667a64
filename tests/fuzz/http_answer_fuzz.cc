// Replies of a service about a login: what is not understood lets nobody in, and says why.
#include <cstdlib>
#include <string>

#include "auth/http_answer.h"

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using Kind = auth::HttpAnswer::Kind;
    const std::string body(reinterpret_cast<const char*>(data), size);
    const auth::HttpAnswer answer = auth::read_http_answer({200, body}, {"ann", "dev/1", "::1"});
    require((answer.kind == Kind::broken) == !answer.why.empty());
    require(answer.kind == Kind::allow || !answer.rules);
    require(answer.kind == Kind::allow || !answer.expires_s);
    if (!answer.rules) return 0;
    for (const auto access : {broker::Access::publish, broker::Access::subscribe}) {
        const bool allows = answer.rules->allows(access, "a/b");
        const std::string why = answer.rules->explain(access, "a/b");
        require(allows == (why.starts_with("allow ") || why.starts_with("everything")));
    }
    return 0;
}
