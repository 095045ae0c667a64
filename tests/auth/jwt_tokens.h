// Tokens and keys for the tests of JSON Web Tokens: those of others, and those made here.
#pragma once

#include <string>
#include <string_view>

#include "auth/base64.h"
#include "auth/crypto.h"

namespace auth {

inline constexpr std::string_view token_secret = "a secret of thirty-two bytes, ok";

inline std::string base64url(std::string_view text) {
    std::string encoded = encode_base64(base::as_bytes(text));
    while (encoded.ends_with('=')) encoded.pop_back();
    for (char& c : encoded) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return encoded;
}

inline std::string make_token(std::string_view claims,
                              std::string_view header = R"({"alg":"HS256"})",
                              std::string_view secret = token_secret) {
    const std::string text = base64url(header) + "." + base64url(claims);
    const Digest signature = hmac_sha256(base::as_bytes(secret), base::as_bytes(text));
    return text + "." + base64url(base::as_text(signature));
}

// RFC 7515, A.1: valid until 1300819380.
inline constexpr std::string_view rfc_key =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
inline constexpr std::string_view rfc_token =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
    "cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

// Made by the openssl program: an RSA key "r", a key on P-256 "e", and what they sign for "ann".
inline constexpr std::string_view openssl_set =
    R"({"keys": [{"kty": "RSA", "kid": "r", "use": "sig", "alg": "RS256", "n": "tM408BZ)"
    R"(P4pA59OuX9LPzN5uYgZxoor4GEQIV2HI7pdkAupkfl6wOZ90ZKxOmxspEzB-DDqcaV0J_k3c0LoE2PO1)"
    R"(T59q5g504txMSgbuhmGiPP4IezTZY5QTyWNvmbKnOChAHENMSIn_KXsujred-FB40ir0wKuAwv93mlpI)"
    R"(1UqNiZVj6f57xkQ4NiEsIRWDHQIBpLcH8m4WyJ0U4VkF_lgtRc60hHq9ylpdo6h_FRa7yBj2nbuQBZTJ)"
    R"(3a1ozL-E-D4ySmScwtPcTUp7LcFgmnw6g-s_ofWzMSzt7TY47FtV_gtNwouUIajX6o8a-V75uRMPqbZN)"
    R"(TdaNfU-9aDOSC4Q", "e": "AQAB"}, {"kty": "EC", "kid": "e", "crv": "P-256", "x": ")"
    R"(Hqq9tiLLBMxN7J8sRUo4frLmMc9Xg3mzbLPgqxfrNV0", "y": "E6ySMiBoCeDUl33VNYFualRIACXa)"
    R"(afSorD9EFIReWnQ"}]})";
inline constexpr std::string_view rs256_token =
    "eyJhbGciOiAiUlMyNTYiLCAia2lkIjogInIifQ.eyJzdWIiOiAiYW5uIn0.iky8mH2vstN18Llu2BejI"
    "5Q8nbECqQlEWZahLGJh3t8KUuciau7Nx7w1NYkxVWC2Gdwyer5gYoRHH8YuxS5JCVCFpVM0wgVAFpdUK"
    "Ct9EZlyorkNYGXvxS7Ei5fv28_umShvz0jZgP80bdGkE8yK7swSWrQMMv_4KVqPGaDIUjwVA8z8LuVCi"
    "9RUT6wRG10FtnBoCVO4jaEGi9GI8g3eR4WxBizsmoULPTRczwlY_Q6r5QTpF96mkMjgngheNAyufAEn0"
    "r5DkwmITMzdY5kUcEzKQNITmq4BjabtZFa6NZ1ERc2NAMWycgUxFl452DfFSxYSt2soweOa7LgY9La3d"
    "A";
inline constexpr std::string_view es256_token =
    "eyJhbGciOiAiRVMyNTYiLCAia2lkIjogImUifQ.eyJzdWIiOiAiYW5uIn0.1CoZJpafjtv5hV0vyspXA"
    "ExdJhb-E7tPVGqWYxiZVAigzlWWgurGldiKjRDmPN12iBSpdMWIQsk_WHPOnKMv9A";
inline constexpr std::string_view es256_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEHqq9tiLLBMxN7J8sRUo4frLmMc9X\n"
    "g3mzbLPgqxfrNV0TrJIyIGgJ4NSXfdU1gW5qVEgAJdpp9KisP0QUhF5adA==\n"
    "-----END PUBLIC KEY-----\n";
inline constexpr std::string_view rsa_1024_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC6di6Ci2bZww+nzApknCHwmxSk\n"
    "VYV4xQZ8oKSi+gzWQgRM5Hk0gh5TZECWJ9g0VW+JUoQTWBYcXJTuDGoqdi2BAWDF\n"
    "qV2+Hvz/57pBkwd/buj2U4XfU1Dp8GXkTQCCO/gGyurOCxnoN4A0pG1QSeE7waOz\n"
    "5GyK3qFKxHffirMLhwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

}  // namespace auth
