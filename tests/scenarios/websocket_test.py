"""MQTT over WebSocket: upgrade, frames, and what a hostile client gets."""

import subprocess

import wire
from harness import BROKER, IS_NIGHTJAR, main
from paho_client import PahoClient, paho
from tls_test import TlsScenario
from web_socket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from web_socket import WebSocket, accept_of, frame, upgrade
from wire import V5, V311

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
PINGREQ, PINGRESP = b"\xc0\x00", b"\xd0\x00"


def has_web_socket():
    if not IS_NIGHTJAR:
        return False  # Debian's ends when somebody connects and says nothing, as the harness does.
    done = subprocess.run([BROKER, "--version"], stdout=subprocess.PIPE, check=True)
    return b"with WebSocket" in done.stdout


class WebSocketScenario(TlsScenario):
    def setUp(self):
        super().setUp()
        if not has_web_socket():
            self.skipTest("no WebSocket in " + BROKER)

    def start_ws(self, lines="", config="", **options):
        return self.start_broker(config, "protocol websockets\n" + lines, **options)

    def open(self, *arguments, **options):
        web = WebSocket(self.broker.port, *arguments, **options)
        self.addCleanup(web.close)
        return web

    def connected(self, version=V311, client_id="c"):
        web = self.open()
        web.send(frame(wire.connect(version, client_id)))
        opcode, data = web.receive()
        self.assertEqual((opcode, data[0], data[3]), (BINARY, 0x20, 0))
        return web


class Upgrade(WebSocketScenario):
    def test_the_answer(self):
        """MQTT-6.0.0-4, MQTT311-6.0.0-4: the subprotocol is mqtt"""
        self.start_ws()
        web = self.open()
        self.assertEqual(web.status, 101)
        self.assertIn(f"Sec-WebSocket-Accept: {accept_of(KEY)}\r\n", web.answer)
        self.assertIn("Sec-WebSocket-Protocol: mqtt\r\n", web.answer)
        self.assertNotIn("Extensions", web.answer)

    def test_what_is_refused(self):
        self.start_ws("websockets_origin https://good.example")
        rows = [
            ("no subprotocol", upgrade(Sec_WebSocket_Protocol=None), 400),
            ("another subprotocol", upgrade(Sec_WebSocket_Protocol="chat"), 400),
            ("no upgrade", upgrade(Upgrade=None), 426),
            ("an old version", upgrade(Sec_WebSocket_Version="8"), 426),
            ("a short key", upgrade("c2hvcnQ="), 400),
            ("another site", upgrade(Origin="https://bad.example"), 403),
            ("POST", upgrade().replace(b"GET", b"POST"), 405),
            ("no HTTP", b"BREW /\r\n\r\n", 400),
            ("a folded line", upgrade(Cookie="a\r\n b"), 400),
            ("too long", upgrade(Cookie="x" * 10000), 431),
        ]
        for sentence, request, status in rows:
            with self.subTest(sentence):
                self.assertEqual(self.open(request).status, status)
        self.assertEqual(self.open(upgrade(Origin="https://good.example")).status, 101)
        self.broker.wait_log("asked for a WebSocket in vain: 403: websockets_origin")

    def test_strangers_are_named(self):
        self.start_ws()
        self.open(wire.connect(V5, "c"))
        self.broker.wait_log("speaks MQTT to a listener that wants WebSocket")
        self.open(b"\x16\x03\x01\x00\x05hello")
        self.broker.wait_log("speaks TLS, but this listener has neither certfile nor psk_hint")


class Frames(WebSocketScenario):
    def test_packets_split_and_joined(self):
        """MQTT-6.0.0-2, MQTT311-6.0.0-2: packets are not aligned to frames"""
        self.start_ws(threads=2)
        for i in range(4):  # Some of them move to the other thread with their CONNECT.
            web = self.open()
            packets = wire.connect(V311, f"c{i}") + PINGREQ
            for byte in packets[:10]:
                web.send(frame(bytes([byte])))
            web.send(frame(packets[10:] + PINGREQ * 2))
            got = b""
            while len(got) < 4 + 6:
                opcode, data = web.receive()
                self.assertEqual(opcode, BINARY)
                got += data
            self.assertEqual(got, b"\x20\x02\x00\x00" + PINGRESP * 3)

    def test_frames_right_behind_the_request(self):
        self.start_ws()
        web = self.open(after=frame(wire.connect(V311, "c")))
        self.assertEqual(web.receive(), (BINARY, b"\x20\x02\x00\x00"))

    def test_fragments_and_a_ping_between_them(self):
        self.start_ws()
        web = self.connected()
        web.send(frame(PINGREQ[:1], final=False))
        web.send(frame(b"are you there", PING))
        self.assertEqual(web.receive(), (PONG, b"are you there"))
        web.send(frame(PINGREQ[1:], CONTINUATION))
        self.assertEqual(web.receive(), (BINARY, PINGRESP))

    def test_a_turn_is_one_frame(self):
        self.start_ws()
        web = self.connected()
        web.send(frame(PINGREQ * 50))
        self.assertEqual(web.receive(), (BINARY, PINGRESP * 50))

    def test_the_close_is_answered(self):
        self.start_ws()
        web = self.connected()
        web.send(frame(b"\x03\xe8", CLOSE))
        self.assertEqual(web.close_code(), 1000)

    def test_a_disconnect_closes_the_web_socket(self):
        self.start_ws()
        web = self.connected()
        web.send(frame(wire.disconnect(V311)))
        self.assertEqual(web.close_code(), 1000)

    def test_a_large_message(self):
        self.start_ws()
        web = self.connected()
        web.send(frame(wire.subscribe(V311, 1, [("a", 0)])))
        self.assertEqual(web.receive()[1][0], 0x90)
        packet = wire.publish(V311, "a", b"x" * 300000)
        web.send(frame(packet))
        got = b""
        while len(got) < len(packet):
            got += web.receive()[1]
        self.assertEqual(got, packet)


class Hostile(WebSocketScenario):
    """Fault 36: frames that are none."""

    def test_close_codes(self):
        self.start_ws()
        rows = [
            ("not masked", frame(PINGREQ, masked=False), 1002),
            ("MQTT-6.0.0-1, MQTT311-6.0.0-1: a text frame", frame(PINGREQ, TEXT), 1003),
            ("a reserved bit: no compression", frame(PINGREQ, reserved=4), 1002),
            ("an unknown opcode", frame(b"", 3), 1002),
            ("a long ping", frame(b"x" * 126, PING), 1002),
            ("a ping in fragments", frame(b"x", PING, final=False), 1002),
            ("a continuation of nothing", frame(PINGREQ, CONTINUATION), 1002),
            ("longer than any packet", frame(b"x", length=1 << 32), 1009),
            ("2^63", frame(b"x", length=1 << 63), 1002),
        ]
        for sentence, data, code in rows:
            with self.subTest(sentence):
                web = self.connected()
                web.send(data)
                self.assertEqual(web.close_code(), code)
        self.connected()


class Clients(WebSocketScenario):
    def talk(self, **options):
        client = PahoClient(self.broker.port, "paho", paho.MQTTv5, transport="websockets",
                            **options)
        self.addCleanup(client.close)
        client.subscribe("a/#", 2)
        for size in (0, 125, 126, 65535, 65536, 200000):
            client.publish("a/b", "x" * size, qos=2)
            self.assertEqual(len(client.message().payload), size)

    def test_paho_python(self):
        self.start_ws()
        self.talk()

    def test_paho_python_over_tls(self):
        self.start_tls("protocol websockets\n")
        self.talk(tls=self.context())
        self.broker.wait_log("Client paho negotiated TLSv1.3 cipher .*, WebSocket")

    def test_a_certificate_names_the_user(self):
        self.start_tls("protocol websockets\nrequire_certificate true\n"
                       "use_identity_as_username true", "allow_anonymous false")
        self.talk(tls=self.context(self.ann))
        self.broker.wait_log("as paho .*u'ann'")

    def test_a_close_code_arrives_through_tls(self):
        self.start_tls("protocol websockets\n")
        web = self.open(plain=self.open_tls())
        web.send(frame(b"x", TEXT))
        self.assertEqual(web.close_code(), 1003)


if __name__ == "__main__":
    main()
