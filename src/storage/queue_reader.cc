#include "storage/queue_reader.h"

namespace storage {
namespace {

using broker::MessageRef;
using broker::QueueRequest;
using broker::QueueSlice;

// A message's record, without a content that it shares; nothing where it is damaged.
struct Found {
    std::uint64_t order;
    std::optional<MessageRecord> record;
};

MessageRef content_of(Bytes key, Bytes value) {
    auto decoded = decode_record(key, value);
    auto* content = decoded ? std::get_if<ContentRecord>(&*decoded) : nullptr;
    if (!content) return {};
    content->message->set_store_number(static_cast<std::uint64_t>(content->number));
    return std::move(content->message);
}

class SliceReading {
public:
    SliceReading(Engine& engine, const QueueRequest& request)
        : engine_(engine), request_(request), next_order_(request.last_order + 1) {
        slice_.reader = request.reader;
        slice_.session = request.session;
        slice_.first_order = request.first_order;
    }

    QueueSlice read() {
        const std::string first = message_key(request_.session, request_.first_order);
        const auto scanned = engine_.scan(
            base::as_bytes(first), [this](Bytes key, Bytes value) { return take(key, value); });
        if (scanned) {
            read_contents();
        } else {
            slice_.error = scanned.error();
        }
        slice_.next_order = next_order_;
        return std::move(slice_);
    }

private:
    // True while there may be more. Nothing behind the last one is looked at: that may be far.
    bool take(Bytes key, Bytes value) {
        const auto at = read_message_key(key);
        if (!at || at->session != request_.session || at->order > request_.last_order) return false;
        auto decoded = decode_record(key, value);
        auto* record = decoded ? std::get_if<MessageRecord>(&*decoded) : nullptr;
        if (record) {
            if (record->kept.message) found_bytes_ += record->kept.message->bytes();
            found_.push_back({at->order, std::move(*record)});
        } else {
            found_.push_back({at->order, std::nullopt});
        }
        if (at->order == request_.last_order) return false;
        const bool is_full = found_bytes_ >= broker::slice_bytes_max;
        if (!is_full && found_.size() < broker::slice_messages_max) return true;
        next_order_ = at->order + 1;
        return false;
    }

    // How large those are that others share shows only when they are read: one by one.
    void read_contents() {
        for (Found& one : found_) {
            if (bytes_ >= broker::slice_bytes_max) {
                next_order_ = one.order;
                return;
            }
            if (!read_content_of(one)) return;
        }
    }

    bool read_content_of(Found& found) {
        MessageRef content;
        if (found.record) content = std::move(found.record->kept.message);
        if (found.record && !content) {
            auto read = read_content(engine_, found.record->content);
            if (!read) {
                slice_.error = read.error();
                return false;
            }
            content = std::move(*read);
        }
        if (!content) {
            ++slice_.unreadable;
            return true;
        }
        bytes_ += content->bytes();
        found.record->kept.message = std::move(content);
        slice_.messages.push_back(std::move(found.record->kept));
        return true;
    }

    Engine& engine_;
    const QueueRequest& request_;
    std::uint64_t next_order_;
    std::vector<Found> found_;
    std::size_t found_bytes_ = 0;  // Of those that have their message with them.
    std::size_t bytes_ = 0;
    QueueSlice slice_;
};

}  // namespace

base::Result<MessageRef, std::string> read_content(Engine& engine, ContentNumber content) {
    const std::string key = content_key(content);
    MessageRef message;
    const auto got = engine.get(base::as_bytes(key), [&](Bytes value) {
        message = content_of(base::as_bytes(key), value);
    });
    if (!got) return base::fail(got.error());
    return message;
}

QueueSlice read_slice(Engine& engine, const QueueRequest& request) {
    return SliceReading(engine, request).read();
}

void QueueReader::finish() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    something_to_do_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void QueueReader::ask(std::uint32_t shard, const QueueRequest& request) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        requests_.emplace_back(shard, request);
        if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    }
    something_to_do_.notify_one();
}

std::vector<QueueSlice> QueueReader::take(std::uint32_t shard) {
    const std::lock_guard lock(mutex_);
    return std::exchange(slices_[shard], {});
}

void QueueReader::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        something_to_do_.wait(lock, [this] { return stopping_ || !requests_.empty(); });
        if (stopping_) return;
        const auto [shard, request] = requests_.front();
        requests_.pop_front();
        lock.unlock();
        QueueSlice slice = read_slice(engine_, request);
        lock.lock();
        slices_[shard].push_back(std::move(slice));
        lock.unlock();
        wake_(shard);
        lock.lock();
    }
}

}  // namespace storage
