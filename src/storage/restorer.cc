#include "storage/restorer.h"

#include <algorithm>

#include "storage/queue_reader.h"

namespace storage {
namespace {

constexpr std::string_view belongs_to_nothing = "it belongs to something that is not there";

}  // namespace

void Restorer::apply(Bytes key, Bytes value) {
    if (!key.empty() && key[0] == static_cast<std::uint8_t>(RecordKind::damaged)) return;
    const auto decoded = decode_record(key, value);
    if (!decoded) return set_aside(key, value, to_text(decoded.error()));
    if (const auto* message = std::get_if<MessageRecord>(&*decoded)) {
        return hold(*message, key, value);
    }
    const bool is_used = std::visit(
        [this](const auto& record) {
            if constexpr (std::is_same_v<std::decay_t<decltype(record)>, MessageRecord>) {
                return true;
            } else {
                return take(record);
            }
        },
        *decoded);
    if (!is_used) set_aside(key, value, belongs_to_nothing);
}

bool Restorer::take(const broker::SessionKept& record) {
    ledger_.add_session(record.session);
    each_(record);
    return true;
}

bool Restorer::take(const broker::SubscriptionKept& record) {
    if (!ledger_.add(record)) return false;
    each_(record);
    return true;
}

bool Restorer::take(const ContentRecord& record) {
    ledger_.add_content(record.number);
    sizes_.set(record.number, static_cast<std::uint32_t>(record.message->payload().size()) + 1);
    if (is_full()) return true;
    record.message->set_store_number(static_cast<std::uint64_t>(record.number));
    count_held(*record.message);
    held_.push_back(record);
    return true;
}

void Restorer::count_held(const broker::Message& message) {
    held_bytes_ += sizeof(broker::Delivery) + message.bytes();
}

void Restorer::hold(const MessageRecord& record, Bytes key, Bytes value) {
    end_pending();
    pending_.exists = true;
    pending_.is_sent = false;
    pending_.record = record;
    pending_.key = base::as_text(key);
    pending_.value = base::as_text(value);
}

bool Restorer::take(const broker::MessageSent& record) {
    broker::MessageKept& kept = pending_.record.kept;
    if (!pending_.exists || kept.session != record.session || kept.order != record.order) {
        return false;
    }
    pending_.is_sent = true;
    kept.state = record.state;
    kept.packet_id = record.packet_id;
    return true;
}

void Restorer::end_pending() {
    if (!pending_.exists) return;
    if (!use_pending()) {
        set_aside(base::as_bytes(pending_.key), base::as_bytes(pending_.value), belongs_to_nothing);
    }
    pending_.exists = false;
}

// From PUBREC on the content is no longer there.
bool Restorer::use_pending() {
    MessageRecord& record = pending_.record;
    const bool needs_content = record.kept.state != broker::OutgoingState::wait_pubcomp;
    if (!needs_content) {
        record.kept.message = {};
    } else if (record.kept.message) {
        keep_or_leave(record.kept);
    } else if (!find_content(record)) {
        return false;
    }
    const ContentNumber content = needs_content ? record.content : ContentNumber{};
    if (!ledger_.add_message(record.kept, content, pending_.is_sent)) return false;
    each_(record.kept);
    return true;
}

// What is in flight is sent again at once, and so is in memory.
void Restorer::keep_or_leave(broker::MessageKept& kept) {
    if (kept.packet_id == 0 && is_full()) {
        kept.stored_bytes = static_cast<std::uint32_t>(kept.message->payload().size());
        kept.message = {};
    } else {
        count_held(*kept.message);
    }
}

bool Restorer::find_content(MessageRecord& record) {
    const std::uint32_t size = sizes_.get(record.content);
    if (size == 0) return false;
    if (record.kept.packet_id != 0) {
        record.kept.message = find_or_read(record.content);
        return static_cast<bool>(record.kept.message);
    }
    record.kept.message = find_held(record.content);
    if (!record.kept.message) record.kept.stored_bytes = size - 1;
    return true;
}

// Empty if it is not there.
broker::MessageRef Restorer::find_or_read(ContentNumber number) {
    broker::MessageRef held = find_held(number);
    if (held) return held;
    auto content = read_content(engine_, number);
    return content ? std::move(*content) : broker::MessageRef();
}

bool Restorer::take(const broker::ReceivedKept& record) {
    if (!ledger_.add(record)) return false;
    each_(record);
    return true;
}

bool Restorer::take(const broker::RetainedKept& record) {
    each_(record);
    return true;
}

bool Restorer::take(const broker::LayoutKept& record) {
    each_(record);
    return true;
}

bool Restorer::take(const broker::HandoverTaken& record) {
    ledger_.add(record);
    each_(record);
    return true;
}

bool Restorer::take(const HandoverRecord& record) {
    broker::HandoverKept kept = record.kept;
    kept.message = find_or_read(record.content);
    if (!kept.message) return false;
    ledger_.add_handover(kept, record.content);
    each_(kept);
    return true;
}

// Sessions mostly name them in the order in which they were written.
broker::MessageRef Restorer::find_held(ContentNumber number) {
    if (held_.empty() || held_.back().number < number) return {};
    if (next_held_ >= held_.size() || held_[next_held_].number != number) {
        const auto found = std::lower_bound(
            held_.begin(), held_.end(), number,
            [](const ContentRecord& one, ContentNumber wanted) { return one.number < wanted; });
        if (found == held_.end() || found->number != number) return {};
        next_held_ = static_cast<std::size_t>(found - held_.begin());
    }
    return held_[next_held_++].message;
}

// Content that nobody waits for.
void Restorer::drop_unused() {
    sizes_.for_each([this](ContentNumber number, std::uint32_t) {
        if (!ledger_.is_used(number)) erase(mended_, number);
    });
}

void Restorer::set_aside(Bytes key, Bytes value, std::string_view reason) {
    put_damaged(mended_, key, value);
    erase(mended_, key);
    if (++set_aside_ > lines_max) return;
    log_.print(base::LogType::error, "Error: the store's record '{}' is set aside: {}.",
               describe_key(key), reason);
}

WriteList Restorer::finish() {
    end_pending();
    if (set_aside_ > lines_max) {
        log_.print(base::LogType::error, "Error: {} more records of the store are set aside.",
                   set_aside_ - lines_max);
    }
    drop_unused();
    return std::move(mended_);
}

}  // namespace storage
