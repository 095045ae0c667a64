#include "net/tls_layer.h"

#ifdef NIGHTJAR_OPENSSL

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "net/tls_bio.h"

namespace net {
namespace {

constexpr std::size_t record_bytes_max = std::size_t{16} << 10;
constexpr int tls_handshake_record = 0x16;

// What speaks to us that is not TLS, by its first byte; empty if it may be TLS.
std::string_view stranger(std::uint8_t first_byte) {
    if (first_byte == tls_handshake_record) return {};
    constexpr std::uint8_t mqtt_connect = 0x10;
    if (first_byte == mqtt_connect) return "speaks MQTT without TLS to a listener that wants TLS";
    const bool is_letter = first_byte >= 'A' && first_byte <= 'Z';
    if (is_letter) return "speaks HTTP without TLS to a listener that wants TLS";
    return "does not speak TLS, which the listener wants";
}

// RFC 2253, as Mosquitto writes it.
std::optional<std::string> subject_of(X509* certificate) {
    const std::unique_ptr<BIO, int (*)(BIO*)> text(BIO_new(BIO_s_mem()), BIO_free);
    X509_NAME* const name = X509_get_subject_name(certificate);
    if (!text || X509_NAME_print_ex(text.get(), name, 0, XN_FLAG_RFC2253) < 0) return std::nullopt;
    const char* data = nullptr;
    const long size = BIO_get_mem_data(text.get(), &data);
    if (size <= 0) return std::nullopt;
    return std::string(data, static_cast<std::size_t>(size));
}

// The first one; none that hides a NUL, behind which another name could stand.
std::optional<std::string> common_name_of(X509* certificate) {
    X509_NAME* const name = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (at < 0) return std::nullopt;
    ASN1_STRING* const data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, data);
    if (size < 0) return std::nullopt;
    std::string text(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    if (text.empty() || text.find('\0') != std::string::npos) return std::nullopt;
    return text;
}

}  // namespace

// ---- How OpenSSL calls back

BIO_METHOD* TlsBio::method() {
    BIO_METHOD* const method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "nightjar stream");
    if (!method) return nullptr;
    BIO_meth_set_read(method, &TlsBio::read);
    BIO_meth_set_write(method, &TlsBio::write);
    BIO_meth_set_ctrl(method, &TlsBio::control);
    return method;
}

int TlsBio::read(BIO* bio, char* into, int size) {
    auto* layer = static_cast<TlsLayer*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const std::size_t count = std::min(layer->incoming_.size(), static_cast<std::size_t>(size));
    if (count == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    std::memcpy(into, layer->incoming_.data(), count);
    layer->incoming_ = layer->incoming_.subspan(count);
    return static_cast<int>(count);
}

int TlsBio::write(BIO* bio, const char* from, int size) {
    auto* layer = static_cast<TlsLayer*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    layer->wire_->append(
        {reinterpret_cast<const std::uint8_t*>(from), static_cast<std::size_t>(size)});
    return size;
}

long TlsBio::control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

unsigned int TlsBio::find_psk(SSL* ssl, const char* identity, unsigned char* key,
                              unsigned int key_bytes_max) {
    auto* layer = static_cast<TlsLayer*>(SSL_get_app_data(ssl));
    const base::Bytes found = layer->context_->psk().find(identity);
    if (found.empty() || found.size() > key_bytes_max) return 0;
    std::memcpy(key, found.data(), found.size());
    layer->psk_identity_ = identity;
    return static_cast<unsigned int>(found.size());
}

// ---- Life

void TlsLayer::FreeSsl::operator()(SSL* ssl) const {
    SSL_free(ssl);
}

TlsLayer::TlsLayer(base::Ref<TlsContext> context, UserFrom user_from, HandshakePlace place)
    : context_(std::move(context)),
      ssl_(SSL_new(context_->native())),
      place_(std::move(place)),
      user_from_(user_from) {}

TlsLayer::~TlsLayer() = default;

std::unique_ptr<TlsLayer> TlsLayer::make(base::Ref<TlsContext> context, UserFrom user_from,
                                         HandshakePlace place) {
    std::unique_ptr<TlsLayer> layer(new TlsLayer(std::move(context), user_from, std::move(place)));
    BIO* const bio = BIO_new(layer->context_->bio_method());
    if (!layer->ssl_ || !bio) {
        BIO_free(bio);
        return nullptr;
    }
    BIO_set_data(bio, layer.get());
    BIO_set_init(bio, 1);
    SSL_set_bio(layer->ssl_.get(), bio, bio);
    SSL_set_app_data(layer->ssl_.get(), layer.get());
    SSL_set_accept_state(layer->ssl_.get());
    return layer;
}

// ---- Bytes

Layer::Status TlsLayer::fail(std::string error) {
    error_ = std::move(error);
    return Status::failed;
}

Layer::Status TlsLayer::receive(base::Bytes bytes, ByteBuffer& plain, base::OutputQueue& wire) {
    if (!std::exchange(has_heard_, true) && SSL_is_server(ssl_.get()) == 1) {
        if (const auto what = stranger(bytes[0]); !what.empty()) return fail(std::string(what));
    }
    incoming_ = bytes;
    wire_ = &wire;
    ERR_clear_error();
    return read_records(plain);
}

Layer::Status TlsLayer::read_records(ByteBuffer& plain) {
    for (;;) {
        const std::span<std::uint8_t> room = plain.room(record_bytes_max);
        std::size_t size = 0;
        const int result = SSL_read_ex(ssl_.get(), room.data(), room.size(), &size);
        if (!is_ready_ && SSL_is_init_finished(ssl_.get()) && !complete_handshake()) {
            return Status::failed;
        }
        if (result != 1) return judge(result);
        plain.commit(size);
    }
}

Layer::Status TlsLayer::judge(int result) {
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ) return Status::open;
    if (error == SSL_ERROR_ZERO_RETURN) return Status::closed;
    const long verdict = SSL_get_verify_result(ssl_.get());
    const unsigned long code = ERR_peek_error();
    const char* const reason = ERR_reason_error_string(code);
    const std::string what = is_ready_ ? "TLS error" : "TLS handshake failed";
    ERR_clear_error();
    if (SSL_is_server(ssl_.get()) == 0) return fail(client_tls_error(ssl_.get(), code, is_ready_));
    if (!is_ready_ && verdict != X509_V_OK) {
        return fail(fmt::format("{}: the client's certificate: {}", what,
                                X509_verify_cert_error_string(verdict)));
    }
    return fail(fmt::format("{}: {}", what, reason ? reason : "unexpected end"));
}

// What a ticket has brought back was checked when it was given out, but time has gone on.
bool TlsLayer::has_valid_dates() const {
    if (SSL_session_reused(ssl_.get()) != 1) return true;
    const X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl_.get());
    const bool ignores_dates = (X509_VERIFY_PARAM_get_flags(const_cast<X509_VERIFY_PARAM*>(rules)) &
                                X509_V_FLAG_NO_CHECK_TIME) != 0;
    X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
    return ignores_dates || !certificate ||
           X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

bool TlsLayer::complete_handshake() {
    if (!has_valid_dates()) {
        error_ = "TLS handshake failed: the certificate of the resumed session has expired";
        return false;
    }
    is_ready_ = true;
    place_.give_back();
    return true;
}

namespace {

using Record = std::array<std::uint8_t, record_bytes_max>;

// What goes into the next record: the first piece as it stands, if that fills one or is all there
// is, else as many as fit, joined in `room`.
base::Bytes next_record(const base::OutputQueue& plain, Record& room) {
    std::array<iovec, 32> pieces;  // NOLINT(*-member-init): gather() fills what is used.
    const std::size_t count = plain.gather(pieces);
    const auto* first = static_cast<const std::uint8_t*>(pieces[0].iov_base);
    if (count == 1 || pieces[0].iov_len >= room.size()) {
        return {first, std::min(pieces[0].iov_len, room.size())};
    }
    std::size_t size = 0;
    for (std::size_t i = 0; i < count && size < room.size(); ++i) {
        const std::size_t part = std::min(pieces[i].iov_len, room.size() - size);
        std::memcpy(room.data() + size, pieces[i].iov_base, part);
        size += part;
    }
    return {room.data(), size};
}

}  // namespace

// Pieces are joined, so that a turn's packets go in few records.
Layer::Status TlsLayer::send(base::OutputQueue& plain, base::OutputQueue& wire,
                             std::size_t wire_bytes_max) {
    Record joined;  // NOLINT(*-member-init): filled as far as it is used.
    wire_ = &wire;
    while (plain.sendable() > 0 && wire.size() < wire_bytes_max) {
        const base::Bytes record = next_record(plain, joined);
        std::size_t written = 0;
        ERR_clear_error();
        const int result = SSL_write_ex(ssl_.get(), record.data(), record.size(), &written);
        if (result != 1) return judge(result) == Status::failed ? Status::failed : Status::open;
        plain.consume(written);
    }
    return Status::open;
}

void TlsLayer::finish(base::OutputQueue& wire) {
    if (!is_ready_) return;
    wire_ = &wire;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

// ---- Who it is

PeerFacts TlsLayer::facts() const {
    PeerFacts facts;
    if (!is_ready_) return facts;
    facts.user = user();
    facts.transport =
        fmt::format("{} cipher {}", SSL_get_version(ssl_.get()), SSL_get_cipher_name(ssl_.get()));
    return facts;
}

std::optional<std::string> TlsLayer::user() const {
    if (user_from_ == UserFrom::nothing) return std::nullopt;
    if (context_->uses_psk()) {
        if (psk_identity_.empty()) return std::nullopt;
        return psk_identity_;
    }
    X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
    if (!certificate || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return std::nullopt;
    return user_from_ == UserFrom::subject ? subject_of(certificate) : common_name_of(certificate);
}

}  // namespace net

#else

namespace net {

void TlsLayer::FreeSsl::operator()(ssl_st*) const {}
TlsLayer::~TlsLayer() = default;
std::unique_ptr<TlsLayer> TlsLayer::make(base::Ref<TlsContext>, UserFrom, HandshakePlace) {
    return nullptr;
}
std::unique_ptr<TlsLayer> TlsLayer::make_client(base::Ref<TlsContext>, const std::string&, bool) {
    return nullptr;
}
Layer::Status TlsLayer::start(base::OutputQueue&) {
    return Status::failed;
}
Layer::Status TlsLayer::receive(base::Bytes, ByteBuffer&, base::OutputQueue&) {
    return Status::failed;
}
Layer::Status TlsLayer::send(base::OutputQueue&, base::OutputQueue&, std::size_t) {
    return Status::failed;
}
void TlsLayer::finish(base::OutputQueue&) {}
PeerFacts TlsLayer::facts() const {
    return {};
}

}  // namespace net

#endif
