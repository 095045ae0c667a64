"""What an operator sees: signals, limits, files, the log, the command line."""

import os
import signal
import socket
import time
import unittest

import wire
from harness import (
    BROKER,
    HOST,
    Scenario,
    has_persistence,
    main,
    nightjar_only,
    spawn,
    wait_until,
)
from wire import V5, V31, V311


class OperationScenario(Scenario):
    def client(self, client_id="", version=V311, **options):
        client = wire.Client(self.broker.port, client_id, version, **options)
        self.addCleanup(client.close)
        return client


class Log(OperationScenario):
    def test_the_life_of_a_client_with_the_default_log_types(self):
        self.start_broker()
        client = self.client("alice", V311, keep_alive=60)
        address = f"127.0.0.1:{client.socket.getsockname()[1]}"
        self.broker.wait_log(rf"^\d+: New connection from {address} on port {self.broker.port}\.$")
        self.broker.wait_log(
            rf"^\d+: New client connected from {address} as alice \(p[24], c1, k60\)\.$"
        )
        client.disconnect()
        self.broker.wait_log(r"^\d+: Client alice disconnected\.$")

    @nightjar_only("Mosquitto 2.0 prints p2 for MQTT 3.1.1; p4 is the byte in the CONNECT")
    def test_the_protocol_version_in_the_log(self):
        self.start_broker()
        for version in (V31, V311, V5):
            with self.subTest(version=version):
                self.client(f"client{version}", version, clean=True, keep_alive=17)
                self.broker.wait_log(rf"as client{version} \(p{version}, c1, k17\)\.$")

    def test_user_name_and_kept_session(self):
        self.start_broker()
        self.client("bob", V311, clean=False, keep_alive=5, username="robert")
        self.broker.wait_log(r" as bob \(p\d, c0, k5, u'robert'\)\.$")

    def test_a_lost_connection_and_a_takeover(self):
        self.start_broker()
        self.client("carol").close()
        self.broker.wait_log(r"^\d+: Client carol closed its connection\.$")
        self.client("dave")
        self.client("dave")
        self.broker.wait_log(r"^\d+: Client dave already connected, closing old connection\.$")

    def test_a_silent_client(self):
        self.start_broker()
        self.client("erin", keep_alive=1).wait_closed()
        self.broker.wait_log(r"^\d+: Client erin has exceeded timeout, disconnecting\.$")

    def test_connection_messages_can_be_turned_off(self):
        self.start_broker("connection_messages false")
        self.client("frank").disconnect()
        self.broker.stop()
        self.assertNotIn("frank", self.broker.log())

    def test_a_log_file(self):
        self.start_broker("log_dest file broker-own.log\nlog_type all")
        self.client("grace").disconnect()
        path = os.path.join(self.broker.folder, "broker-own.log")

        def text():
            with open(path, encoding="utf-8") as file:
                return file.read()

        wait_until(lambda: "grace disconnected" in text(), "the line in the log file")


class Limits(OperationScenario):
    @nightjar_only("connect_timeout is ours")
    def test_a_connection_that_says_nothing_is_closed(self):
        self.start_broker("connect_timeout 1")
        for beginning in (b"", b"\x10", wire.connect(V311, "half")[:-1]):
            with self.subTest(beginning=beginning):
                client = self.client(connect=False)
                start = time.monotonic()
                client.send(beginning)
                self.assertEqual(client.wait_closed(), [])
                self.assertGreater(time.monotonic() - start, 0.8)
                self.assertLess(time.monotonic() - start, 3)
        # A client that did connect is not meant.
        client = self.client("here")
        time.sleep(1.5)  # The test is about time passing.
        self.assertEqual(client.ping(), [])

    @nightjar_only("Mosquitto 2.0.11 lets one more in after a connection without a CONNECT")
    def test_max_connections(self):
        self.start_broker(listener_config="max_connections 3")
        clients = [self.client(f"c{number}") for number in range(3)]
        for _ in range(3):
            refused = self.client(connect=False)
            try:
                refused.send(wire.connect(V311, "too many"))
            except ConnectionError:
                continue
            self.assertEqual([each for each in refused.wait_closed() if each.reason == 0], [])
        for client in clients:
            self.assertEqual(client.ping(), [])
        clients[0].disconnect()

        def accepted():
            client = self.client(connect=False)
            try:
                client.send(wire.connect(V311, "now"))
                return client.receive().reason == 0
            except (wire.Closed, ConnectionError):
                return False

        wait_until(accepted, "the freed place to be given away")


class Signals(OperationScenario):
    @nightjar_only("Mosquitto 2.0 closes without a DISCONNECT")
    def test_sigterm_says_goodbye(self):
        """[MQTT-4.13] 0x8B: server shutting down."""
        self.start_broker()
        new, old = self.client("new", V5), self.client("old", V311)
        self.broker.stop()
        self.assertEqual([(p.kind, p.reason) for p in new.wait_closed()], [(wire.DISCONNECT, 0x8B)])
        self.assertEqual(old.wait_closed(), [])

    def test_sigterm_and_sigint_end_with_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                self.start_broker()
                client = self.client("c")
                process = self.broker.process
                self.broker.signal(number)
                client.wait_closed()
                self.assertEqual(process.wait(20), 0)
                self.broker.process = None

    def test_sigpipe_is_ignored(self):
        self.start_broker()
        client = self.client("c")
        self.broker.signal(signal.SIGPIPE)
        self.assertEqual(client.ping(), [])

    def test_sighup_keeps_clients(self):
        self.start_broker("sys_interval 10")
        keeper = self.client("keeper", V5, props={"session_expiry": 100})
        keeper.subscribe(("t", 1))
        self.broker.write_config("sys_interval 20\nlog_type all")
        self.broker.signal(signal.SIGHUP)
        self.broker.wait_log("Reloading config")
        keeper.publish("t", "still here", qos=0)
        self.assertEqual(keeper.take().payload, b"still here")
        self.client("another")

    @nightjar_only("Mosquitto 2.0 stops on some of these")
    def test_sighup_with_a_bad_file_keeps_the_old_one(self):
        self.start_broker("max_packet_size 1000")
        self.broker.write_config("max_packet_size banana")
        self.broker.signal(signal.SIGHUP)
        self.broker.wait_log(r"broker\.conf:\d+")
        client = self.client("c", V5)
        self.assertEqual(client.connack.props["maximum_packet_size"], 1000)

    @nightjar_only("Mosquitto 2.0 does not reload this one")
    def test_sighup_changes_limits(self):
        self.start_broker("max_packet_size 1000")
        self.broker.write_config("max_packet_size 2000")
        self.broker.signal(signal.SIGHUP)

        def limit():
            client = wire.Client(self.broker.port, "c", V5)
            client.close()
            return client.connack.props["maximum_packet_size"]

        wait_until(lambda: limit() == 2000, "the new max_packet_size")

    def test_the_process_survives_clients_that_vanish(self):
        self.start_broker()
        for _ in range(200):
            client = wire.Client(self.broker.port, connect=False)
            linger = b"\1\0\0\0\0\0\0\0"  # Close with RST.
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            client.send(wire.connect(V311, "gone") + wire.subscribe(V311, 1, [("#", 0)]))
            client.close()
        self.assertEqual(self.client("here").ping(), [])


class Files(OperationScenario):
    def test_pid_file(self):
        self.start_broker("pid_file broker.pid")
        path = os.path.join(self.broker.folder, "broker.pid")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(int(file.read()), self.broker.process.pid)
        self.broker.stop()
        self.assertFalse(os.path.exists(path))

    @nightjar_only("Mosquitto 2.0 without persistence forgets; with it, writes at exit")
    @unittest.skipUnless(has_persistence(), "built without persistence")
    def test_what_was_acknowledged_survives_kill_9(self):
        self.start_broker("persistence true\npersistence_location data/", threads=1)
        self.check_survival(self.broker.kill)

    @unittest.skipUnless(has_persistence(), "built without persistence")
    def test_what_was_acknowledged_survives_a_restart(self):
        self.start_broker("persistence true\npersistence_location data/")
        self.check_survival(self.broker.stop)

    def check_survival(self, end):
        keeper = self.client("keeper", V5, clean=False, props={"session_expiry": 1000})
        keeper.subscribe(("t", 2))
        keeper.disconnect()
        publisher = self.client("publisher", V5)
        for number in range(20):
            publisher.publish("t", str(number), qos=1 + number % 2)
        publisher.publish("kept", "retained", qos=1, retain=True)
        end()
        self.broker.start()
        keeper = self.client("keeper", V5, clean=False, props={"session_expiry": 1000})
        self.assertTrue(keeper.connack.session_present)
        got = [keeper.take() for _ in range(20)]
        for parity in (0, 1):
            mine = [int(each.payload) for each in got if int(each.payload) % 2 == parity]
            self.assertEqual(mine, list(range(parity, 20, 2)))
        keeper.subscribe(("kept", 0))
        self.assertEqual(keeper.take().payload, b"retained")

    def start_broker(self, config="", listener_config="", **options):
        # Created by the test, since a relative persistence_location must exist.
        broker = super().start_broker(**options)
        if "data/" in config:
            os.mkdir(os.path.join(broker.folder, "data"))
        broker.stop()
        broker.write_config(config, listener_config)
        return broker.start()


class CommandLine(OperationScenario):
    def run_broker(self, *arguments, want):
        return self.run_program([BROKER, *arguments], want)

    def write(self, text):
        self.start_broker()
        self.broker.stop()
        path = os.path.join(self.broker.folder, "tested.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    @nightjar_only("--test-config came with Mosquitto 2.1")
    def test_test_config(self):
        # (sentence, text, exit status is 0, what the message names)
        table = (
            ("a good file", "listener 0\nallow_anonymous true\n", True, ""),
            ("an empty file", "", True, ""),
            ("an unknown option", "\nbananas 7\n", False, "tested.conf:2"),
            ("a bad number", "max_packet_size many\n", False, "tested.conf:1"),
            ("a bad bool", "listener 1\n\nallow_anonymous yes\n", False, "tested.conf:3"),
        )
        for sentence, text, good, message in table:
            with self.subTest(sentence):
                if good and text:
                    text = text.replace("listener 0", "listener 18830 127.0.0.1")
                path = self.write(text)
                output = self.run_broker("--test-config", "-c", path, want=0 if good else None)
                self.assertIn(message, output)
                if not good:
                    self.assertNotEqual(self.exit_status("--test-config", "-c", path), 0)

    def exit_status(self, *arguments):
        process = spawn([BROKER, *arguments], stdout=-3, stderr=-3)
        return process.wait(20)

    def test_a_bad_file_or_none_does_not_start(self):
        for path in (self.write("bananas 7\n"), "/nonexistent/broker.conf"):
            with self.subTest(path=path):
                self.assertNotEqual(self.exit_status("-c", path), 0)

    def test_a_port_in_use_does_not_start(self):
        with socket.socket() as taken:
            taken.bind((HOST, 0))
            taken.listen()
            port = taken.getsockname()[1]
            path = self.write(f"user root\nlistener {port} {HOST}\n")
            self.assertNotEqual(self.exit_status("-c", path), 0)

    def test_help_names_the_options(self):
        output = self.run_broker("-h", want=None)
        for option in ("-c", "-d", "-p", "-v"):
            self.assertIn(option, output)

    def test_port_on_the_command_line(self):
        self.start_broker()
        self.broker.stop()
        # -p alone: local only, and anonymous clients are welcome.
        log = open(self.broker.log_path, "ab")  # pylint: disable=consider-using-with
        self.addCleanup(log.close)
        process = spawn([BROKER, "-p", str(self.broker.port)], stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        self.broker.process = process
        wait_until(self.broker._accepts, "the broker to accept")
        self.assertEqual(self.client("c").ping(), [])
        self.broker.process = None

    @nightjar_only("Mosquitto 2.0 has no --version")
    def test_version(self):
        output = self.run_broker("--version", want=0)
        self.assertRegex(output, r"nightjar.* \d+\.\d+")
        self.assertRegex(output, r"\n(with SCRAM-SHA-256 \(OpenSSL|without SCRAM-SHA-256)")


if __name__ == "__main__":
    main()
