#include "storage/restorer.h"

#include <algorithm>

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
    contents_.push_back(ledger_.add_content(record));
    return true;
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
    KeptContent* content = needs_content ? find_content(record.content) : nullptr;
    if (needs_content && !content) return false;
    if (content) record.kept.message = content->message;
    if (!ledger_.add_message(record.kept, content, pending_.is_sent)) return false;
    each_(record.kept);
    return true;
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
    KeptContent* const content = find_content(record.content);
    if (!content) return false;
    ledger_.add_handover(record.kept, content);
    broker::HandoverKept kept = record.kept;
    kept.message = content->message;
    each_(kept);
    return true;
}

// Sessions mostly name them in the order in which they were written.
KeptContent* Restorer::find_content(ContentNumber number) {
    if (next_content_ >= contents_.size() || contents_[next_content_]->number != number) {
        const auto found = std::lower_bound(
            contents_.begin(), contents_.end(), number,
            [](const KeptContent* one, ContentNumber wanted) { return one->number < wanted; });
        if (found == contents_.end() || (*found)->number != number) return nullptr;
        next_content_ = static_cast<std::size_t>(found - contents_.begin());
    }
    return contents_[next_content_++];
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
    ledger_.drop_unused(mended_);
    return std::move(mended_);
}

}  // namespace storage
