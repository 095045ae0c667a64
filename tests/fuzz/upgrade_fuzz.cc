// The request that opens a WebSocket: nothing that a stranger says does harm, what is accepted says
// what it must, and it is the same however much of it has come before.
#include <cstdlib>
#include <string>
#include <vector>

#include "net/http_upgrade.h"

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using Kind = net::UpgradeResult::Kind;
    const std::vector<std::string> origins = {"https://site"};
    const net::UpgradeResult result = net::read_upgrade({data, size}, origins);
    if (result.kind == Kind::incomplete) require(size < net::UpgradeRequest::request_bytes_max);
    if (result.kind == Kind::refused) {
        require(result.status >= 400 && !result.why.empty());
        require(net::refusal_answer(result.status, result.why).ends_with("\n"));
    }
    if (result.kind != Kind::accepted) return 0;
    require(result.size <= size && result.request.key.size() == 24);
    require(result.request.subprotocol == "mqtt" || result.request.subprotocol == "mqttv3.1");
    require(net::read_upgrade({data, result.size - 1}, origins).kind == Kind::incomplete);
    return 0;
}
