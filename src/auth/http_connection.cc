#include "auth/http_connection.h"

#ifdef NIGHTJAR_HTTP

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace auth {
namespace {

struct HeaderListFreed {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, HeaderListFreed>;

HeaderList header_list(const HttpService& service) {
    HeaderList list;
    const auto add = [&](const char* header) {
        curl_slist* const longer = curl_slist_append(list.get(), header);
        ASSERT(longer != nullptr);
        (void)list.release();
        list.reset(longer);
    };
    add("Content-Type: application/json");
    add("Accept: application/json");
    add("Expect:");  // A small request is not worth asking first.
    for (const std::string& header : service.headers) add(header.c_str());
    return list;
}

// Those that libcurl gives for what the service sent, not for a service that is away.
bool is_replied(CURLcode code) {
    return code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED;
}

}  // namespace

std::string http_version() {
    const curl_version_info_data* const version = curl_version_info(CURLVERSION_NOW);
    const char* const tls = version->ssl_version;
    return fmt::format("libcurl/{} {}", version->version, tls != nullptr ? tls : "");
}

struct HttpConnection::State {
    explicit State(const HttpService& asked) : service(asked), headers(header_list(asked)) {
        // Counted by libcurl: each one has its own.
        ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
        handle = curl_easy_init();
        ASSERT(handle != nullptr);
        configure();
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        curl_easy_cleanup(handle);
        curl_global_cleanup();
    }

    template <typename Value>
    void set(CURLoption option, Value value) {
        // What fails here, this libcurl does not have: then nothing may be asked.
        if (curl_easy_setopt(handle, option, value) != CURLE_OK) is_configured = false;
    }
    void configure();
    void configure_tls();

    static std::size_t on_body(const char* bytes, std::size_t, std::size_t size, void* state) {
        std::string& body = static_cast<State*>(state)->body;
        if (size > reply_bytes_max - body.size()) return CURL_WRITEFUNC_ERROR;
        body.append(bytes, size);
        return size;
    }
    static int on_progress(void* state, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
        return static_cast<State*>(state)->is_aborted.load() ? 1 : 0;
    }

    const HttpService service;
    const HeaderList headers;
    CURL* handle = nullptr;
    bool is_configured = true;
    std::atomic<bool> is_aborted{false};
    std::string body;
    std::array<char, CURL_ERROR_SIZE> error{};
};

void HttpConnection::State::configure() {
    const long timeout_ms = static_cast<long>(service.timeout.count());
    set(CURLOPT_URL, service.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT_MS, timeout_ms);
    set(CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
    set(CURLOPT_POST, 1L);
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_USERAGENT, "nightjar");
    set(CURLOPT_ERRORBUFFER, error.data());
    set(CURLOPT_WRITEFUNCTION, &State::on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &State::on_progress);
    set(CURLOPT_XFERINFODATA, this);
    configure_tls();
}

void HttpConnection::State::configure_tls() {
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!service.ca_file.empty()) {
        set(CURLOPT_CAINFO, service.ca_file.c_str());
        set(CURLOPT_CAPATH, nullptr);  // No others.
    }
    if (!service.cert_file.empty()) {
        set(CURLOPT_SSLCERT, service.cert_file.c_str());
        set(CURLOPT_SSLKEY, service.key_file.c_str());
    }
}

HttpConnection::HttpConnection(const HttpService& service)
    : state_(std::make_unique<State>(service)) {}
HttpConnection::~HttpConnection() = default;

base::Result<HttpReply, HttpError> HttpConnection::post(const std::string& json) {
    State& state = *state_;
    if (!state.is_configured) {
        return base::fail(HttpError{"this libcurl has not what it takes", true});
    }
    state.body.clear();
    state.error[0] = '\0';
    state.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json.size()));
    state.set(CURLOPT_POSTFIELDS, json.c_str());
    const CURLcode code = curl_easy_perform(state.handle);
    state.set(CURLOPT_POSTFIELDS, nullptr);
    if (code != CURLE_OK) {
        std::string why = state.error[0] != '\0' ? state.error.data() : curl_easy_strerror(code);
        if (code == CURLE_WRITE_ERROR) {
            why = fmt::format("the reply is longer than {} bytes", reply_bytes_max);
        }
        return base::fail(HttpError{std::move(why), !is_replied(code)});
    }
    long status = 0;
    curl_easy_getinfo(state.handle, CURLINFO_RESPONSE_CODE, &status);
    return HttpReply{static_cast<int>(status), std::move(state.body)};
}

void HttpConnection::abort() {
    state_->is_aborted.store(true);
}

}  // namespace auth

#else

namespace auth {

struct HttpConnection::State {};

std::string http_version() {
    return "none";
}

HttpConnection::HttpConnection(const HttpService&) {}
HttpConnection::~HttpConnection() = default;

base::Result<HttpReply, HttpError> HttpConnection::post(const std::string&) {
    return base::fail(HttpError{"this build has no libcurl", true});
}

void HttpConnection::abort() {}

}  // namespace auth

#endif
