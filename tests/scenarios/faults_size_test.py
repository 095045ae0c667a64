"""Faults 5, 6, 11 and 12: too long, too many, cut short, and bytes that have changed."""

import os
import random

import wire
from faults import Faults, scaled
from harness import main
from wire import V5, V31, V311, data, packet, varint

NO_SUBSCRIBERS, TOO_LARGE, QUOTA, TOPIC_INVALID, MALFORMED = 0x10, 0x95, 0x97, 0x90, 0x81
MANY = {"user_property": [("key", "value")] * 1001}
ENOUGH = {"user_property": [("key", "value")] * 1000}


def valid_packets(version):
    """One of each kind that a client sends, with what its version can carry."""
    v5 = version == V5
    publish = {"message_expiry": 9, "topic_alias": 1, "content_type": "c", "response_topic": "r",
               "correlation_data": b"d", "user_property": ("k", "v"), "payload_format": 1}
    yield wire.publish(version, "a/b", "x", 0)
    yield wire.publish(version, "a/b", "x", 1, 5, True, props=publish if v5 else None)
    yield wire.publish(version, "a/b", "x", 2, 6)
    for kind in (wire.PUBACK, wire.PUBREC, wire.PUBREL, wire.PUBCOMP):
        yield wire.ack(kind, 6)
    yield wire.subscribe(version, 7, [("a/+", 1), ("b/#", 2)],
                         {"subscription_id": 3} if v5 else None)
    yield wire.unsubscribe(version, 8, ["a/+", "b"])
    yield packet(wire.PINGREQ, 0, b"")
    yield wire.disconnect(version, 4 if v5 else 0, {"reason_string": "r"} if v5 else None)


class SizeFaults(Faults):
    config = "connect_timeout 2\nmax_retained_messages 1000"

    def test_fault_05_a_length_of_256_mb_and_one_that_never_comes(self):
        self.check_refused(b"\x30\xff\xff\xff\x7f", TOO_LARGE)
        self.counter("refused/packet_too_large", 1)
        with self.flat_memory():
            slow = []
            for number in range(scaled(400)):
                slow.append(self.client(f"slow{number}", keep_alive=2))
                slow[-1].send(b"\x30" + varint(1_999_000) + data("t"))
            unknown = self.raw()
            unknown.send(b"\x10" + varint(1_999_000) + b"\0\4MQTT")
            # What has not arrived takes no memory, and does not keep anybody alive.
            self.check_bystanders()
            for each in slow:
                each.wait_closed()
            self.assertEqual(unknown.wait_closed(), [])
        self.check_lines("sent no CONNECT in 2 s")
        self.check_bystanders()

    def test_fault_06_cut_anywhere(self):
        for version in (V31, V311, V5):
            for whole in [wire.connect(version, "cut"), *valid_packets(version)]:
                for cut in range(len(whole)):
                    client = self.client("cut", version, connect=False)
                    if whole[0] >> 4 != wire.CONNECT:
                        client.send(wire.connect(version, "cut"))
                    client.send(whole[:cut])
                    client.close()
        self.check_bystanders()

    def test_fault_06_one_byte_changed(self):
        """A sample; tests/broker/mutation_test.cc has them all, without sockets."""
        chance = random.Random(int(os.environ.get("SEED", "1")))
        for version in (V31, V311, V5):
            for whole in [wire.connect(version, "changed"), *valid_packets(version)]:
                for _ in range(scaled(40)):
                    changed = bytearray(whole)
                    changed[chance.randrange(len(whole))] ^= chance.randrange(1, 256)
                    client = self.client("changed", version, connect=False)
                    if whole[0] >> 4 != wire.CONNECT:
                        client.send(wire.connect(version, "changed"))
                    client.send(bytes(changed))
                    client.close()
        self.check_bystanders()

    def test_fault_11_user_properties_have_a_limit(self):
        client = self.client("many", props=ENOUGH)
        self.assertEqual(client.publish("t", "x", 1, props=ENOUGH).reason, NO_SUBSCRIBERS)
        client.send(wire.subscribe(V5, 60, [("t", 0)], ENOUGH))
        client.expect(wire.SUBACK)
        self.check_refused(wire.publish(V5, "t", "x", props=MANY), QUOTA)
        self.check_refused(wire.subscribe(V5, 1, [("t", 0)], MANY), QUOTA)
        self.check_refused(wire.disconnect(V5, 0, MANY), QUOTA)
        for connect in (
            wire.connect(V5, "offender", props=MANY),
            wire.connect(V5, "offender", will=("t", "x", 0, False, MANY)),
        ):
            refused = self.raw()
            refused.send(connect)
            self.assertEqual([each.reason for each in refused.wait_closed()], [QUOTA])
        self.counter("refused/user_properties", 3)
        self.check_lines("Client offender disconnected due to .*: more than max_user_properties", 1)
        self.check_bystanders()

    def test_fault_11_as_many_as_a_packet_holds(self):
        """Linear time: fifty times 2 MB of them are no matter."""
        most = b"\x26\0\0\0\0" * 390_000
        raw = packet(3, 0, data("t") + varint(len(most)) + most)
        with self.flat_memory(32 * 1024):
            for _ in range(scaled(50)):
                self.check_refused(raw, QUOTA)
        self.check_bystanders()

    def test_fault_12_the_longest_topic_and_the_deepest(self):
        longest = "t" * 65535
        client = self.client("long", keep_alive=0)
        client.subscribe(longest)
        client.publish(longest, "x")
        self.assertEqual(client.take().topic, longest)
        deepest = "/" * 65535
        for levels in (201, 32768, 65536):
            topic = deepest[: levels - 1]
            with self.subTest(levels=levels):
                self.check_refused(wire.publish(V5, topic, "x"), TOPIC_INVALID)
                self.check_refused(wire.publish(V5, topic, "x", 1, 1, True), TOPIC_INVALID)
                self.check_refused(wire.subscribe(V5, 1, [(topic, 0)]), MALFORMED)
        deep = "/" * 199
        client.subscribe(deep)
        client.publish(deep, "x")
        self.assertEqual(client.take().topic, deep)
        self.check_bystanders()


if __name__ == "__main__":
    main()
