// A PROXY header in front of a client's bytes, which then pass as they are.
//
// Owned by its stream; thread: the stream's. Limits: those of ProxyHeader, and until the header is
// whole as many bytes are kept.
#pragma once

#include <string>

#include "net/layer.h"
#include "net/proxy_header.h"

namespace net {

struct ProxyRules {
    int version = 1;
    bool require_tls = false;          // Between client and proxy (version 2).
    bool require_certificate = false;  // The same.
    bool takes_user = false;           // The certificate's common name is the user.
};

class ProxyLayer : public Layer {
public:
    explicit ProxyLayer(const ProxyRules& rules) : rules_(rules) {}

    Status receive(base::Bytes bytes, ByteBuffer& plain, base::OutputQueue& wire) override;
    bool is_ready() const override { return is_ready_; }
    Status send(base::OutputQueue& plain, base::OutputQueue& wire,
                std::size_t wire_bytes_max) override;
    void finish(base::OutputQueue& /*wire*/) override {}
    PeerFacts facts() const override;
    std::string error() const override { return error_; }

private:
    std::string_view judge() const;

    ProxyRules rules_;
    ProxyHeader header_;
    ByteBuffer unread_;  // Until the header is whole.
    std::string error_;
    bool is_ready_ = false;
};

}  // namespace net
