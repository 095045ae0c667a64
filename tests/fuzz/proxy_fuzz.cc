// PROXY headers of both versions: never more is read than there is, and what is accepted is the
// same with other bytes behind it.
//
//     input := version, header
#include <cstdlib>
#include <vector>

#include "net/proxy_header.h"

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using Kind = net::ProxyResult::Kind;
    if (size == 0) return 0;
    const int version = data[0] % 2 + 1;
    // A copy of its own, so that the sanitizer sees a byte too far.
    const std::vector<std::uint8_t> bytes(data + 1, data + size);
    const net::ProxyResult result = net::read_proxy_header(version, bytes);
    if (result.kind == Kind::incomplete) require(size <= net::ProxyHeader::v2_bytes_max);
    if (result.kind == Kind::refused) require(!result.why.empty());
    if (result.kind != Kind::accepted) return 0;
    require(result.size <= bytes.size());
    require(!result.header.has_certificate || result.header.has_tls);
    const std::vector<std::uint8_t> exact(bytes.begin(),
                                          bytes.begin() + static_cast<long>(result.size));
    require(net::read_proxy_header(version, exact).size == result.size);
    return 0;
}
