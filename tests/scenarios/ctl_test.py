"""The control socket of the real program, and `nightjar ctl`, which asks there."""

import contextlib
import json
import os
import re
import signal
import socket
import stat

import wire
from harness import BROKER, DEADLINE_S, Broker, Scenario, main, nightjar_only, wait_until

ACL = """user ann
topic home/#
topic deny home/safe
pattern read dev/%c/#
"""


@nightjar_only("Mosquitto has no such socket")
class ControlSocket(Scenario):
    def start(self):
        self.broker = Broker(threads=2)
        self.addCleanup(self.broker.close)
        self.path = os.path.join(self.broker.folder, "control.sock")
        self.rules = os.path.join(self.broker.folder, "rules")
        with open(self.rules, "w", encoding="utf-8") as file:
            file.write(ACL)
        self.configure()
        self.begin()

    def begin(self):
        """The ports are open a moment before the control socket is."""
        self.broker.start()
        wait_until(self.is_open, "the control socket")

    def is_open(self):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as peer:
            peer.connect(self.path)
            return True
        return False

    def configure(self, config="", control=True):
        lines = [config, f"acl_file {self.rules}"] + [f"control_socket {self.path}"] * control
        self.broker.write_config("\n".join(lines))

    def ctl(self, *arguments, want=0):
        return self.run_program([BROKER, "ctl", "--socket", self.path, *arguments], want)

    def connect(self, path=None):
        peer = socket.socket(socket.AF_UNIX)
        self.addCleanup(peer.close)
        peer.settimeout(DEADLINE_S)
        peer.connect(path or self.path)
        return peer

    def ask(self, command="status", path=None, **question):
        """As `nightjar ctl` does it, without a process."""
        with self.connect(path) as peer:
            return self.ask_at(peer, json.dumps({"command": command, **question}).encode() + b"\n")

    def ask_at(self, peer, line):
        peer.sendall(line)
        with peer.makefile("rb") as lines:
            return json.loads(lines.readline())

    def test_only_its_owner_may_ask_and_it_goes_with_the_broker(self):
        self.start()
        self.assertEqual(stat.S_IMODE(os.lstat(self.path).st_mode), 0o600)
        self.broker.kill()
        self.assertTrue(os.path.exists(self.path))
        self.assertIn("Connection refused", self.ctl("status", want=1))
        self.begin()  # It replaces what the crash has left.
        self.assertTrue(self.ask()["ok"])
        self.broker.stop()
        self.assertFalse(os.path.exists(self.path))

    def test_a_reload_waits_for_its_outcome(self):
        self.start()
        self.configure("threads 3\nmax_packet_size 1000")
        output = self.ctl("reload")
        self.assertIn("changed: max_packet_size\nneeds a restart: threads\n", output)
        self.configure("nonsense 1")
        output = self.ctl("reload", want=1)
        self.assertIn("Unknown configuration variable", output)
        self.broker.wait_log(re.escape(output.strip()))
        self.broker.wait_log("the old one stays")

    def test_a_reload_moves_closes_and_opens_it(self):
        self.start()
        before, self.path = self.path, self.path + "2"
        self.configure()
        self.assertEqual(self.ask("reload", before)["changed"], ["control_socket"])
        self.assertFalse(os.path.exists(before))
        self.configure(control=False)
        self.assertTrue(self.ask("reload")["ok"])
        self.assertFalse(os.path.exists(self.path))
        self.configure()
        self.broker.signal(signal.SIGHUP)
        wait_until(self.is_open, "the socket")
        with socket.socket(socket.AF_UNIX) as other:
            mine, self.path = self.path, self.path + "3"
            other.bind(self.path)
            other.listen()
            self.configure("max_packet_size 1000")
            self.assertIn("in use", self.ask("reload", mine)["error"])
        self.assertTrue(self.ask(path=mine)["ok"])

    def test_explains_what_happens_and_has_a_status(self):
        self.start()
        client = wire.Client(self.broker.port, connect=False, version=wire.V5)
        self.addCleanup(client.close)
        client.send(wire.connect(wire.V5, "dev1", username="ann"))
        client.expect(wire.CONNACK)
        for topic in ("home/safe", "home/a", "other"):
            client.send(wire.publish(wire.V5, topic, b"x", 1, packet_id=client.next_id()))
            is_allowed = client.until(wire.PUBACK)[-1].reason < 0x80
            answer = self.ask("explain", user="ann", client="dev1", action="publish", topic=topic)
            self.assertEqual(answer["allowed"], is_allowed, topic)
        output = self.ctl("status")
        self.assertIn(", 2 threads\n1 clients connected, 1 sessions, 0 subscriptions\n"
                      f"listener: port {self.broker.port}\n", output)
        self.broker.wait_log(rf"Denied PUBLISH from dev1 \(user 'ann', .*\({self.rules}:3: topic "
                             "deny home/safe")

    def test_explains_in_words(self):
        self.start()
        ask = ("explain", "-u", "ann", "-i", "dev1")
        output = self.ctl(*ask, "receive", "dev/dev1/x")
        self.assertIn(f"listener: port {self.broker.port}\nclient: dev1\n", output)
        self.assertIn(f"\nreceive dev/dev1/x: allowed: acl_file {self.rules}:4: pattern read "
                      "dev/%c/#\n", output)
        output = self.ctl(*ask, "read", "other", want=1)
        self.assertIn(f"\nread other: denied: no line of acl_file {self.rules} allows it\n"
                      "    would be allowed by: the line 'topic read other' below the line 'user "
                      "ann'\n", output)
        self.assertIn("no listener 7", self.ctl(*ask, "-l", "7", "publish", "a", want=1))
        self.assertIn('"because":"no line', self.ctl("--json", *ask, "publish", "a", want=1))

    def test_what_is_wrong_is_said_and_harms_nobody(self):
        self.start()
        with self.connect() as peer:
            self.assertIn("JSON object", self.ask_at(peer, b"\xff\x00\n")["error"])
            self.assertIn("'stop'", self.ask_at(peer, b'{"command":"stop"}\r\n')["error"])
            lines = peer.makefile("rb")
            peer.sendall(b'{"command":"status"}\n' * 3)
            self.assertTrue(all(json.loads(lines.readline())["ok"] for _ in range(3)))
            with contextlib.suppress(OSError):
                peer.sendall(b"x" * 100_000)
            self.assertIn("at most 65536 bytes", json.loads(lines.readline())["error"])
        with self.connect() as peer:  # It sends nothing more, but is answered.
            peer.sendall(b'{"command":"status"}\n')
            peer.shutdown(socket.SHUT_WR)
            self.assertTrue(json.loads(b"".join(iter(lambda: peer.recv(4096), b"")))["ok"])

        self.who_does_not_read_is_not_answered_for_ever()

    def who_does_not_read_is_not_answered_for_ever(self):
        peer = self.connect()
        peer.settimeout(0.3)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 50_000_000:
                sent += peer.send(b"{}\n" * 10_000)
        self.assertLess(sent, 50_000_000)
        self.assertTrue(self.ask()["ok"])

    def test_no_more_than_eight_at_once_and_they_do_not_hold_up_the_end(self):
        self.start()
        peers = [wait_until(self.take_place, "a free place") for _ in range(8)]
        self.assertIn("more connections than it takes", self.ctl("status", want=1))
        self.broker.wait_log("control_socket: a connection is refused, 8 are open already")
        peers.pop().close()
        wait_until(self.take_place, "a free place")
        self.broker.stop()

    def take_place(self):
        peer = self.connect()
        with contextlib.suppress(OSError, ValueError):
            self.assertTrue(self.ask_at(peer, b'{"command":"status"}\n')["ok"])
            return peer
        return None

    def test_it_is_found_by_the_configuration(self):
        self.start()
        command = [BROKER, "ctl", "-c", self.broker.config_path, "status"]
        self.run_program(command)
        self.configure(control=False)
        self.assertIn("has no control_socket", self.run_program(command, 1))
        output = self.run_program([BROKER, "ctl", "explain", "publish"], 3)
        self.assertIn("explain takes publish, subscribe or receive, and a topic", output)

    def test_one_that_cannot_be_made_stops_the_start(self):
        self.broker = Broker()
        self.addCleanup(self.broker.close)
        self.broker.write_config("control_socket /proc/none/control.sock")
        output = self.run_program([BROKER, "-c", self.broker.config_path], 1)
        self.assertIn("control_socket /proc/none/control.sock: No such file", output)


if __name__ == "__main__":
    main()
