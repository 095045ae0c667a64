// Paho C's synchronous client against a running broker: `paho_c_sync HOST PORT`.
//
// For MQTT 3.1, 3.1.1 and 5.0 and for each QoS: publish, receive the same bytes with the same QoS,
// retained messages. Ends with 0, or with 1 and a sentence.
#include <MQTTClient.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

constexpr int deadline_ms = 20000;

[[noreturn]] void fail(const std::string& sentence) {
    std::printf("paho_c_sync: %s\n", sentence.c_str());
    std::exit(1);
}

void expect(bool condition, const std::string& sentence) {
    if (!condition) fail(sentence);
}

struct Message {
    std::string payload;
    int qos = 0;
    bool retained = false;
};

// One connection. Not copied: the C handle is owned here.
class Client {
public:
    Client(const std::string& uri, const std::string& id, int version) : version_(version) {
        MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
        create.MQTTVersion = version;
        expect(MQTTClient_createWithOptions(&handle_, uri.c_str(), id.c_str(),
                                            MQTTCLIENT_PERSISTENCE_NONE, nullptr,
                                            &create) == MQTTCLIENT_SUCCESS,
               "cannot create the client " + id);
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { MQTTClient_destroy(&handle_); }

    void connect() {
        if (version_ == MQTTVERSION_5) {
            MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer5;
            options.cleanstart = 1;
            const MQTTResponse answer = MQTTClient_connect5(handle_, &options, nullptr, nullptr);
            expect(answer.reasonCode == MQTTREASONCODE_SUCCESS, "connect5 was refused");
            MQTTResponse_free(answer);
            return;
        }
        MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
        options.MQTTVersion = version_;
        options.cleansession = 1;
        expect(MQTTClient_connect(handle_, &options) == MQTTCLIENT_SUCCESS, "connect was refused");
    }

    void subscribe(const std::string& filter, int qos) {
        int granted = 0;
        if (version_ == MQTTVERSION_5) {
            const MQTTResponse answer =
                MQTTClient_subscribe5(handle_, filter.c_str(), qos, nullptr, nullptr);
            granted = answer.reasonCode;
            MQTTResponse_free(answer);
        } else {
            expect(MQTTClient_subscribe(handle_, filter.c_str(), qos) == MQTTCLIENT_SUCCESS,
                   "subscribe failed");
            granted = qos;
        }
        expect(granted == qos, "granted QoS " + std::to_string(granted));
    }

    // Returns when the handshake of the QoS is complete.
    void publish(const std::string& topic, const std::string& payload, int qos, bool retained) {
        MQTTClient_message message = MQTTClient_message_initializer;
        message.payload = const_cast<char*>(payload.data());
        message.payloadlen = static_cast<int>(payload.size());
        message.qos = qos;
        message.retained = retained ? 1 : 0;
        MQTTClient_deliveryToken token = 0;
        if (version_ == MQTTVERSION_5) {
            const MQTTResponse answer =
                MQTTClient_publishMessage5(handle_, topic.c_str(), &message, &token);
            expect(answer.reasonCode == MQTTREASONCODE_SUCCESS, "publish5 failed");
            MQTTResponse_free(answer);
        } else {
            expect(MQTTClient_publishMessage(handle_, topic.c_str(), &message, &token) ==
                       MQTTCLIENT_SUCCESS,
                   "publish failed");
        }
        expect(MQTTClient_waitForCompletion(handle_, token, deadline_ms) == MQTTCLIENT_SUCCESS,
               "no acknowledgement of QoS " + std::to_string(qos));
    }

    Message receive() {
        char* topic = nullptr;
        int topic_length = 0;
        MQTTClient_message* message = nullptr;
        const int status =
            MQTTClient_receive(handle_, &topic, &topic_length, &message, deadline_ms);
        expect(message != nullptr, "no message came, status " + std::to_string(status));
        Message found{std::string(static_cast<const char*>(message->payload),
                                  static_cast<std::size_t>(message->payloadlen)),
                      message->qos, message->retained != 0};
        MQTTClient_freeMessage(&message);
        MQTTClient_free(topic);
        return found;
    }

    void disconnect() {
        if (version_ == MQTTVERSION_5) {
            MQTTClient_disconnect5(handle_, deadline_ms, MQTTREASONCODE_SUCCESS, nullptr);
        } else {
            MQTTClient_disconnect(handle_, deadline_ms);
        }
    }

private:
    int version_;
    MQTTClient handle_ = nullptr;
};

void check_qos(const std::string& uri, int version, int qos) {
    Client client(uri, "sync", version);
    client.connect();
    client.subscribe("paho/+", qos);
    for (int number = 0; number < 10; ++number) {
        const std::string payload = std::string(static_cast<std::size_t>(number), 'x');
        client.publish("paho/c", payload, qos, false);
        const Message got = client.receive();
        expect(got.payload == payload, "another payload came");
        expect(got.qos == qos, "another QoS came");
        expect(!got.retained, "the retain flag came");
    }
    client.disconnect();
}

void check_retained(const std::string& uri, int version, int qos) {
    Client client(uri, "sync", version);
    client.connect();
    client.publish("retained", "kept", qos, true);
    client.subscribe("retained", qos);
    const Message got = client.receive();
    expect(got.payload == "kept" && got.retained, "the retained message did not come");
    client.publish("retained", "", qos, true);
    expect(client.receive().payload.empty(), "the empty message did not come");
    client.disconnect();
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) fail("usage: paho_c_sync HOST PORT");
    const std::string uri = std::string("tcp://") + arguments[1] + ":" + arguments[2];
    for (const int version : {MQTTVERSION_3_1, MQTTVERSION_3_1_1, MQTTVERSION_5}) {
        for (const int qos : {0, 1, 2}) {
            check_qos(uri, version, qos);
            check_retained(uri, version, qos);
        }
    }
    return 0;
}
