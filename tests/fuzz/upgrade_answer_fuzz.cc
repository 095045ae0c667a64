// The answer to a request for a WebSocket: what is accepted is what was asked for, it is the same
// however much of it has come before, and what a person reads of it has no control characters.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "net/http_upgrade.h"

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using Kind = net::UpgradeAnswer::Kind;
    constexpr std::string_view accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    const net::UpgradeAnswer answer = net::read_upgrade_answer({data, size}, accept, "mqtt");
    if (answer.kind == Kind::incomplete) require(size < net::UpgradeRequest::request_bytes_max);
    if (answer.kind == Kind::refused) {
        require(!answer.why.empty() && answer.why.find('\x1b') == std::string::npos);
    }
    if (answer.kind != Kind::accepted) return 0;
    require(answer.size <= size);
    require(base::as_text({data, size}).find(accept) != std::string_view::npos);
    require(net::read_upgrade_answer({data, answer.size - 1}, accept, "mqtt").kind ==
            Kind::incomplete);
    return 0;
}
