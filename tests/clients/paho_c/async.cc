// Paho C's asynchronous client against a running broker: `paho_c_async HOST PORT`.
//
// For MQTT 3.1, 3.1.1 and 5.0 and for each QoS: several messages on the way at once, that come back
// in order and once. The library calls back from its own thread, so what callbacks touch is guarded
// by one mutex. Ends with 0, or with 1 and a sentence.
#include <MQTTAsync.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

namespace {

constexpr int message_count = 15;  // All on the way at once: below the broker's Receive Maximum.
constexpr std::chrono::seconds deadline{20};

[[noreturn]] void fail(const std::string& sentence) {
    std::printf("paho_c_async: %s\n", sentence.c_str());
    std::exit(1);
}

// What the library has told us so far.
struct Progress {
    std::mutex mutex;
    std::condition_variable changed;
    int completed = 0;  // Successful connect, subscribe, publish and disconnect calls.
    std::string failure;
    std::vector<std::string> payloads;
    std::vector<int> qualities;

    void complete() {
        const std::lock_guard lock(mutex);
        ++completed;
        changed.notify_all();
    }
    void failed(const char* what, int code) {
        const std::lock_guard lock(mutex);
        failure = std::string(what) + " failed with " + std::to_string(code);
        changed.notify_all();
    }
    template <typename Condition>
    void wait(const std::string& what, Condition condition) {
        std::unique_lock lock(mutex);
        const auto ready = [&] { return !failure.empty() || condition(); };
        if (!changed.wait_for(lock, deadline, ready)) fail("gave up waiting for " + what);
        if (!failure.empty()) fail(failure);
    }
    void wait_completed(const std::string& what, int wanted) {
        wait(what, [this, wanted] { return completed >= wanted; });
    }
};

Progress& progress_of(void* context) {
    return *static_cast<Progress*>(context);
}

void on_success(void* context, MQTTAsync_successData*) {
    progress_of(context).complete();
}

void on_success5(void* context, MQTTAsync_successData5*) {
    progress_of(context).complete();
}

void on_failure(void* context, MQTTAsync_failureData* data) {
    progress_of(context).failed("a call", data != nullptr ? data->code : 0);
}

void on_failure5(void* context, MQTTAsync_failureData5* data) {
    progress_of(context).failed("a call", data != nullptr ? data->reasonCode : 0);
}

void on_connection_lost(void* context, char*) {
    progress_of(context).failed("the connection", 0);
}

int on_message(void* context, char* topic, int, MQTTAsync_message* message) {
    Progress& progress = progress_of(context);
    {
        const std::lock_guard lock(progress.mutex);
        progress.payloads.emplace_back(static_cast<const char*>(message->payload),
                                       static_cast<std::size_t>(message->payloadlen));
        progress.qualities.push_back(message->qos);
        progress.changed.notify_all();
    }
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

// One connection and its progress. Not copied: the C handle is owned here.
class Client {
public:
    Client(const std::string& uri, int version) : version_(version) {
        MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer;
        create.MQTTVersion = version;
        create.maxBufferedMessages = message_count;
        check(MQTTAsync_createWithOptions(&handle_, uri.c_str(), "async",
                                          MQTTCLIENT_PERSISTENCE_NONE, nullptr, &create),
              "create");
        check(MQTTAsync_setCallbacks(handle_, &progress_, on_connection_lost, on_message, nullptr),
              "setCallbacks");
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { MQTTAsync_destroy(&handle_); }

    void connect() {
        MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
        if (version_ == MQTTVERSION_5) {
            options = MQTTAsync_connectOptions_initializer5;
            options.cleanstart = 1;
            options.onSuccess5 = on_success5;
            options.onFailure5 = on_failure5;
        } else {
            options.cleansession = 1;
            options.onSuccess = on_success;
            options.onFailure = on_failure;
        }
        options.MQTTVersion = version_;
        options.context = &progress_;
        options.maxInflight = message_count;
        check(MQTTAsync_connect(handle_, &options), "connect");
        progress_.wait_completed("the CONNACK", ++wanted_);
    }

    void subscribe(const std::string& filter, int qos) {
        MQTTAsync_responseOptions options = response();
        check(MQTTAsync_subscribe(handle_, filter.c_str(), qos, &options), "subscribe");
        progress_.wait_completed("the SUBACK", ++wanted_);
    }

    // Does not wait for the acknowledgement; wait_published() does, for all.
    void publish(const std::string& topic, const std::string& payload, int qos) {
        MQTTAsync_responseOptions options = response();
        check(MQTTAsync_send(handle_, topic.c_str(), static_cast<int>(payload.size()),
                             payload.data(), qos, 0, &options),
              "send");
        ++wanted_;
    }

    void wait_published() { progress_.wait_completed("the acknowledgements", wanted_); }

    void check_received(int qos) {
        progress_.wait("messages", [this] { return progress_.payloads.size() >= message_count; });
        const std::lock_guard lock(progress_.mutex);
        if (progress_.payloads.size() != message_count) fail("more messages than were sent came");
        for (std::size_t at = 0; at < message_count; ++at) {
            if (progress_.payloads[at] != std::to_string(at)) fail("messages came out of order");
            if (progress_.qualities[at] != qos) fail("another QoS came");
        }
    }

    void disconnect() {
        MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
        if (version_ == MQTTVERSION_5) {
            options = MQTTAsync_disconnectOptions_initializer5;
            options.onSuccess5 = on_success5;
        } else {
            options.onSuccess = on_success;
        }
        options.context = &progress_;
        check(MQTTAsync_disconnect(handle_, &options), "disconnect");
        progress_.wait_completed("the end", ++wanted_);
    }

private:
    static void check(int code, const char* what) {
        if (code != MQTTASYNC_SUCCESS) fail(std::string(what) + ": " + std::to_string(code));
    }

    MQTTAsync_responseOptions response() {
        MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
        options.context = &progress_;
        if (version_ == MQTTVERSION_5) {
            options.onSuccess5 = on_success5;
            options.onFailure5 = on_failure5;
        } else {
            options.onSuccess = on_success;
            options.onFailure = on_failure;
        }
        return options;
    }

    int version_;
    int wanted_ = 0;
    Progress progress_;
    MQTTAsync handle_ = nullptr;
};

void check_qos(const std::string& uri, int version, int qos) {
    Client client(uri, version);
    client.connect();
    client.subscribe("paho/#", qos);
    for (int number = 0; number < message_count; ++number) {
        client.publish("paho/async", std::to_string(number), qos);
    }
    client.wait_published();
    client.check_received(qos);
    client.disconnect();
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) fail("usage: paho_c_async HOST PORT");
    const std::string uri = std::string("tcp://") + arguments[1] + ":" + arguments[2];
    for (const int version : {MQTTVERSION_3_1, MQTTVERSION_3_1_1, MQTTVERSION_5}) {
        for (const int qos : {0, 1, 2}) {
            check_qos(uri, version, qos);
        }
    }
    return 0;
}
