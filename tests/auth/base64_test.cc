#include "auth/base64.h"

#include <gtest/gtest.h>

namespace auth {
namespace {

TEST(Base64, encodes_and_decodes_the_same) {
    struct Row {
        std::string_view bytes;
        std::string_view text;
    };
    const Row rows[] = {// RFC 4648, section 10.
                        {"", ""},
                        {"f", "Zg=="},
                        {"fo", "Zm8="},
                        {"foo", "Zm9v"},
                        {"foob", "Zm9vYg=="},
                        {"fooba", "Zm9vYmE="},
                        {"foobar", "Zm9vYmFy"},
                        {"\xFF\xEF\xBE", "/+++"}};
    for (const Row& row : rows) {
        EXPECT_EQ(encode_base64(base::as_bytes(row.bytes)), row.text);
        const auto bytes = decode_base64(row.text);
        ASSERT_TRUE(bytes) << row.text;
        EXPECT_EQ(base::as_text(*bytes), row.bytes);
    }
}

TEST(Base64, refuses_what_it_would_not_write) {
    struct Row {
        const char* sentence;
        std::string_view text;
    };
    const Row rows[] = {
        {"no padding", "Zg"},         {"too little padding", "Zg="},
        {"padding alone", "===="},    {"padding within", "Zg==Zg=="},
        {"three of padding", "Z==="}, {"bits behind the end", "Zh=="},
        {"more bits", "Zm9="},        {"another alphabet", "-_-_"},
        {"a line end", "Zm9v\n"},     {"a blank", "Zm9v Zm"},
        {"a high byte", "Zm9\xFF"},   {"NUL", std::string_view("Zm9\0", 4)},
    };
    for (const Row& row : rows) EXPECT_FALSE(decode_base64(row.text)) << row.sentence;
}

}  // namespace
}  // namespace auth
