// Changes for tests, and what a sequence of them comes to, as text to compare.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "storage/kept_state.h"
#include "storage/record.h"

namespace storage {

using broker::SessionNumber;

inline broker::MessageRef message(std::string_view payload, std::string_view topic = "t") {
    return broker::Message::make({.topic = topic,
                                  .payload = base::as_bytes(payload),
                                  .properties = {},
                                  .qos = mqtt::Qos::at_least_once});
}

inline broker::SessionKept session(std::uint64_t number, std::string client_id = "c") {
    broker::SessionKept kept;
    kept.session = SessionNumber{number};
    kept.client_id = std::move(client_id);
    kept.expiry_s = 60;
    return kept;
}

inline broker::MessageKept queued(std::uint64_t number, std::uint64_t order,
                                  broker::MessageRef content) {
    broker::MessageKept kept;
    kept.session = SessionNumber{number};
    kept.order = order;
    kept.message = std::move(content);
    kept.qos = mqtt::Qos::at_least_once;
    return kept;
}

inline std::string text_of(const broker::MessageRef& one) {
    if (!one) return "-";
    return fmt::format("{}={}{}{}@{}+{}", one->topic(), base::as_text(one->payload()),
                       one->retain() ? "r" : "", static_cast<int>(one->qos()),
                       one->expiry_wall_ms(), base::as_text(one->properties()));
}

struct ChangeText {
    std::string operator()(const broker::SessionKept& one) const {
        const std::string name = one.will_user_name.empty() ? "" : " " + one.will_user_name;
        return fmt::format("session {} {} {} {} {} {} {}{}",
                           static_cast<std::uint64_t>(one.session), one.client_id, one.expiry_s,
                           one.left_wall_ms, text_of(one.will), one.will_delay_s,
                           one.will_expiry_s.value_or(0), name);
    }
    std::string operator()(const broker::SubscriptionKept& one) const {
        return fmt::format("subscription {} {} {}{}{}{} {}",
                           static_cast<std::uint64_t>(one.session), one.filter,
                           static_cast<int>(one.options.qos), one.options.no_local,
                           one.options.retain_as_published,
                           static_cast<int>(one.options.retain_handling), one.subscription_id);
    }
    std::string operator()(const broker::MessageKept& one) const {
        std::string ids;
        one.ids.for_each([&](std::uint32_t id) { ids += fmt::format(" {}", id); });
        return fmt::format("message {}/{} {} {}{} {} {}{}", static_cast<std::uint64_t>(one.session),
                           one.order, text_of(one.message), static_cast<int>(one.qos),
                           one.retain ? "r" : "", static_cast<int>(one.state), one.packet_id, ids);
    }
    std::string operator()(const broker::MessageSent& one) const {
        return fmt::format("sent {}/{} {} {}", static_cast<std::uint64_t>(one.session), one.order,
                           static_cast<int>(one.state), one.packet_id);
    }
    std::string operator()(const broker::ReceivedKept& one) const {
        return fmt::format("received {}/{}", static_cast<std::uint64_t>(one.session),
                           one.packet_id);
    }
    std::string operator()(const broker::RetainedKept& one) const {
        if (!one.publisher) return "retained " + text_of(one.message);
        return fmt::format("retained {} of {} {}", text_of(one.message), one.publisher->client_id,
                           one.publisher->user_name);
    }
    std::string operator()(const StoreRecord& one) const {
        return fmt::format("store {}", one.format);
    }
    std::string operator()(const ContentRecord& one) const {
        return fmt::format("content {} {}", static_cast<std::uint64_t>(one.number),
                           text_of(one.message));
    }
    std::string operator()(const MessageRecord& one) const {
        return (*this)(one.kept) + fmt::format(" #{}", static_cast<std::uint64_t>(one.content));
    }
    std::string operator()(const broker::LayoutKept& one) const {
        return fmt::format("layout {} {}", one.shards, one.partition_seed);
    }
    std::string operator()(const broker::HandoverTaken& one) const {
        return fmt::format("taken {}/{} {}", one.from, one.to, one.count);
    }
    std::string operator()(const broker::HandoverKept& one) const {
        return fmt::format("handover {}/{}/{} {} '{}'", one.from, one.to, one.count,
                           text_of(one.message), one.group);
    }
    std::string operator()(const HandoverRecord& one) const {
        return (*this)(one.kept) + fmt::format(" #{}", static_cast<std::uint64_t>(one.content));
    }
    template <typename Ending>
    std::string operator()(const Ending&) const {
        return "an end";
    }
};

// What the changes come to, one line each, in the order that Store::restore() gives them.
inline std::vector<std::string> state_of(const std::vector<broker::Change>& changes) {
    KeptState state;
    for (const broker::Change& change : changes) state.apply(change);
    std::vector<std::string> lines;
    state.for_each(
        [&](const broker::Change& change) { lines.push_back(std::visit(ChangeText{}, change)); });
    return lines;
}

template <typename... Each>
broker::ChangeBatch batch_of(Each&&... each) {
    broker::ChangeBatch batch;
    (batch.add(std::forward<Each>(each)), ...);
    return batch;
}

}  // namespace storage
