"""Paho Python, MQTT 3.1, 3.1.1 and 5.0: what applications see of the broker."""

from harness import Scenario, let_pass, main, wait_until
from paho_client import PacketTypes, PahoClient, SubscribeOptions, paho, props

VERSIONS = ((paho.MQTTv31, "3.1"), (paho.MQTTv311, "3.1.1"), (paho.MQTTv5, "5.0"))


class PahoScenario(Scenario):
    def client(self, client_id="", version=paho.MQTTv311, **options):
        client = PahoClient(self.broker.port, client_id, version, **options)
        self.addCleanup(client.close)
        self.assertEqual(int(getattr(client.reason, "value", client.reason)), 0)
        return client

    def persistent(self, client_id, version, expiry_s=3600):
        """A client whose session outlives its connection."""
        if version != paho.MQTTv5:
            return self.client(client_id, version, clean=False)
        expiry = props(PacketTypes.CONNECT, SessionExpiryInterval=expiry_s)
        return self.client(client_id, version, clean=False, properties=expiry)

    def session_present(self, client):
        return client.flags["session present"]


class Flows(PahoScenario):
    def test_each_quality_in_each_version(self):
        self.start_broker()
        for version, name in VERSIONS:
            with self.subTest(version=name):
                publisher = self.client("publisher", version)
                subscriber = self.client("subscriber", version)
                self.assertEqual(subscriber.subscribe([("a", 0), ("b", 1), ("c", 2)]), [0, 1, 2])
                for number in range(20):
                    for qos, topic in enumerate("abc"):
                        publisher.publish(topic, f"{topic}{number}", qos=qos)
                got = [subscriber.message() for _ in range(60)]
                for qos, topic in enumerate("abc"):
                    mine = [each for each in got if each.topic == topic]
                    self.assertEqual({each.qos for each in mine}, {qos})
                    want = [f"{topic}{number}".encode() for number in range(20)]
                    self.assertEqual([each.payload for each in mine], want)

    def test_a_window_of_messages_keeps_its_order(self):
        self.start_broker("max_queued_messages 0")
        for version, name in VERSIONS:
            for qos in (0, 1, 2):
                with self.subTest(version=name, qos=qos):
                    publisher = self.client("publisher", version)
                    subscriber = self.client("subscriber", version)
                    subscriber.subscribe("t", qos)
                    for number in range(500):
                        publisher.client.publish("t", str(number), qos=qos)
                    self.assertEqual(subscriber.payloads(500), [str(n) for n in range(500)])
                    self.assertTrue(subscriber.messages.empty())

    def test_a_megabyte_arrives_whole(self):
        self.start_broker("max_packet_size 2000000")
        payload = bytes(range(256)) * 4096
        for version, name in VERSIONS:
            for qos in (0, 1, 2):
                with self.subTest(version=name, qos=qos):
                    publisher = self.client("publisher", version)
                    subscriber = self.client("subscriber", version)
                    subscriber.subscribe("big", qos)
                    publisher.publish("big", payload, qos=qos)
                    self.assertTrue(subscriber.message().payload == payload)

    def test_unsubscribe(self):
        self.start_broker()
        for version, name in VERSIONS:
            with self.subTest(version=name):
                client = self.client("c", version)
                client.subscribe([("a", 1), ("b", 1)])
                client.unsubscribe(["a", "never/subscribed"])
                client.publish("a", "no", qos=1)
                client.publish("b", "yes", qos=1)
                self.assertEqual(client.payloads(1), ["yes"])
                self.assertTrue(client.messages.empty())

    def test_a_second_subscription_replaces_the_first(self):
        self.start_broker()
        client = self.client("c")
        client.publish("t", "kept", qos=1, retain=True)
        self.assertEqual(client.subscribe("t", 0), [0])
        self.assertEqual(client.message().qos, 0)
        self.assertEqual(client.subscribe("t", 1), [1])
        again = client.message()
        self.assertEqual((again.qos, again.retain), (1, True))
        client.publish("t", "once", qos=1)
        client.publish("t", "end", qos=1)
        self.assertEqual(client.payloads(2), ["once", "end"])

    def test_overlapping_subscriptions_deliver_with_the_highest_quality(self):
        self.start_broker("allow_duplicate_messages true")
        client = self.client("c")
        client.subscribe([("a/#", 0), ("a/+", 2), ("a/b", 1)])
        client.publish("a/b", "x", qos=2)
        client.publish("a/end/end", "end", qos=1)
        got = [client.message()]
        while got[-1].payload != b"end":
            got.append(client.message())
        # The broker may send one copy, or one for each subscription [MQTT-3.3.5-1].
        self.assertEqual(max(each.qos for each in got[:-1]), 2)
        self.assertIn(len(got), (2, 4))

    def test_a_23_character_id_in_3_1(self):
        self.start_broker()
        name = "12345678901234567890123"
        client = self.client(name, paho.MQTTv31)
        self.broker.wait_log(f"as {name} " r"\(p1, c1, k60\)\.$|" f"as {name} " r"\(p3, c1, k60\)")
        client.subscribe("t", 1)
        client.publish("t", "x", qos=1)
        self.assertEqual(client.payloads(1), ["x"])

    def test_an_empty_id(self):
        self.start_broker()
        client = self.client("", paho.MQTTv311, clean=True)
        client.subscribe("t")
        client.publish("t", "x")
        self.assertEqual(client.payloads(1), ["x"])

        client = self.client("", paho.MQTTv5)
        assigned = client.properties.AssignedClientIdentifier
        self.assertRegex(assigned, "^auto-")
        self.broker.wait_log(f"as {assigned} " r"\(p5, c1, k60\)")

    def test_an_empty_id_needs_a_clean_session(self):
        self.start_broker()
        client = PahoClient(self.broker.port, "x", paho.MQTTv311, clean=False)
        client.disconnect()
        # Paho refuses this combination itself; the raw scenario is in protocol_test.py.
        with self.assertRaises(ValueError):
            PahoClient(self.broker.port, "", paho.MQTTv311, clean=False)


class Sessions(PahoScenario):
    def test_offline_messages_come_in_order(self):
        self.start_broker()
        for version, name in VERSIONS:
            with self.subTest(version=name):
                first = self.persistent("keeper", version)
                first.subscribe([("q0", 0), ("q1", 1), ("q2", 2)])
                first.disconnect()
                publisher = self.client("publisher", version)
                for number in range(50):
                    publisher.publish("q0", "lost", qos=0)
                    publisher.publish("q1", f"one {number}", qos=1)
                    publisher.publish("q2", f"two {number}", qos=2)
                back = self.persistent("keeper", version)
                if version != paho.MQTTv31:
                    self.assertTrue(self.session_present(back))
                publisher.publish("q1", "end", qos=1)
                got = back.payloads(101)
                # Order is promised per topic; a QoS 2 message is complete one exchange later.
                for word in ("one", "two"):
                    mine = [each for each in got if each.startswith(word)]
                    self.assertEqual(mine, [f"{word} {number}" for number in range(50)])
                self.assertIn("end", got)
                back.unsubscribe(["q0", "q1", "q2"])
                back.disconnect()

    def test_a_clean_session_forgets(self):
        self.start_broker()
        for version, name in VERSIONS:
            with self.subTest(version=name):
                self.persistent("c", version).subscribe("t", 1)
                again = self.client("c", version, clean=True)
                self.assertFalse(self.session_present(again))
                again.publish("t", "nobody", qos=1)
                again.disconnect()
                last = self.persistent("c", version)
                self.assertFalse(self.session_present(last))
                self.assertTrue(last.messages.empty())
                last.disconnect()
                self.client("c", version, clean=True).disconnect()

    def test_session_expiry(self):
        self.start_broker()
        self.persistent("short", paho.MQTTv5, expiry_s=1).disconnect()
        self.persistent("long", paho.MQTTv5, expiry_s=3600).disconnect()
        # MQTT 5: without the property the session ends with the connection.
        self.client("none", paho.MQTTv5, clean=False).disconnect()
        self.assertFalse(self.session_present(self.client("none", paho.MQTTv5, clean=False)))
        let_pass(3)
        self.assertFalse(self.session_present(self.persistent("short", paho.MQTTv5)))
        self.assertTrue(self.session_present(self.persistent("long", paho.MQTTv5)))

    def test_takeover(self):
        self.start_broker()
        for version, name in VERSIONS:
            with self.subTest(version=name):
                first = self.persistent("one", version)
                first.subscribe("t", 1)
                second = self.persistent("one", version)
                # Paho does not show the reason of a short DISCONNECT; version5_test.py looks at it.
                first.wait_disconnected()
                if version != paho.MQTTv31:
                    self.assertTrue(self.session_present(second))
                second.publish("t", "for the second", qos=1)
                self.assertEqual(second.payloads(1), ["for the second"])
                self.assertTrue(first.messages.empty())
                second.disconnect()

    def test_the_will_of_each_version(self):
        self.start_broker()
        will = {"topic": "will", "payload": "gone", "qos": 1, "retain": False}
        for version, name in VERSIONS:
            with self.subTest(version=name):
                watcher = self.client("watcher", version)
                watcher.subscribe("will", 1)
                self.client("victim", version, will=will).crash()
                self.assertEqual(watcher.payloads(1), ["gone"])
                self.client("leaver", version, will=will).disconnect()
                self.broker.wait_log(r"Client leaver disconnected\.$")
                watcher.publish("will", "sentinel", qos=1)
                self.assertEqual(watcher.payloads(1), ["sentinel"])


class Version5(PahoScenario):
    def test_properties_are_forwarded(self):
        self.start_broker()
        client = self.client("c", paho.MQTTv5)
        client.subscribe("t", 1)
        client.publish(
            "t",
            "text",
            qos=1,
            properties=props(
                PacketTypes.PUBLISH,
                ContentType="text/plain",
                ResponseTopic="answers/here",
                CorrelationData=b"\x00\xff",
                PayloadFormatIndicator=1,
                MessageExpiryInterval=60,
                UserProperty=[("a", "1"), ("b", "2"), ("a", "3")],
            ),
        )
        got = client.message().properties
        self.assertEqual(got.ContentType, "text/plain")
        self.assertEqual(got.ResponseTopic, "answers/here")
        self.assertEqual(got.CorrelationData, b"\x00\xff")
        self.assertEqual(got.PayloadFormatIndicator, 1)
        self.assertLessEqual(got.MessageExpiryInterval, 60)
        self.assertGreater(got.MessageExpiryInterval, 50)
        self.assertEqual(got.UserProperty, [("a", "1"), ("b", "2"), ("a", "3")])

    def test_a_message_expires_in_the_queue(self):
        self.start_broker()
        keeper = self.persistent("keeper", paho.MQTTv5)
        keeper.subscribe("t", 1)
        keeper.disconnect()
        publisher = self.client("publisher", paho.MQTTv5)
        for seconds in (1, 100):
            expiry = props(PacketTypes.PUBLISH, MessageExpiryInterval=seconds)
            publisher.publish("t", f"for {seconds} s", qos=1, properties=expiry)
        let_pass(2.5)
        message = self.persistent("keeper", paho.MQTTv5).message()
        self.assertEqual(message.payload, b"for 100 s")
        self.assertIn(message.properties.MessageExpiryInterval, (95, 96, 97, 98))

    def test_subscription_options(self):
        self.start_broker()
        client = self.client("c", paho.MQTTv5)
        # Retained by another client: whether No Local is about retained messages is left open.
        other = self.client("other", paho.MQTTv5)
        other.publish("t", "kept", qos=1, retain=True)
        # (options, the messages: payload and retain flag)
        table = (
            (SubscribeOptions(1, retainHandling=2), [("new", False)]),
            (SubscribeOptions(1, noLocal=True), [("kept", True)]),
            (SubscribeOptions(1, retainAsPublished=True), [("kept", True), ("new", True)]),
            (SubscribeOptions(1), [("kept", True), ("new", False)]),
        )
        for options, want in table:
            with self.subTest(options=str(options)):
                client.subscribe("t", options=options)
                client.publish("t", "new", qos=1, retain=True)
                client.unsubscribe("t")
                other.publish("t", "kept", qos=1, retain=True)
                client.subscribe("end", qos=1)
                client.publish("end", "end", qos=1)
                got = [client.message() for _ in range(len(want) + 1)]
                self.assertEqual(got.pop().topic, "end")
                self.assertEqual([(m.payload.decode(), bool(m.retain)) for m in got], want)

    def test_subscription_identifiers(self):
        self.start_broker()
        client = self.client("c", paho.MQTTv5)
        for number, pattern in ((1, "a/+"), (200000, "b/#")):
            identifier = props(PacketTypes.SUBSCRIBE, SubscriptionIdentifier=number)
            client.subscribe(pattern, qos=1, properties=identifier)
        client.publish("b/1", "x", qos=1)
        client.publish("a/1", "x", qos=1)
        got = [client.message().properties.SubscriptionIdentifier for _ in range(2)]
        self.assertEqual(got, [[200000], [1]])

    def test_a_shared_subscription_divides_the_work(self):
        self.start_broker()
        workers = [self.client(f"worker{number}", paho.MQTTv5) for number in range(3)]
        if getattr(workers[0].properties, "SharedSubscriptionAvailable", 1) == 0:
            self.skipTest("the broker's CONNACK says that it has no shared subscriptions")
        for worker in workers:
            self.assertEqual(worker.subscribe("$share/group/work/#", qos=1), [1])
        outsider = self.client("outsider", paho.MQTTv5)
        outsider.subscribe("work/#", qos=1)
        for number in range(90):
            outsider.publish(f"work/{number}", str(number), qos=1)
        self.assertEqual(outsider.payloads(90), [str(number) for number in range(90)])
        wait_until(lambda: sum(w.messages.qsize() for w in workers) >= 90, "90 messages")
        got = [int(w.messages.get().payload) for w in workers for _ in range(w.messages.qsize())]
        self.assertEqual(sorted(got), list(range(90)))

    def test_the_will_is_delayed_until_the_session_ends(self):
        self.start_broker()
        watcher = self.client("watcher", paho.MQTTv5)
        watcher.subscribe("will", 1)
        will = {
            "topic": "will",
            "payload": "gone",
            "qos": 1,
            "properties": props(PacketTypes.WILLMESSAGE, WillDelayInterval=1),
        }
        expiry = props(PacketTypes.CONNECT, SessionExpiryInterval=100)
        options = {"clean": False, "properties": expiry, "will": will}
        # Back within the delay: no will [MQTT-3.1.3-9].
        self.client("victim", paho.MQTTv5, **options).crash()
        victim = self.client("victim", paho.MQTTv5, **options)
        let_pass(2.5)
        self.assertTrue(watcher.messages.empty())
        victim.crash()
        self.assertEqual(watcher.payloads(1), ["gone"])

    def test_server_keep_alive(self):
        self.start_broker("max_keepalive 30")
        client = self.client("c", paho.MQTTv5, keepalive=60)
        self.assertEqual(client.properties.ServerKeepAlive, 30)
        content = self.client("content", paho.MQTTv5, keepalive=20)
        self.assertFalse(hasattr(content.properties, "ServerKeepAlive"))


if __name__ == "__main__":
    main()
