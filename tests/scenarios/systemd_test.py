"""What a service manager hears: ready, reloading, stopping, and that every thread turns."""

import ctypes
import os
import shutil
import signal
import socket
import tempfile
import time
import unittest

from harness import BROKER, DEADLINE_S, Broker, Scenario, main, nightjar_only

PTRACE_DETACH = 17
PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
WALL = 0x40000000  # waitpid() for threads, too.

UNIT = os.path.join(os.path.dirname(__file__), "../../packaging/systemd/nightjar.service")
_libc = ctypes.CDLL(None, use_errno=True)


def ptrace(request, thread):
    zero = ctypes.c_void_p(0)
    if _libc.ptrace(ctypes.c_long(request), ctypes.c_long(thread), zero, zero) != 0:
        error = ctypes.get_errno()
        raise PermissionError(error, os.strerror(error))


class StoppedThreads:
    """All threads of a process but the first one, while the context lasts."""

    def __init__(self, pid):
        self._ids = [int(name) for name in os.listdir(f"/proc/{pid}/task") if int(name) != pid]

    def __enter__(self):
        for thread in self._ids:
            ptrace(PTRACE_SEIZE, thread)
            ptrace(PTRACE_INTERRUPT, thread)
            os.waitpid(thread, WALL)
        return self._ids

    def __exit__(self, *_):
        for thread in self._ids:
            ptrace(PTRACE_DETACH, thread)


class Manager:
    """The service manager's end of the socket. A name that begins with @ is an abstract one."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name[0] == "@" else name)

    def next(self, patience_s=DEADLINE_S):
        """The next message as a dictionary, or None."""
        self.socket.settimeout(patience_s)
        try:
            lines = self.socket.recv(4096).decode().splitlines()
        except (socket.timeout, BlockingIOError):
            return None
        return dict(line.split("=", 1) for line in lines)

    def wait(self, variable):
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            message = self.next()
            if message and variable in message:
                return message
        raise AssertionError(f"the service manager was not told {variable}")


@nightjar_only("Debian's Mosquitto has no watchdog, and says nothing of a reload")
class Systemd(Scenario):
    def start(self, threads=2, name=None, **environment):
        broker = Broker(threads=threads)
        self.addCleanup(broker.close)
        self.manager = Manager(name or os.path.join(broker.folder, "notify"))
        self.addCleanup(self.manager.socket.close)
        broker.environment = {"NOTIFY_SOCKET": self.manager.name, **environment}
        self.broker = broker.start()
        return broker

    def test_ready_and_stopping(self):
        self.start()
        ready = self.manager.next()
        self.assertEqual(ready["READY"], "1")
        self.assertEqual(ready["STATUS"], "Serving clients on 2 threads.")
        self.broker.stop()
        self.assertEqual(self.manager.next()["STOPPING"], "1")

    def test_an_abstract_socket(self):
        self.start(name=f"@nightjar-test-{os.getpid()}")
        self.assertEqual(self.manager.next()["READY"], "1")

    def test_a_reload(self):
        self.start()
        self.manager.wait("READY")
        before = time.monotonic_ns() // 1000
        self.broker.signal(signal.SIGHUP)
        reloading = self.manager.next()
        self.assertEqual(reloading["RELOADING"], "1")
        since = int(reloading["MONOTONIC_USEC"])
        self.assertTrue(before <= since <= time.monotonic_ns() // 1000)
        self.assertEqual(self.manager.next()["READY"], "1")

    def test_a_reload_that_fails_is_over_too(self):
        self.start()
        self.manager.wait("READY")
        self.broker.write_config("no_such_option 1")
        self.broker.signal(signal.SIGHUP)
        self.assertEqual(self.manager.next()["RELOADING"], "1")
        self.assertEqual(self.manager.next()["READY"], "1")

    def test_the_watchdog_is_fed(self):
        self.start(WATCHDOG_USEC="400000")
        for _ in range(3):
            self.assertEqual(self.manager.wait("WATCHDOG")["WATCHDOG"], "1")

    def test_the_watchdog_of_another_process_is_not_fed(self):
        self.start(WATCHDOG_USEC="200000", WATCHDOG_PID="1")
        self.manager.wait("READY")
        self.assertIsNone(self.manager.next(0.5))

    def test_a_thread_that_hangs_starves_the_watchdog(self):
        broker = self.start(WATCHDOG_USEC="400000")
        self.manager.wait("WATCHDOG")
        try:
            with StoppedThreads(broker.process.pid) as threads:
                self.assertTrue(threads)
                while self.manager.next(0):
                    pass
                broker.wait_log(r"Warning: shard 1 has not turned for 200 ms\.")
                self.assertIsNone(self.manager.next(0))
        except PermissionError as error:
            self.skipTest(f"threads cannot be stopped here: {error}")
        self.manager.wait("WATCHDOG")

    def test_a_socket_that_is_none(self):
        broker = Broker()
        self.addCleanup(broker.close)
        broker.environment = {"NOTIFY_SOCKET": "vsock:2:1234", "WATCHDOG_USEC": "200000"}
        broker.start().wait_log(
            r'Warning: NOTIFY_SOCKET is "vsock:2:1234", which is not the path of a unix socket')


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is missing")
class Unit(Scenario):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="scenario-")
        self.addCleanup(shutil.rmtree, folder)
        self.path = os.path.join(folder, "nightjar.service")
        with open(UNIT, encoding="utf-8") as unit, open(self.path, "w", encoding="utf-8") as copy:
            # Neither the program nor its manual pages need to be installed.
            for line in unit:
                if not line.startswith("Documentation="):
                    copy.write(line.replace("/usr/bin/nightjar", BROKER))

    def test_systemd_takes_every_line(self):
        self.assertEqual(self.run_program(["systemd-analyze", "verify", self.path]), "")

    def test_little_is_exposed(self):
        self.run_program(["systemd-analyze", "security", "--offline=true", "--threshold=30",
                          self.path])


if __name__ == "__main__":
    main()
