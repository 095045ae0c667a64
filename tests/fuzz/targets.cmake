nightjar_fuzz(decoder nightjar_mqtt)
nightjar_fuzz(framer nightjar_mqtt)
nightjar_fuzz(topic nightjar_mqtt)
