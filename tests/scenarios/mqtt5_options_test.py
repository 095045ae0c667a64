"""What the options of MQTT 5 do in the real program, and after a reload."""

import signal

import wire
from harness import Scenario, main, nightjar_only, wait_until
from wire import V5, V311

TOPIC = "building/7/floor/3/room/1001/sensor/temperature"


class Mqtt5Options(Scenario):
    def client(self, client_id="", version=V5, **options):
        client = wire.Client(self.broker.port, client_id, version, **options)
        self.addCleanup(client.close)
        return client

    def informed(self, client_id, **options):
        """A client that was told Response Information, or None."""
        client = self.client(client_id, **options)
        return client if "response_information" in client.connack.props else None

    def refused(self, client_id):
        """The CONNACK of a client that was not let in, or None."""
        with wire.Client(self.broker.port, connect=False) as client:
            client.version = V5
            client.send(wire.connect(V5, client_id))
            connack = client.expect(wire.CONNACK)
            return connack if connack.reason else None

    @nightjar_only("Mosquitto 2.0 uses no aliases")
    def test_topic_aliases_of_the_broker(self):
        self.start_broker(listener_config="max_topic_alias_broker 1", threads=2)
        subs = [self.client(f"s{n}", props={"topic_alias_maximum": 5}) for n in range(4)]
        for sub in subs:
            sub.subscribe(("building/#", 1))
        publisher = self.client("p", V311)
        for payload in (b"1", b"2"):
            publisher.publish(TOPIC, payload, qos=1)
        publisher.publish("building/8", b"3", qos=1)
        for sub in subs:
            three = (sub.take() for _ in "123")
            got = [(found.topic, found.payload, found.props) for found in three]
            self.assertEqual(
                got,
                [
                    (TOPIC, b"1", {"topic_alias": 1}),
                    ("", b"2", {"topic_alias": 1}),
                    ("building/8", b"3", {}),
                ],
            )

    @nightjar_only("the options are ours")
    def test_options_take_effect_with_a_reload(self):
        self.start_broker()
        asking = {"props": {"request_response_information": 1}}
        old = self.client("old", **asking)
        self.assertNotIn("response_information", old.connack.props)
        bad_text = {"payload": b"\xff", "qos": 1, "props": {"payload_format": 1}}
        self.assertEqual(old.publish("t", **bad_text).reason, 0x10)
        self.broker.write_config(
            "response_information re/%c\nserver_reference other:1884\n"
            "validate_payload_format true\nglobal_max_clients 2\nlog_type all"
        )
        self.broker.signal(signal.SIGHUP)
        # Each thread takes the new options in its next turn.
        new = wait_until(lambda: self.informed("new", **asking), "Response Information")
        self.assertEqual(new.connack.props["response_information"], "re/new")
        self.assertEqual(new.publish("t", **bad_text).reason, 0x99)
        refusal = wait_until(lambda: self.refused("third"), "a refusal")
        self.assertEqual((refusal.reason, refusal.props["server_reference"]), (0x9C, "other:1884"))
        self.assertIn("global_max_clients 2", refusal.props["reason_string"])
        self.broker.stop()
        (goodbye,) = new.wait_closed()
        self.assertEqual((goodbye.reason, goodbye.props["server_reference"]), (0x9C, "other:1884"))

    @nightjar_only("the option is ours")
    def test_receive_maximum_exceeded_warn(self):
        self.start_broker("max_inflight_messages 1\nreceive_maximum_exceeded warn")
        client = self.client("eager")
        for packet_id in (1, 2, 3):
            client.send(wire.publish(V5, "t", b"", 2, packet_id))
            client.expect(wire.PUBREC)
        self.broker.wait_log("Client eager has more than 1 QoS 2 messages")


if __name__ == "__main__":
    main()
