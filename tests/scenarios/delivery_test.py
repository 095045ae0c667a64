"""Delivery as seen on the wire: what client libraries hide from the application."""

import time

import wire
from harness import IS_NIGHTJAR, Scenario, main, nightjar_only
from wire import PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, V5, V31, V311

VERSIONS = (V31, V311, V5)


class WireScenario(Scenario):
    def client(self, client_id="", version=V311, **options):
        client = wire.Client(self.broker.port, client_id, version, **options)
        self.addCleanup(client.close)
        return client

    def keeper(self, version, client_id="keeper", **props):
        """A client whose session outlives its connection."""
        if version == V5:
            props.setdefault("session_expiry", 3600)
        return self.client(client_id, version, clean=False, props=props)


class Redelivery(WireScenario):
    def test_a_message_without_puback_comes_again_with_dup(self):
        """MQTT-4.4.0-1, MQTT311-4.4.0-1"""
        self.start_broker()
        for version in VERSIONS:
            with self.subTest(version=version):
                first = self.keeper(version)
                first.subscribe(("t", 1))
                self.client("publisher", version).publish("t", "one", qos=1)
                sent = first.expect(PUBLISH)
                self.assertEqual((sent.payload, sent.dup), (b"one", False))
                first.close()
                second = self.keeper(version)
                again = second.expect(PUBLISH)
                self.assertEqual(again.id, sent.id)
                self.assertEqual((again.payload, again.dup, again.qos), (b"one", True, 1))
                second.send(wire.ack(PUBACK, again.id))
                self.assertEqual(second.ping(), [])
                second.disconnect()
                self.assertEqual(self.keeper(version).ping(), [])

    def test_each_step_of_quality_2_is_repeated_until_it_is_answered(self):
        """MQTT-4.3.3-3, MQTT-4.3.3-5, MQTT-4.3.3-6, MQTT311-4.3.3-1"""
        self.start_broker()
        for version in VERSIONS:
            with self.subTest(version=version):
                first = self.keeper(version)
                first.subscribe(("t", 2))
                self.client("publisher", version).publish("t", "one", qos=2)
                sent = first.expect(PUBLISH)
                first.close()
                second = self.keeper(version)
                again = second.expect(PUBLISH)
                self.assertEqual((again.id, again.dup, again.qos), (sent.id, True, 2))
                second.send(wire.ack(PUBREC, sent.id))
                self.assertEqual(second.expect(PUBREL).id, sent.id)
                second.close()
                # The message is ours now: only the PUBREL may come again.
                third = self.keeper(version)
                self.assertEqual(third.expect(PUBREL).id, sent.id)
                third.send(wire.ack(PUBCOMP, sent.id))
                self.assertEqual(third.ping(), [])
                third.disconnect()

    def test_a_message_sent_twice_with_quality_2_is_delivered_once(self):
        """MQTT-4.3.3-10, MQTT311-4.3.3-2"""
        self.start_broker()
        for version in VERSIONS:
            with self.subTest(version=version):
                watcher = self.client("watcher", version)
                watcher.subscribe(("t", 2))
                publisher = self.keeper(version, "publisher")
                publisher.send(wire.publish(version, "t", "once", 2, 7))
                publisher.expect(PUBREC)
                publisher.close()
                publisher = self.keeper(version, "publisher")
                publisher.send(wire.publish(version, "t", "once", 2, 7, dup=True))
                publisher.expect(PUBREC)
                publisher.send(wire.ack(PUBREL, 7))
                publisher.expect(PUBCOMP)
                # Answered, so the same identifier is a new message now.
                publisher.send(wire.publish(version, "t", "twice", 2, 7))
                publisher.expect(PUBREC)
                publisher.send(wire.ack(PUBREL, 7))
                publisher.expect(PUBCOMP)
                self.assertEqual(watcher.take().payload, b"once")
                self.assertEqual(watcher.take().payload, b"twice")
                publisher.disconnect()

    def test_an_unknown_pubrel_is_answered(self):
        self.start_broker()
        for version in VERSIONS:
            with self.subTest(version=version):
                client = self.client("c", version)
                client.send(wire.ack(PUBREL, 99))
                answer = client.expect(PUBCOMP)
                self.assertEqual(answer.id, 99)


class FlowControl(WireScenario):
    def test_receive_maximum_is_honoured(self):
        """MQTT-3.3.4-9"""
        self.start_broker()
        client = self.client("c", V5, props={"receive_maximum": 2})
        client.subscribe(("t", 1))
        publisher = self.client("publisher", V5)
        for number in range(5):
            publisher.publish("t", str(number), qos=1)
        # Not ping() alone: another thread of the broker may bring them after the PINGRESP.
        first, second = client.expect(PUBLISH), client.expect(PUBLISH)
        self.assertEqual(client.ping(), [])
        self.assertEqual((first.payload, second.payload), (b"0", b"1"))
        # QoS 0 does not count.
        client.subscribe(("free", 0))
        publisher.publish("free", "x")
        self.assertEqual(client.expect(PUBLISH).payload, b"x")

    @nightjar_only("Mosquitto 2.0.11 sends two messages for the first PUBACK")
    def test_each_puback_makes_room_for_one_message(self):
        """MQTT-3.3.4-9"""
        self.start_broker()
        client = self.client("c", V5, props={"receive_maximum": 2})
        client.subscribe(("t", 1))
        publisher = self.client("publisher", V5)
        for number in range(5):
            publisher.publish("t", str(number), qos=1)
        first, second = client.expect(PUBLISH), client.expect(PUBLISH)
        for want, done in ((b"2", first), (b"3", second)):
            client.send(wire.ack(PUBACK, done.id))
            got = client.expect(PUBLISH)
            self.assertEqual(got.payload, want)
            self.assertEqual(client.ping(), [])

    def test_max_inflight_messages_bounds_3_1_1(self):
        self.start_broker("max_inflight_messages 3")
        client = self.client("c")
        client.subscribe(("t", 1))
        publisher = self.client("publisher")
        for number in range(10):
            publisher.publish("t", str(number), qos=1)
        got = [client.expect(PUBLISH).payload for _ in range(3)]
        self.assertEqual(got, [b"0", b"1", b"2"])
        self.assertEqual(client.ping(), [])

    def test_a_client_gets_nothing_above_its_maximum_packet_size(self):
        """MQTT-3.1.2-24, MQTT-3.1.2-25"""
        self.start_broker()
        client = self.client("c", V5, props={"maximum_packet_size": 100})
        client.subscribe(("t", 1))
        publisher = self.client("publisher", V5)
        for size in (10, 1000, 11):
            publisher.publish("t", "x" * size, qos=1)
        self.assertEqual([len(client.take().payload) for _ in range(2)], [10, 11])
        self.assertEqual(client.ping(), [])

    def test_the_broker_says_and_keeps_its_own_maximum_packet_size(self):
        self.start_broker("max_packet_size 1000")
        client = self.client("c", V5)
        self.assertEqual(client.connack.props["maximum_packet_size"], 1000)
        client.send(wire.publish(V5, "t", "x" * 2000))
        last = client.wait_closed()
        self.assertEqual([(got.kind, got.reason) for got in last], [(wire.DISCONNECT, 0x95)])
        old = self.client("old", V311)
        old.send(wire.publish(V311, "t", "x" * 2000))
        self.assertEqual(old.wait_closed(), [])

    def test_max_queued_messages_drops_the_newest(self):
        self.start_broker("max_queued_messages 10\nmax_inflight_messages 20")
        self.keeper(V311).disconnect()
        keeper = self.keeper(V311)
        keeper.subscribe(("t", 1))
        keeper.disconnect()
        publisher = self.client("publisher")
        for number in range(100):
            publisher.publish("t", str(number), qos=1)
        keeper = self.keeper(V311)
        publisher.publish("t", "end", qos=1)
        got = [keeper.take().payload.decode()]
        while got[-1] != "end":
            got.append(keeper.take().payload.decode())
        self.assertIn(len(got) - 1, range(10, 31))  # What counts as queued differs a little.
        self.assertEqual(got[:-1], [str(number) for number in range(len(got) - 1)])

    def test_topic_aliases_of_a_publisher(self):
        """MQTT-3.3.2-12"""
        self.start_broker()
        client = self.client("c", V5)
        self.assertGreaterEqual(client.connack.props["topic_alias_maximum"], 2)
        client.subscribe(("#", 0))
        steps = (("long/topic", 1), ("other", 2), ("", 1), ("", 2), ("new", 1), ("", 1))
        for topic, alias in steps:
            client.send(wire.publish(V5, topic, props={"topic_alias": alias}))
        got = [client.expect(PUBLISH) for _ in range(6)]
        want = ["long/topic", "other", "long/topic", "other", "new", "new"]
        self.assertEqual([each.topic for each in got], want)
        self.assertTrue(all("topic_alias" not in each.props for each in got))


class Sessions(WireScenario):
    @nightjar_only("Mosquitto 2.0.11 closes without a DISCONNECT")
    def test_takeover_says_so(self):
        """MQTT-3.1.4-3"""
        self.start_broker()
        first = self.client("one", V5)
        self.client("one", V5)
        last = first.wait_closed()
        self.assertEqual([(got.kind, got.reason) for got in last], [(wire.DISCONNECT, 0x8E)])

    def test_takeover_across_versions(self):
        self.start_broker()
        for old in VERSIONS:
            for new in VERSIONS:
                with self.subTest(old=old, new=new):
                    first = self.client("one", old)
                    second = self.client("one", new)
                    first.wait_closed()
                    self.assertEqual(second.ping(), [])
                    second.disconnect()

    def test_session_present(self):
        """MQTT-3.2.2-2, MQTT-3.2.2-3, MQTT311-3.2.2-1, MQTT311-3.2.2-2, MQTT311-3.2.2-3"""
        self.start_broker()
        # (clean, is a session present)
        steps = ((False, False), (False, True), (True, False), (False, False), (False, True))
        for version in (V311, V5):
            for step, (clean, want) in enumerate(steps):
                with self.subTest(version=version, step=step):
                    props = {"session_expiry": 0 if clean else 100} if version == V5 else {}
                    name = f"client{version}"
                    client = self.client(name, version, clean=clean, props=props)
                    self.assertEqual(client.connack.session_present, want)
                    client.disconnect()

    def test_an_empty_id_with_a_kept_session_is_refused(self):
        """MQTT311-3.1.3-8"""
        self.start_broker()
        client = self.client(connect=False)
        client.send(wire.connect(V311, "", clean=False))
        answer = client.wait_closed()
        self.assertEqual([(got.kind, got.reason) for got in answer], [(wire.CONNACK, 2)])

    def test_an_assigned_id_can_be_used_again(self):
        """MQTT-3.1.3-7, MQTT-3.2.2-16"""
        self.start_broker()
        first = self.client("", V5, props={"session_expiry": 100})
        name = first.connack.props["assigned_client_id"]
        first.disconnect()
        again = self.client(name, V5, clean=False, props={"session_expiry": 100})
        self.assertTrue(again.connack.session_present)
        self.assertNotIn("assigned_client_id", again.connack.props)

    def test_a_disconnect_may_shorten_the_session(self):
        self.start_broker()
        self.keeper(V5).disconnect(props={"session_expiry": 0})
        self.assertFalse(self.keeper(V5).connack.session_present)

    def test_disconnect_with_will(self):
        """MQTT-3.14.4-3: only reason 0x00 discards the will."""
        self.start_broker()
        watcher = self.client("watcher", V5)
        watcher.subscribe(("will", 1))
        leaver = self.client("leaver", V5, will=("will", "asked for", 1, False))
        leaver.disconnect(reason=0x04)
        self.assertEqual(watcher.take().payload, b"asked for")

    def test_suback_codes_and_unsuback_codes(self):
        self.start_broker()
        client = self.client("c", V5)
        self.assertEqual(client.subscribe(("a", 0), ("b", 1), ("c/#", 2)).codes, (0, 1, 2))
        client.send(wire.unsubscribe(V5, 77, ["a", "never"]))
        answer = client.expect(wire.UNSUBACK)
        self.assertEqual((answer.id, answer.codes), (77, (0, 0x11)))

    def test_max_qos_is_told_in_the_connack(self):
        self.start_broker(listener_config="max_qos 1")
        client = self.client("c", V5)
        self.assertEqual(client.connack.props["maximum_qos"], 1)


class KeepAlive(WireScenario):
    def test_a_silent_client_is_dropped_and_its_will_sent(self):
        """MQTT-3.1.2-22, MQTT311-3.1.2-24"""
        self.start_broker()
        for version in VERSIONS:
            with self.subTest(version=version):
                watcher = self.client("watcher", version)
                watcher.subscribe(("will", 1))
                will = ("will", "silent", 1, False)
                victim = self.client("victim", version, keep_alive=1, will=will)
                start = time.monotonic()
                last = victim.wait_closed()
                took = time.monotonic() - start
                # One and a half times the keep alive; Mosquitto 2.0 looks every five seconds only.
                self.assertGreater(took, 1.4)
                self.assertLess(took, 3.2 if IS_NIGHTJAR else 12)
                self.assertEqual(watcher.take().payload, b"silent")
                if version == V5 and last:
                    self.assertEqual((last[0].kind, last[0].reason), (wire.DISCONNECT, 0x8D))

    def test_any_packet_keeps_a_client_alive(self):
        self.start_broker()
        client = self.client("c", V311, keep_alive=1)
        end = time.monotonic() + 4
        while time.monotonic() < end:
            self.assertEqual(client.ping(), [])
            client.publish("t", "x")
            time.sleep(0.5)  # The test is about time passing.
        self.assertEqual(client.ping(), [])

    def test_without_keep_alive_a_client_may_be_silent(self):
        self.start_broker()
        client = self.client("c", V311, keep_alive=0)
        time.sleep(3)
        self.assertEqual(client.ping(), [])


class SystemTopics(WireScenario):
    def test_they_are_published(self):
        self.start_broker("sys_interval 1")
        client = self.client("c")
        client.subscribe("$SYS/#")
        want = {
            "$SYS/broker/" + name
            for name in (
                "version",
                "uptime",
                "clients/total",
                "clients/maximum",
                "clients/connected",
                "clients/disconnected",
                "messages/received",
                "messages/sent",
                "bytes/received",
                "bytes/sent",
                "publish/messages/received",
                "publish/messages/sent",
                "publish/bytes/received",
                "publish/bytes/sent",
                "subscriptions/count",
                "retained messages/count",
                "store/messages/count",
                "load/messages/received/1min",
                "load/connections/15min",
            )
        }
        seen = {}
        end = time.monotonic() + 15
        while want - seen.keys() and time.monotonic() < end:
            got = client.expect(PUBLISH)
            seen[got.topic] = got.payload.decode()
        self.assertEqual(want - seen.keys(), set())
        self.assertRegex(seen["$SYS/broker/version"], r"\S")
        self.assertRegex(seen["$SYS/broker/uptime"], r"^\d+ seconds$")

    def test_they_are_counted(self):
        self.start_broker("sys_interval 1")
        publisher = self.client("publisher")
        for _ in range(123):
            publisher.publish("t", "x", qos=1)
        for name, want in (("publish/messages/received", 123), ("clients/connected", 2)):
            with self.subTest(name=name):
                client = self.client("c")
                client.subscribe("$SYS/broker/" + name)
                end = time.monotonic() + 15
                value = None
                while value != want and time.monotonic() < end:
                    value = int(client.expect(PUBLISH).payload)
                self.assertEqual(value, want)
                client.disconnect()


if __name__ == "__main__":
    main()
