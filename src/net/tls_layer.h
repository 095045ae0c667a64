// TLS 1.2 or 1.3 on a stream, either half: OpenSSL between two views of bytes.
//
// OpenSSL reads straight from what the loop has received and writes straight into the stream's
// queue; between records it keeps no buffer. What it keeps of an unfinished record is at most one
// record (17 KB), of an unfinished handshake what OpenSSL allows of certificates (100 KB).
//
// Owned by its stream; thread: the stream's, whichever that is.
#pragma once

#include <memory>
#include <string>

#include "net/handshake_place.h"
#include "net/layer.h"
#include "net/tls_context.h"

struct bio_st;
struct ssl_st;

namespace net {

class TlsLayer : public Layer {
public:
    // Null if OpenSSL has no memory for another one. `place` is held until the handshake is over.
    static std::unique_ptr<TlsLayer> make(base::Ref<TlsContext> context, UserFrom user_from,
                                          HandshakePlace place);
    // The half that connects, in tls_client.cc. The certificate must be for `host`, a name or an
    // address, unless `any_host`. Null if OpenSSL has no memory for another one.
    static std::unique_ptr<TlsLayer> make_client(base::Ref<TlsContext> context,
                                                 const std::string& host, bool any_host);
    ~TlsLayer() override;

    Status start(base::OutputQueue& wire) override;
    Status receive(base::Bytes bytes, ByteBuffer& plain, base::OutputQueue& wire) override;
    bool is_ready() const override { return is_ready_; }
    Status send(base::OutputQueue& plain, base::OutputQueue& wire,
                std::size_t wire_bytes_max) override;
    void finish(base::OutputQueue& wire) override;
    PeerFacts facts() const override;
    std::string error() const override { return error_; }

private:
    friend struct TlsBio;  // How OpenSSL calls back.
    struct FreeSsl {
        void operator()(ssl_st* ssl) const;
    };

    TlsLayer(base::Ref<TlsContext> context, UserFrom user_from, HandshakePlace place);
    Status read_records(ByteBuffer& plain);
    Status judge(int result);
    bool complete_handshake();
    Status fail(std::string error);
    bool has_valid_dates() const;
    std::optional<std::string> user() const;

    base::Ref<TlsContext> context_;
    std::unique_ptr<ssl_st, FreeSsl> ssl_;
    // Of the call that is going on.
    base::Bytes incoming_;
    base::OutputQueue* wire_ = nullptr;

    HandshakePlace place_;
    std::string error_;
    std::string psk_identity_;
    UserFrom user_from_;
    bool is_ready_ = false;
    bool has_heard_ = false;  // The first bytes have come.
};

}  // namespace net
