// How OpenSSL reaches back into a TlsLayer: its reads and writes, and its question for a key.
// Only for tls_*.cc; not part of the room's face.
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>

namespace net {

struct TlsBio {
    // Null if there is no memory for it.
    static BIO_METHOD* method();
    static unsigned int find_psk(SSL* ssl, const char* identity, unsigned char* key,
                                 unsigned int key_bytes_max);

private:
    static int read(BIO* bio, char* into, int size);
    static int write(BIO* bio, const char* from, int size);
    static long control(BIO* bio, int command, long number, void* pointer);
};

}  // namespace net
