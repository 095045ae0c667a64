// A mosquitto.db made record by record, as Mosquitto 2.0 on this machine writes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/writer.h"

namespace storage::testing {

struct MessageTerms {
    std::uint64_t id = 0;
    std::string_view topic = "t";
    std::string_view payload = "m";
    int qos = 1;
    bool retain = false;
    std::uint64_t expires_s = 0;
    std::string_view source = "publisher";
    std::string_view properties{};  // With their length.
};

struct ClientTerms {
    std::string_view id;
    std::uint32_t expiry_s = 0xFFFF'FFFF;
    std::uint64_t expires_s = 0;
    std::string_view user_name{};
    bool is_padded = true;
};

struct DeliveryTerms {
    std::string_view client = "c";
    std::uint64_t message = 0;
    std::uint16_t packet_id = 0;
    int qos = 1;
    int state = 11;
    int direction = 1;  // To the client.
    bool retain = false;
    std::string_view properties{};
};

struct SubscriptionTerms {
    std::string_view client;
    std::string_view filter;
    int qos = 0;
    int options = 0;
    std::uint32_t id = 0;
};

class DbFile {
public:
    explicit DbFile(std::uint32_t version = 6) : version_(version) {
        mqtt::Writer out(bytes_);
        out.raw(base::as_bytes(std::string_view("\0\xB5\0mosquitto db\0\0\0\0", 19)));
        out.u32(version);
    }

    DbFile& config(bool is_final = true, std::uint8_t id_size = 8) {
        return record(1, [&](mqtt::Writer& out) {
            native(out, 99);
            out.u8(is_final);
            out.u8(id_size);
            pad(out, 6);
        });
    }
    DbFile& message(const MessageTerms& terms) {
        return record(2, [&](mqtt::Writer& out) {
            native(out, terms.id);
            native(out, terms.expires_s);
            out.u32(static_cast<std::uint32_t>(terms.payload.size()));
            out.u16(7);
            out.u16(static_cast<std::uint16_t>(terms.source.size()));
            out.u16(4);
            out.u16(static_cast<std::uint16_t>(terms.topic.size()));
            out.u16(1883);
            out.u8(static_cast<std::uint8_t>(terms.qos));
            out.u8(terms.retain);
            for (const auto text :
                 {terms.source, std::string_view("user"), terms.topic, terms.payload}) {
                out.raw(base::as_bytes(text));
            }
            out.raw(base::as_bytes(terms.properties));
        });
    }
    DbFile& client(const ClientTerms& terms) {
        return record(6, [&](mqtt::Writer& out) {
            native(out, terms.expires_s);
            out.u32(terms.expiry_s);
            out.u16(0);
            out.u16(static_cast<std::uint16_t>(terms.id.size()));
            if (version_ >= 6) {
                out.u16(1883);
                out.u16(static_cast<std::uint16_t>(terms.user_name.size()));
                if (terms.is_padded) pad(out, 4);
            }
            out.raw(base::as_bytes(terms.id));
            out.raw(base::as_bytes(terms.user_name));
        });
    }
    DbFile& delivery(const DeliveryTerms& terms) {
        return record(3, [&](mqtt::Writer& out) {
            native(out, terms.message);
            out.u16(terms.packet_id);
            out.u16(static_cast<std::uint16_t>(terms.client.size()));
            out.u8(static_cast<std::uint8_t>(terms.qos));
            out.u8(static_cast<std::uint8_t>(terms.state));
            out.u8(terms.retain ? 0x11 : 0x01);
            out.u8(static_cast<std::uint8_t>(terms.direction));
            out.raw(base::as_bytes(terms.client));
            out.raw(base::as_bytes(terms.properties));
        });
    }
    DbFile& subscription(const SubscriptionTerms& terms) {
        return record(5, [&](mqtt::Writer& out) {
            out.u32(terms.id);
            out.u16(static_cast<std::uint16_t>(terms.client.size()));
            out.u16(static_cast<std::uint16_t>(terms.filter.size()));
            out.u8(static_cast<std::uint8_t>(terms.qos));
            out.u8(static_cast<std::uint8_t>(terms.options));
            pad(out, 2);
            out.raw(base::as_bytes(terms.client));
            out.raw(base::as_bytes(terms.filter));
        });
    }
    DbFile& retained(std::uint64_t message) {
        return record(4, [&](mqtt::Writer& out) { native(out, message); });
    }
    // A record of any kind, which says that it has `size` bytes.
    DbFile& raw(std::uint32_t kind, std::uint32_t size, std::string_view body) {
        mqtt::Writer out(bytes_);
        out.u32(kind);
        out.u32(size);
        out.raw(base::as_bytes(body));
        return *this;
    }

    const std::vector<std::uint8_t>& bytes() const { return bytes_; }

private:
    template <typename Fill>
    DbFile& record(std::uint32_t kind, const Fill& fill) {
        std::vector<std::uint8_t> body;
        mqtt::Writer out(body);
        fill(out);
        return raw(kind, static_cast<std::uint32_t>(body.size()), base::as_text(body));
    }
    static void native(mqtt::Writer& out, std::uint64_t value) {
        out.raw(base::as_bytes({reinterpret_cast<const char*>(&value), sizeof value}));
    }
    static void pad(mqtt::Writer& out, int bytes) {
        while (bytes-- > 0) out.u8(0);
    }

    std::uint32_t version_;
    std::vector<std::uint8_t> bytes_;
};

}  // namespace storage::testing
