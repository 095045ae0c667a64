"""A real Mosquitto leaves its database behind, and what comes over from it is what it owed.

MOSQUITTO is the program, PRINT_MOSQUITTO_DB the one that reads its file. Needs no nightjar; what
a first start of one makes of the file is persistence_test.py's.
"""

import hashlib
import os
import signal

import wire
from harness import Scenario, main, wait_until
from wire import PUBLISH, PUBREC, PUBREL, V5, V311, ack

MOSQUITTO = os.environ.get("MOSQUITTO", "/usr/sbin/mosquitto")
PRINT = os.environ["PRINT_MOSQUITTO_DB"]


class MosquittoImport(Scenario):
    def setUp(self):
        self.start("persistence true\nmax_inflight_messages 3")

    def start(self, config):
        self.start_broker(config, program=MOSQUITTO)
        self.path = os.path.join(self.broker.folder, "mosquitto.db")

    def client(self, client_id, version=V311, expiry=3600, **options):
        """A client whose session outlives its connection."""
        if version == V5:
            options["props"] = {"session_expiry": expiry}
        client = wire.Client(self.broker.port, client_id, version, clean=False, **options)
        self.addCleanup(client.close)
        return client

    def leave(self, client_id, *filters, version=V311, props=None, **options):
        """A client that has subscribed and gone."""
        client = self.client(client_id, version, **options)
        client.subscribe(*filters, props=props)
        client.disconnect()

    def imported(self):
        """The lines about what comes over, by session: the names of clients for their numbers."""
        before = self.digest()
        lines = self.run_program([PRINT, self.path]).splitlines()
        self.assertEqual(before, self.digest(), "the file was changed")
        names = {}
        for line in lines:
            words = line.split()
            if words[0] == "session":
                names[words[1]] = words[2]
        found = []
        for line in lines[:-1]:
            words = line.split(" ", 2)
            if words[0] in ("subscription", "message", "received"):
                line = f"{words[0]} {names[words[1]]} {words[2]}"
            found.append(line)
        return found, lines[-1]

    def digest(self):
        with open(self.path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def stop_and_import(self):
        self.broker.stop()
        return self.imported()

    def of(self, lines, beginning):
        return [line[len(beginning):].strip() for line in lines if line.startswith(beginning)]

    def test_queued_messages_with_their_properties(self):
        self.leave("old", ("q/#", 2))
        self.leave("new", ("q/#", 1 | 8), version=V5, props={"subscription_id": 77})
        publisher = self.client("publisher", V5)
        props = {"content_type": "text", "user_property": ("a", "b"), "message_expiry": 3000}
        publisher.publish("q/1", "one", 1, props=props)
        publisher.publish("q/2", "two", 2, retain=True)
        lines, summary = self.stop_and_import()
        self.assertIn("2 subscriptions, 4 queued messages, 2 contents of these", summary)
        old, new = self.of(lines, "message old"), self.of(lines, "message new")
        queued = "packet 0 state 0"
        one = r"q/1 'one' q1 properties 14 expiry \d{10}$"
        self.assertRegex(old[0], f"^order 1 q1 retain false {queued}: {one}")
        self.assertRegex(new[0], f"^order 1 q1 retain false {queued} id 77: {one}")
        two = "q/2 'two' q2 properties 0 expiry 0"
        self.assertEqual(old[1], f"order 2 q2 retain false {queued}: {two}")
        self.assertEqual(new[1], f"order 2 q1 retain true {queued} id 77: {two}")

    def test_subscriptions_of_all_kinds(self):
        filters = ["#", "+", "/", "/lead", "a//b", "a/+/#", "$SYS/broker/uptime", "ä/€"]
        self.leave("c", *[(each, qos % 3) for qos, each in enumerate(filters)])
        self.leave("five", ("own", 2 | 4 | 8), version=V5, props={"subscription_id": 268435455})
        lines, _ = self.stop_and_import()
        plain = " no local false as published false id 0"
        self.assertEqual(
            sorted(f"{each} q{qos % 3}{plain}" for qos, each in enumerate(filters)),
            sorted(self.of(lines, "subscription c")),
        )
        self.assertEqual(
            ["own q2 no local true as published true id 268435455"],
            self.of(lines, "subscription five"),
        )

    def test_what_is_in_flight_to_a_client(self):
        client = self.client("c")
        client.subscribe(("q", 2))
        publisher = self.client("publisher")
        for qos, payload in ((1, "1"), (2, "2"), (2, "3"), (1, "4")):
            publisher.publish("q", payload, qos)
        ids = [client.expect(PUBLISH).id for _ in range(3)]
        client.send(ack(PUBREC, ids[1]))
        client.until(PUBREL)
        lines, summary = self.stop_and_import()
        self.assertIn("1 queued message, 3 messages in flight", summary)
        want = [
            f"order 1 q1 retain false packet {ids[0]} state 1: q '1' q1 properties 0 expiry 0",
            f"order 2 q2 retain false packet {ids[1]} state 3: none",
            f"order 3 q2 retain false packet {ids[2]} state 2: q '3' q2 properties 0 expiry 0",
            "order 4 q1 retain false packet 0 state 0: q '4' q1 properties 0 expiry 0",
        ]
        self.assertEqual(want, self.of(lines, "message c"))

    def test_qos_2_from_a_client_that_is_not_released(self):
        self.leave("c", ("in/#", 1))
        sender = self.client("sender")
        for number, payload in ((7, "first"), (9, "second")):
            packet = wire.publish(V311, "in/x", payload, 2, number, retain=number == 9)
            sender.send(packet)
            sender.expect(PUBREC)
        lines, summary = self.stop_and_import()
        self.assertEqual(["packet 7", "packet 9"], self.of(lines, "received sender"))
        queued = "retain false packet 0 state 0: in/x"
        self.assertEqual(
            [
                f"order 1 q1 {queued} 'first' q2 properties 0 expiry 0",
                f"order 2 q1 {queued} 'second' q2 properties 0 expiry 0",
            ],
            self.of(lines, "message c"),
        )
        self.assertEqual(["in/x 'second' q2 properties 0 expiry 0"], self.of(lines, "retained"))
        self.assertIn("2 QoS 2 identifiers of clients", summary)

    def test_retained_messages(self):
        publisher = self.client("publisher", V5)
        publisher.publish("r/plain", "0", retain=True)
        publisher.publish("r/gone", "x", 1, retain=True)
        publisher.publish("r/gone", "", 1, retain=True)
        props = {"message_expiry": 1000, "response_topic": "r", "correlation_data": b"\1\2"}
        publisher.publish("r/five", "5", 2, retain=True, props=props)
        lines, _ = self.stop_and_import()
        self.assertEqual(2, len(self.of(lines, "retained")))
        self.assertIn("retained r/plain '0' q0 properties 0 expiry 0", lines)
        self.assertRegex(self.of(lines, "retained r/five")[0], r"'5' q2 properties 9 expiry \d{10}")

    def test_sessions_and_when_their_clients_left(self):
        self.leave("for-ever", "t")
        self.leave("hour", "t", version=V5, expiry=3600)
        self.leave("named", "t", username="somebody")
        there = self.client("there", V5, expiry=100)
        there.subscribe("t")
        self.client("ends-with-its-connection", V5, expiry=0)
        lines, summary = self.stop_and_import()
        sessions = [line.split(" ", 2)[2] for line in lines if line.startswith("session ")]
        self.assertEqual(4, len(sessions))
        self.assertIn("for-ever expiry 4294967295 left 0", sessions)
        self.assertIn("named expiry 4294967295 left 0", sessions)
        self.assertIn("there expiry 100 left 0", sessions)
        self.assertRegex(sessions[1], r"^hour expiry 3600 left \d{10}$")
        self.assertIn("left: 1 session that ends with its connection", summary)

    def test_queued_messages_of_qos_0_are_left(self):
        self.broker.stop()
        self.start("persistence true\nqueue_qos0_messages true")
        self.leave("c", ("q", 2))
        publisher = self.client("publisher")
        publisher.publish("q", "0")
        publisher.publish("q", "1", 1)
        _, summary = self.stop_and_import()
        self.assertIn("1 queued message, 1 content of these", summary)
        self.assertIn("left: 1 queued message of QoS 0", summary)

    def test_a_file_written_while_mosquitto_ran(self):
        self.leave("c", "t")
        self.broker.signal(signal.SIGUSR1)
        wait_until(lambda: os.path.exists(self.path), "the database")
        lines, summary = self.imported()
        self.assertEqual(1, len(self.of(lines, "subscription c")))
        self.assertIn("Mosquitto wrote the file while it ran", summary)


if __name__ == "__main__":
    main()
