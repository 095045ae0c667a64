"""Faults 1 to 4, 7 to 10 and 13: bytes that break the protocol."""

import os
import struct

import wire
from faults import Faults, scaled
from harness import main
from wire import V5, V31, V311, data, packet

MALFORMED, PROTOCOL_ERROR = 0x81, 0x82


def topic_of(raw):
    return packet(3, 0, data(raw) + b"\0x")


class ProtocolFaults(Faults):
    def test_fault_01_first_packet_is_not_connect(self):
        with self.flat_memory():
            for _ in range(scaled(300)):
                for first in (b"\x30\xff\xff\xff\x7f", b"\xc0\0", b"\xf0\x80\x80", b"GET /"):
                    client = self.raw()
                    client.send(first)
                    self.assertEqual(client.wait_closed(), [])
                    client.close()
        self.counter("refused/not_mqtt", scaled(300) * 4)
        self.check_lines(r"sent packet type 3 before CONNECT|sent bytes that are not MQTT")
        self.check_bystanders()

    def test_fault_02_second_connect(self):
        watcher = self.client("watcher")
        watcher.subscribe("will")
        for version in (V31, V311, V5):
            client = self.client(version=version, will=("will", str(version), 0, False))
            client.send(wire.connect(version, "offender"))
            answers = [(each.kind, each.reason) for each in client.wait_closed()]
            self.assertEqual(answers, [(wire.DISCONNECT, PROTOCOL_ERROR)] if version == V5 else [])
            # A protocol error is no DISCONNECT: the will is due.
            self.assertEqual(watcher.take().payload, str(version).encode())
        self.counter("refused/protocol_error", 3)
        self.check_lines("Client offender disconnected due to protocol error", 1)
        self.check_bystanders()

    def test_fault_03_reserved_flags(self):
        for kind in range(4, 15):
            right = 2 if kind in (wire.PUBREL, wire.SUBSCRIBE, wire.UNSUBSCRIBE) else 0
            for flags in set(range(16)) - {right}:
                with self.subTest(kind=kind, flags=flags):
                    self.check_refused(packet(kind, flags, b"\0\1"), MALFORMED)
        self.check_lines("Client offender disconnected due to malformed packet", 1)
        self.check_bystanders()

    def test_fault_04_lengths_of_five_bytes_and_longer_than_needed(self):
        self.check_refused(b"\x30\x80\x80\x80\x80\x01", MALFORMED)
        self.check_refused(packet(3, 0, b"\0\1t\x80\x80\x80\x80\x01"), MALFORMED)
        self.check_refused(packet(3, 0, b"\0\1t\x80\x00x"), MALFORMED)  # A 0 in two bytes.
        subscription_id = b"\x0b\x81\x00"  # 1 in two bytes.
        body = b"\0\1" + bytes([len(subscription_id)]) + subscription_id + data("t") + b"\0"
        self.check_refused(packet(8, 2, body), MALFORMED)
        self.counter("refused/malformed_packet", 4)
        self.check_bystanders()

    def test_fault_07_text_that_is_not_utf8(self):
        watcher = self.client("watcher")
        watcher.subscribe("#")
        bad = (b"\xc3\x28", b"a\0b", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xc0\xaf", b"\xe0\x80\xaf",
               b"\xf0\x80\x80\xaf", b"\xf4\x90\x80\x80", b"\xff", b"\xe2\x82")
        for raw in bad:
            with self.subTest(raw=raw):
                self.check_refused(topic_of(raw), MALFORMED)
                for pair in ((raw, b"v"), (b"k", raw)):
                    props = {"user_property": pair}
                    self.check_refused(wire.publish(V5, "t", "x", props=props), MALFORMED)
                for connect in (
                    wire.connect(V5, raw),
                    wire.connect(V5, "u", username=raw),
                    wire.connect(V5, "u", will=(raw, b"", 0, False)),
                ):
                    client = self.raw()
                    client.send(connect)
                    self.assertEqual([each.reason for each in client.wait_closed()], [MALFORMED])
        told = [each.topic for each in watcher.ping()]
        self.assertEqual(set(told) - {"bystanders/talk"}, set(), "never forwarded")
        self.check_bystanders()

    def test_fault_08_qos_3_id_0_and_unknown_ids(self):
        qos3 = wire.publish(V5, "t", "x", 1, 1)
        self.check_refused(bytes([qos3[0] | 6]) + qos3[1:], MALFORMED)
        for raw in (
            wire.publish(V5, "t", "x", 1, 0),
            wire.subscribe(V5, 0, [("t", 0)]),
            wire.unsubscribe(V5, 0, ["t"]),
        ):
            self.check_refused(raw, MALFORMED, PROTOCOL_ERROR)
        client = self.client()
        with self.flat_memory():
            for number in range(1, scaled(20000) + 1):
                client.send(wire.ack(wire.PUBREL, number) + wire.ack(wire.PUBACK, number))
                answer = client.expect(wire.PUBCOMP)
                self.assertEqual((answer.id, answer.reason), (number, 0x92))
        self.assertEqual(client.ping(), [])
        self.check_bystanders()

    def test_fault_09_packets_that_only_servers_send(self):
        for kind in (wire.CONNACK, wire.SUBACK, wire.UNSUBACK, wire.PINGRESP):
            for body in (b"", b"\0\0", b"\0\1\0", os.urandom(20)):
                with self.subTest(kind=kind, body=body):
                    self.check_refused(packet(kind, 0, body), PROTOCOL_ERROR)
        self.counter("refused/protocol_error", 16)
        self.check_bystanders()

    def test_fault_10_properties_twice_misplaced_or_out_of_range(self):
        def publish(**props):
            return wire.publish(V5, "t", "x", props=props)

        for raw, reason in (
            (publish(content_type=["a", "b"]), PROTOCOL_ERROR),
            (publish(session_expiry=1), MALFORMED),
            (publish(topic_alias=0), 0x94),
            (publish(topic_alias=11), 0x94),
            (wire.subscribe(V5, 1, [("t", 0)], {"subscription_id": 0}), PROTOCOL_ERROR),
        ):
            with self.flat_memory(), self.subTest(raw=raw):
                for _ in range(scaled(200)):
                    self.check_refused(raw, reason)
        self.counter("refused/topic_alias", 2 * scaled(200))
        self.check_lines("Client offender disconnected due to .*alias", 1)
        self.check_bystanders()

    def test_fault_10_a_million_properties_leave_no_trace(self):
        client = self.client(keep_alive=0)
        # Valid ones, among which each alias is set again and again: a thousand packets a write.
        many = b"".join(
            wire.publish(V5, f"topic/{number}", "", props={
                "topic_alias": number % 10 + 1, "content_type": "text", "correlation_data": b"1234",
                "user_property": [("a", "b"), ("c", "d")], "response_topic": "r"})
            for number in range(1000)
        )
        client.send(many)
        client.ping()
        with self.flat_memory():
            for _ in range(scaled(200)):  # Five properties each: a million in all.
                client.send(many)
                self.assertEqual(client.ping(), [])
        self.check_bystanders()

    def test_fault_13_topics_that_are_special_or_no_topics(self):
        watcher = self.client("watcher")
        watcher.subscribe(("$other/#", 0), ("$SYS/broker/clients/#", 0))
        client = self.client()
        client.publish("$other/x", "passed on", 1)
        client.publish("$", "", 1)
        client.publish("$share/g/x", "", 1)
        client.publish("/", "", 1)
        forged = client.publish("$SYS/broker/clients/connected", "forged", 1, retain=True)
        self.assertEqual(forged.reason, 0x87)
        told = [each for each in watcher.ping() if not each.topic.startswith("$SYS/")]
        self.assertEqual([each.payload for each in told], [b"passed on"])
        self.assertNotIn(b"forged", [each.payload for each in watcher.ping()])
        self.check_refused(topic_of(b""), PROTOCOL_ERROR)  # Empty, and no alias.
        for raw in (b"+", b"#", b"a/+", b"a/#", b"a#", b"+a"):
            with self.subTest(topic=raw):
                self.check_refused(topic_of(raw), 0x90)
        for raw in (b"", b"a/#/b", b"a#", b"+a", b"$share", b"$share/", b"$share/g", b"$share/+/a"):
            with self.subTest(filter=raw):
                with wire.Client(self.broker.port, "offender", V5) as offender:
                    offender.send(packet(8, 2, b"\0\1\0" + data(raw) + b"\0"))
                    offender.send(struct.pack("BB", 0xC0, 0))
                    first = offender.receive()
                    refused = first.kind == wire.DISCONNECT or first.codes[0] >= 0x80
                    self.assertTrue(refused or raw == b"$share", first)
        self.check_bystanders()


if __name__ == "__main__":
    main()
