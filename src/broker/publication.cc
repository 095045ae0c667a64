#include "broker/publication.h"

#include "base/hash.h"

namespace broker {

SourceId source_named(std::string_view client_id) {
    return base::hash(client_id) | 1;
}

const MessageRef& Publication::message() {
    if (!kept) {
        kept = Message::make({.topic = topic,
                              .payload = payload,
                              .properties = properties,
                              .qos = qos,
                              .retain = retain,
                              .expiry_wall_ms = expiry_wall_ms,
                              .source = source,
                              .durability = durability});
    }
    return kept;
}

void Publication::set_durability(Durability level) {
    if (durability == level) return;
    durability = level;
    kept = {};
}

std::uint64_t Publication::hash_of_topic() {
    if (topic_hash == 0) topic_hash = base::hash(topic);
    return topic_hash;
}

Publication Publication::of(const MessageRef& message) {
    Publication publication;
    publication.topic = message->topic();
    publication.payload = message->payload();
    publication.properties = message->properties();
    publication.qos = message->qos();
    publication.retain = message->retain();
    publication.expiry_wall_ms = message->expiry_wall_ms();
    publication.source = message->source();
    publication.durability = message->durability();
    publication.kept = message;
    return publication;
}

}  // namespace broker
