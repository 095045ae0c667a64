"""Bytes that break the protocol: the offender is disconnected, nobody else notices.

A row is (sentence, versions, bytes, reasons). `bytes` may be a function of the version. `reasons`
are those that MQTT 5 allows in the DISCONNECT that nightjar sends; where the specification says
"malformed" or "protocol error" without choosing, both will do.
"""

import struct

import wire
from harness import IS_NIGHTJAR, Scenario, main
from wire import V5, V31, V311, packet

ALL = (V31, V311, V5)
NEW = (V311, V5)

MALFORMED, PROTOCOL_ERROR, EITHER = (0x81,), (0x82,), (0x81, 0x82)
FILTER_INVALID, TOPIC_INVALID, ALIAS_INVALID = (0x81, 0x82, 0x8F), (0x81, 0x82, 0x90), (0x94,)
TOO_LARGE = 0x95


def text(raw):
    return struct.pack(">H", len(raw)) + raw


def publish_topic(raw):
    """A QoS 0 PUBLISH with this topic, well-formed or not."""
    return lambda version: packet(3, 0, text(raw) + (b"\0" if version == V5 else b"") + b"x")


def subscribe_filter(raw, options=b"\0"):
    def make(version):
        return packet(8, 2, b"\0\1" + (b"\0" if version == V5 else b"") + text(raw) + options)

    return make


def with_flags(raw, flags):
    return bytes([raw[0] & 0xF0 | flags]) + raw[1:]


def connect_with(change):
    """A CONNECT with one thing wrong: change(bytearray) edits it in place."""

    def make(version):
        raw = bytearray(wire.connect(version, "bad"))
        change(raw, version)
        return bytes(raw)

    return make


def set_flags(value):
    def change(raw, version):
        raw[2 + 2 + (6 if version == V31 else 4) + 1] = value

    return connect_with(change)


def set_version(value):
    def change(raw, version):
        raw[2 + 2 + (6 if version == V31 else 4)] = value

    return connect_with(change)


BEFORE_CONNECT = (
    ("PUBLISH comes first", ALL, lambda v: wire.publish(v, "t", "x"), None),
    ("SUBSCRIBE comes first", ALL, lambda v: wire.subscribe(v, 1, [("t", 0)]), None),
    ("PINGREQ comes first", ALL, b"\xc0\0", None),
    ("DISCONNECT comes first", ALL, b"\xe0\0", None),
    ("PUBLISH claims 256 MB first", ALL, b"\x30\xff\xff\xff\x7f", None),
    ("CONNECT claims 256 MB", ALL, b"\x10\xff\xff\xff\x7f\0\4MQTT", None),
    ("type 0 comes first", ALL, b"\0\0", None),
    ("an HTTP request", ALL, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", None),
    ("a TLS hello", ALL, b"\x16\3\1\2\0\1\0\1\xfc\3\3" + bytes(600), None),
    ("CONNECT has a length of five bytes", ALL, b"\x10\x80\x80\x80\x80\1", None),
    ("CONNECT has fixed header flags", NEW, lambda v: with_flags(wire.connect(v, "x"), 1), None),
    ("CONNECT is empty", ALL, b"\x10\0", None),
    ("the protocol name is unknown", ALL, b"\x10\x0c\0\4MQTX\4\2\0\x3c\0\0", None),
    ("the reserved connect flag is set", NEW, set_flags(3), None),
    ("will QoS without a will", NEW, set_flags(2 | 8), None),
    ("will QoS 3", NEW, set_flags(2 | 4 | 24), None),
    ("the version is unknown", NEW, set_version(9), None),
    ("the client id is not UTF-8", ALL, lambda v: wire.connect(v, b"\xc3\x28"), None),
    ("the client id holds U+0000", ALL, lambda v: wire.connect(v, b"a\0b"), None),
)

AFTER_CONNECT = (
    ("MQTT-3.1.0-2, MQTT311-3.1.0-2: a second CONNECT",
     ALL, lambda v: wire.connect(v, "again"), PROTOCOL_ERROR),
    ("type 0", ALL, b"\0\0", EITHER),
    ("type 15 is reserved in MQTT 3", (V31, V311), b"\xf0\0", None),
    ("a length of five bytes", ALL, b"\x30\x80\x80\x80\x80\1", MALFORMED),
    ("MQTT-3.8.1-1, MQTT311-3.8.1-1: SUBSCRIBE with flags 0",
     NEW, lambda v: with_flags(subscribe_filter(b"t")(v), 0), MALFORMED),
    ("MQTT-3.6.1-1, MQTT311-3.6.1-1: PUBREL with flags 0",
     NEW, with_flags(wire.ack(wire.PUBREL, 1), 0), MALFORMED),
    ("MQTT-3.10.1-1, MQTT311-3.10.1-1: UNSUBSCRIBE with flags 0",
     NEW, lambda v: with_flags(wire.unsubscribe(v, 1, ["t"]), 0), MALFORMED),
    ("MQTT-2.1.3-1, MQTT311-2.2.2-2: PUBACK with flags",
     NEW, with_flags(wire.ack(wire.PUBACK, 1), 2), MALFORMED),
    ("PINGREQ with flags", NEW, b"\xc1\0", MALFORMED),
    ("MQTT-3.3.1-4, MQTT311-3.3.1-4: PUBLISH with QoS 3",
     ALL, lambda v: with_flags(wire.publish(v, "t"), 6), MALFORMED),
    ("MQTT-2.2.1-3, MQTT311-2.3.1-1: PUBLISH with packet id 0",
     ALL, lambda v: wire.publish(v, "t", "x", 1, 0), EITHER),
    ("PUBLISH ends in its topic", ALL, b"\x30\3\0\x09a", MALFORMED),
    ("MQTT-2.2.1-3, MQTT311-2.3.1-1: SUBSCRIBE with packet id 0",
     ALL, lambda v: wire.subscribe(v, 0, [("t", 0)]), EITHER),
    ("SUBSCRIBE without a filter", ALL, lambda v: wire.subscribe(v, 1, []), PROTOCOL_ERROR),
    ("MQTT311-3.8.3-4: SUBSCRIBE with QoS 3", ALL, subscribe_filter(b"t", b"\3"), EITHER),
    ("UNSUBSCRIBE without a filter", ALL, lambda v: wire.unsubscribe(v, 1, []), PROTOCOL_ERROR),
    ("CONNACK from a client", ALL, b"\x20\2\0\0", PROTOCOL_ERROR),
    ("SUBACK from a client", ALL, b"\x90\3\0\1\0", PROTOCOL_ERROR),
    ("UNSUBACK from a client", ALL, b"\xb0\2\0\1", PROTOCOL_ERROR),
    ("PINGRESP from a client", ALL, b"\xd0\0", PROTOCOL_ERROR),
    ("MQTT-3.3.2-2, MQTT311-3.3.2-2: + in a topic name",
     ALL, publish_topic(b"a/+/b"), TOPIC_INVALID),
    ("MQTT-4.7.0-1, MQTT311-4.7.1-1: # in a topic name", ALL, publish_topic(b"a/#"), TOPIC_INVALID),
    ("MQTT-4.7.3-1, MQTT311-4.7.3-1: an empty topic name", ALL, publish_topic(b""), TOPIC_INVALID),
    ("MQTT-1.5.4-1, MQTT311-1.5.3-1: a topic that is not UTF-8",
     ALL, publish_topic(b"a\xc3\x28"), MALFORMED),
    ("MQTT-1.5.4-2, MQTT-4.7.3-2, MQTT311-1.5.3-2, MQTT311-4.7.3-2: a topic with U+0000",
     ALL, publish_topic(b"a\0b"), MALFORMED),
    ("MQTT-1.5.4-1, MQTT311-1.5.3-1: a topic with a surrogate",
     ALL, publish_topic(b"a\xed\xa0\x80"), MALFORMED),
    ("a topic with an overlong form", ALL, publish_topic(b"a\xc0\xaf"), MALFORMED),
    ("a filter that is not UTF-8", ALL, subscribe_filter(b"\xff\xfe"), FILTER_INVALID),
    ("MQTT-4.7.3-1, MQTT311-4.7.3-1: an empty filter", ALL, subscribe_filter(b""), FILTER_INVALID),
    ("MQTT-4.7.1-1, MQTT311-4.7.1-2: a filter with # inside",
     ALL, subscribe_filter(b"a/#/b"), FILTER_INVALID),
    ("MQTT-4.7.1-2, MQTT311-4.7.1-3: a filter with + beside text",
     ALL, subscribe_filter(b"a+/b"), FILTER_INVALID),
    ("an alias above the maximum", (V5,), wire.publish(V5, "t", props={"topic_alias": 60000}),
     ALIAS_INVALID),
    ("MQTT-3.3.2-8: alias 0",
     (V5,), wire.publish(V5, "t", props={"topic_alias": 0}), ALIAS_INVALID),
    ("an alias that was never set", (V5,), wire.publish(V5, "", props={"topic_alias": 1}), EITHER),
    ("a property in the wrong packet", (V5,), wire.publish(V5, "t", props={"session_expiry": 1}),
     EITHER),
    ("a property twice", (V5,), wire.publish(V5, "t", props={"content_type": ["a", "b"]}),
     PROTOCOL_ERROR),
    ("an unknown property", (V5,), packet(3, 0, b"\0\1t\2\x7f\1"), MALFORMED),
    ("property length beyond the packet", (V5,), packet(3, 0, b"\0\1t\x7f"), MALFORMED),
    ("payload format 2", (V5,), wire.publish(V5, "t", props={"payload_format": 2}), EITHER),
    ("a publisher sends a subscription id", (V5,),
     wire.publish(V5, "t", props={"subscription_id": 1}), PROTOCOL_ERROR),
    ("subscription id 0", (V5,), wire.subscribe(V5, 1, [("t", 0)], {"subscription_id": 0}),
     PROTOCOL_ERROR),
    ("MQTT-3.8.3-5: reserved subscription options", (V5,), subscribe_filter(b"t", b"\x40"), EITHER),
    ("retain handling 3", (V5,), subscribe_filter(b"t", b"\x30"), EITHER),
    ("a share without a name", (V5,), subscribe_filter(b"$share//t"), FILTER_INVALID),
    ("no local on a share", (V5,), subscribe_filter(b"$share/g/t", b"\4"), PROTOCOL_ERROR),
    ("MQTT-4.12.0-7: AUTH out of the blue", (V5,), b"\xf0\0", PROTOCOL_ERROR),
    ("DISCONNECT raises an expiry of 0", (V5,),
     wire.disconnect(V5, 0, {"session_expiry": 10}), PROTOCOL_ERROR),
)

# What Mosquitto 2.0.11 lets pass: sentence -> versions.
LENIENT_IN_MOSQUITTO = {
    "PINGREQ with flags": NEW,
    "SUBSCRIBE without a filter": (V31,),
    "UNSUBSCRIBE without a filter": (V31,),
    "SUBACK from a client": (V31, V311),
    "UNSUBACK from a client": (V31, V311),
    "PINGRESP from a client": ALL,
    "payload format 2": (V5,),
    "a publisher sends a subscription id": (V5,),
    "a share without a name": (V5,),
    "no local on a share": (V5,),
}


def cases(table):
    for sentence, versions, raw, reason in table:
        lenient = () if IS_NIGHTJAR else LENIENT_IN_MOSQUITTO.get(sentence, ())
        for version in versions:
            if version not in lenient:
                yield sentence, version, raw(version) if callable(raw) else raw, reason


class BadInput(Scenario):
    def setUp(self):
        self.start_broker("max_packet_size 100000")
        self.bystander = wire.Client(self.broker.port, "bystander", V311)
        self.addCleanup(self.bystander.close)
        self.bystander.subscribe("news")

    def check_bystander(self, news):
        self.bystander.publish("news", news)
        self.assertEqual(self.bystander.take().payload.decode(), news)

    def test_before_connect(self):
        for sentence, version, raw, _ in cases(BEFORE_CONNECT):
            with self.subTest(sentence, version=version):
                with wire.Client(self.broker.port, version=version, connect=False) as client:
                    client.send(raw)
                    answers = client.wait_closed()
                # At most one packet: a CONNACK that says no.
                self.assertLessEqual(len(answers), 1)
                for answer in answers:
                    self.assertEqual(answer.kind, wire.CONNACK)
                    self.assertNotEqual(answer.reason, 0)
                self.check_bystander(sentence)

    def test_after_connect(self):
        for sentence, version, raw, reasons in cases(AFTER_CONNECT):
            with self.subTest(sentence, version=version):
                with wire.Client(self.broker.port, "bad", version) as client:
                    client.send(raw)
                    answers = client.wait_closed()
                if version != V5:
                    self.assertEqual(answers, [])
                elif IS_NIGHTJAR:
                    self.assertEqual([each.kind for each in answers], [wire.DISCONNECT])
                    self.assertIn(answers[0].reason, reasons)
                self.check_bystander(sentence)

    def test_a_claim_of_much_memory_is_refused_at_once(self):
        """The header alone says that the packet is too large: nothing is kept of it."""
        for version in ALL:
            with self.subTest(version=version):
                with wire.Client(self.broker.port, "big", version) as client:
                    client.send(b"\x30\xff\xff\xff\x7f\0")
                    answers = client.wait_closed()
                if version == V5 and IS_NIGHTJAR:
                    got = [(each.kind, each.reason) for each in answers]
                    self.assertEqual(got, [(wire.DISCONNECT, TOO_LARGE)])
                self.check_bystander("memory")

    def test_a_valid_session_cut_anywhere_harms_nobody(self):
        for version in ALL:
            script = (
                wire.connect(version, "cut", will=("will", "gone", 1, False))
                + wire.subscribe(version, 1, [("t", 2)])
                + wire.publish(version, "t", "x", 2, 2)
                + wire.ack(wire.PUBREL, 2)
                + wire.unsubscribe(version, 3, ["t"])
                + wire.disconnect(version)
            )
            for cut in range(len(script)):
                with wire.Client(self.broker.port, version=version, connect=False) as client:
                    client.send(script[:cut])
            self.check_bystander("cut")

    def test_a_client_may_send_byte_by_byte(self):
        """MQTT-4.2.0-1, MQTT311-7.1.1-1: a stream of bytes is enough."""
        for version in ALL:
            with self.subTest(version=version):
                with wire.Client(self.broker.port, version=version, connect=False) as client:
                    for byte in wire.connect(version, "slow") + wire.publish(version, "news", "x"):
                        client.send(bytes([byte]))
                    self.assertEqual(client.expect(wire.CONNACK).reason, 0)
                    self.assertEqual(self.bystander.take().payload, b"x")


if __name__ == "__main__":
    main()
