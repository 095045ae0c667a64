"""What SIGHUP changes about listeners, and who may come in by them: all of it or nothing."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import unittest

import wire
from harness import BROKER, HOST, ReservedPort, Scenario, main, nightjar_only, wait_until
from wire import CONNACK, V5

SUCCESS, NOT_AUTHORIZED = 0, 0x87
PASSWD = shutil.which("mosquitto_passwd")


@nightjar_only("Mosquitto 2.0 leaves its listeners as they are")
class Reload(Scenario):
    def reserve(self):
        reserved = ReservedPort()
        self.addCleanup(reserved.close)
        return reserved.number

    def reload(self, config="", listener_config=""):
        self.broker.write_config(config, listener_config)
        self.broker.signal(signal.SIGHUP)

    def connect(self, port, client_id, **options):
        client = wire.Client(port, client_id, version=V5, **options)
        self.addCleanup(client.close)
        return client

    def reason_of(self, client_id="c", **options):
        client = wire.Client(self.broker.port, connect=False, version=V5)
        self.addCleanup(client.close)
        client.send(wire.connect(V5, client_id, **options))
        return client.expect(CONNACK).reason

    def is_open(self, port, host=HOST):
        with contextlib.suppress(OSError), socket.create_connection((host, port), 1):
            return True
        return False

    def file(self, name, text):
        path = os.path.join(self.broker.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_new_ones_open_and_others_close_and_clients_stay(self):
        gone, new = self.reserve(), self.reserve()
        path = os.path.join(self.start_broker("", f"listener {gone} {HOST}").folder, "socket")
        stays = self.connect(gone, "stays")
        self.assertTrue(self.is_open(gone))
        self.reload("", f"listener {new} {HOST}\nmax_qos 1\nlistener 0 {path}")
        wait_until(lambda: self.is_open(new) and os.path.exists(path), "the new listeners")
        wait_until(lambda: not self.is_open(gone), "the end of the other one")
        stays.subscribe(("a", 1))
        self.connect(new, "newcomer").publish("a", b"1", qos=1)
        self.assertEqual(stays.expect(wire.PUBLISH).topic, "a")
        self.reload()
        wait_until(lambda: not self.is_open(new) and not os.path.exists(path), "their end")

    def test_all_or_nothing(self):
        new, taken = self.reserve(), self.reserve()
        with socket.create_server((HOST, taken)):
            self.start_broker()
            self.reload("max_packet_size 1000", f"max_qos 0\nlistener {new} {HOST}\n"
                        f"listener {taken} {HOST}")
            self.broker.wait_log(f"^[0-9]+: {HOST}:{taken}: Address already in use")
            self.broker.wait_log("the old one stays")
        self.assertFalse(self.is_open(new))
        client = self.connect(self.broker.port, "c")
        self.assertNotIn("maximum_qos", client.connack.props)
        self.assertLess(client.publish("a", b"x" * 2000, qos=1).reason, 0x80)

    def test_a_port_for_another_address(self):
        for threads in (1, 2):
            broker = self.start_broker(threads=threads)
            before = self.connect(broker.port, "before")
            self.assertFalse(self.is_open(broker.port, "127.0.0.2"))
            with open(broker.config_path, encoding="utf-8") as file:
                text = file.read()
            self.file("broker.conf", text.replace(f"listener {broker.port} {HOST}",
                                                  f"listener {broker.port} 0.0.0.0"))
            broker.signal(signal.SIGHUP)
            wait_until(lambda: self.is_open(broker.port, "127.0.0.2"), "the other address")
            broker.wait_log("Closing listen socket: port")
            wait_until(lambda: self.can_talk(broker.port), "the end of the old one")
            self.assertEqual(before.ping(), [])

    def can_talk(self, port):
        """A connection that comes just while the old socket is closed may be reset."""
        with contextlib.suppress(OSError, wire.Closed):
            return self.connect(port, "after").ping() == []
        return False

    def test_options_of_a_listener(self):
        self.start_broker()
        stays = self.connect(self.broker.port, "stays")
        self.reload("", "max_connections 2\nmount_point m/")
        wait_until(lambda: self.is_full(), "max_connections")
        stays.subscribe(("m/a", 1))
        new = wait_until(self.newcomer, "the broker to see that there is room again")
        new.publish("a", b"1", qos=1)
        self.assertEqual(stays.expect(wire.PUBLISH).topic, "m/a")

    def newcomer(self):
        with contextlib.suppress(OSError, wire.Closed):
            return self.connect(self.broker.port, "new")
        return None

    def is_full(self):
        """Beside the client that stays there is room for one: the places that it takes count."""
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for _ in range(2):
                client = stack.enter_context(wire.Client(self.broker.port, version=V5,
                                                         connect=False))
                client.send(wire.connect(V5, ""))
                try:
                    client.expect(CONNACK)
                except wire.Closed:
                    return True
        return False

    @unittest.skipUnless(PASSWD, "no mosquitto_passwd")
    def test_files_of_users_and_rights(self):
        self.start_broker(threads=1)
        anybody = self.connect(self.broker.port, "anybody")
        anybody.subscribe(("#", 0))
        users = self.file("users", "")
        subprocess.run([PASSWD, "-b", users, "ann", "x"], check=True)
        rules = self.file("rules", "topic read open\nuser ann\ntopic write #\n")
        self.reload(f"allow_anonymous false\npassword_file {users}\nacl_file {rules}")
        wait_until(lambda: self.reason_of() == NOT_AUTHORIZED, "the end of anonymous logins")
        self.assertEqual(self.reason_of(username="ann", password="y"), NOT_AUTHORIZED)
        ann = self.connect(self.broker.port, "ann", username="ann", password="x")
        ann.publish("shut", b"1", qos=1)
        ann.publish("open", b"1", qos=1)
        self.assertEqual([packet.topic for packet in anybody.ping()], ["open"])

    def test_the_plan_says_what_would_change(self):
        self.start_broker("sys_interval 5", "max_qos 1")
        running = self.file("running.conf", "sys_interval 5\nthreads 1\nlistener 1\nmax_qos 1\n")
        wanted = self.file("wanted.conf", "sys_interval 6\nthreads 2\nlistener 1\nlistener 2\n")

        def plan(new, old, want=0):
            return self.run_program([BROKER, "-c", new, "--plan", old], want)
        self.assertEqual(plan(wanted, running),
                         "reload: sys_interval\nreload: max_qos (listener 1)\n"
                         "reload: listener 2 is new\nrestart: threads\n")
        self.assertEqual(plan(running, running), "Nothing would change.\n")
        self.assertIn("bad.conf:1: Error", plan(self.file("bad.conf", "x y\n"), running, want=3))


if __name__ == "__main__":
    main()
