// How OpenSSL reaches back into a TlsLayer: its reads and writes, and its question for a key; and
// what both halves of TLS say in the same words.
// Only for tls_*.cc; not part of the room's face.
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace net {

class TlsLayer;

struct TlsBio {
    // Null if there is no memory for it.
    static BIO_METHOD* method();
    static unsigned int find_psk(SSL* ssl, const char* identity, unsigned char* key,
                                 unsigned int key_bytes_max);
    // A client's answer to the server's question for one.
    static unsigned int give_psk(SSL* ssl, const char* hint, char* identity,
                                 unsigned int identity_bytes_max, unsigned char* key,
                                 unsigned int key_bytes_max);
    static bool has_own_psk(const TlsLayer& layer);

private:
    static int read(BIO* bio, char* into, int size);
    static int write(BIO* bio, const char* from, int size);
    static long control(BIO* bio, int command, long number, void* pointer);
};

// What OpenSSL says, without its numbers; empties its list of errors.
std::string last_tls_reason();
// "cafile 'x.pem': No such file or directory."
base::Result<void, std::string> refuse_tls_option(std::string_view option, std::string_view value);
base::Result<void, std::string> set_lowest_tls_version(SSL_CTX* context,
                                                       const std::string& version);
// Answers OpenSSL's question for the passphrase of a key file: nobody is there to be asked.
int refuse_passphrase(char* into, int size, int is_for_writing, void* data);
// Why a client's connection failed, and what to do; `code` is OpenSSL's of the error, or 0.
std::string client_tls_error(SSL* ssl, unsigned long code, bool is_ready);

}  // namespace net
