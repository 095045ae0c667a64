#include "net/proxy_layer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace net {

Layer::Status ProxyLayer::receive(base::Bytes bytes, ByteBuffer& plain, base::OutputQueue&) {
    if (is_ready_) {
        plain.append(bytes);
        return Status::open;
    }
    unread_.append(bytes);
    ProxyResult result = read_proxy_header(rules_.version, unread_.bytes());
    if (result.kind == ProxyResult::Kind::incomplete) return Status::open;
    header_ = std::move(result.header);
    const std::string_view why = result.kind == ProxyResult::Kind::refused ? result.why : judge();
    if (!why.empty()) {
        error_ = fmt::format("sent no PROXY header that enable_proxy_protocol {} takes: {}",
                             rules_.version, why);
        return Status::failed;
    }
    is_ready_ = true;
    plain.append(unread_.bytes().subspan(result.size));
    unread_.release();
    return Status::open;
}

// A proxy that speaks for itself has no client that could have shown anything.
std::string_view ProxyLayer::judge() const {
    if (rules_.require_tls && !header_.has_tls) return "the client does not speak TLS";
    if (rules_.require_certificate && !header_.has_certificate) {
        return "the client has shown no good certificate";
    }
    return {};
}

Layer::Status ProxyLayer::send(base::OutputQueue& plain, base::OutputQueue& wire,
                               std::size_t wire_bytes_max) {
    while (plain.sendable() > 0 && wire.size() < wire_bytes_max) {
        std::array<iovec, 1> piece{};
        plain.gather(piece);
        const std::size_t size = std::min(piece[0].iov_len, wire_bytes_max - wire.size());
        wire.append({static_cast<const std::uint8_t*>(piece[0].iov_base), size});
        plain.consume(size);
    }
    return Status::open;
}

PeerFacts ProxyLayer::facts() const {
    PeerFacts facts;
    facts.source = header_.source;
    if (!header_.tls.empty()) facts.transport = header_.tls + " with the proxy";
    const std::string& name = header_.common_name;
    const bool has_name =
        header_.has_certificate && !name.empty() && name.find('\0') == std::string::npos;
    if (rules_.takes_user && has_name) facts.user = name;
    return facts;
}

}  // namespace net
