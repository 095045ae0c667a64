"""What the tests of hostile clients share: two that are not, and what the broker says of itself.

Each fault is one test, with its number. The common rule: the process stays up, the bystanders keep
talking, memory comes back, a counter under $SYS/broker/nightjar/ tells the cause, and the log has
one line for each offender.
"""

import contextlib
import os
import re
import socket
import struct
import threading
import time

import wire
from harness import DEADLINE_S, HOST, IS_NIGHTJAR, Scenario, wait_until
from wire import V5

# A sanitizer keeps freed memory and makes everything slow: then less is done, and memory is left to
# its own check for leaks, which lets the broker end with an error.
SANITIZED = bool(os.environ.get("SCENARIO_SANITIZED"))


def scaled(count):
    return max(1, count // 20) if SANITIZED else count


class Bystanders:
    """A pair that exchanges messages at QoS 1, one after the other, until stop()."""

    def __init__(self, port):
        self.subscriber = wire.Client(port, "bystander-sub", V5)
        self.publisher = wire.Client(port, "bystander-pub", V5)
        self.subscriber.subscribe(("bystanders/talk", 1))
        self.exchanged = 0
        self.slowest_s = 0.0
        self.error = None
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()

    def _talk(self):
        try:
            while not self._ends.is_set():
                began = time.monotonic()
                self.publisher.publish("bystanders/talk", str(self.exchanged), 1)
                if self.subscriber.take().payload != str(self.exchanged).encode():
                    raise AssertionError("a message of the bystanders is lost or came twice")
                self.publisher.last_id %= 60000
                self.exchanged += 1
                self.slowest_s = max(self.slowest_s, time.monotonic() - began)
                self._ends.wait(0.002)
        except BaseException as error:  # Told by stop(), in the test's thread.
            self.error = error

    def wait_exchanges(self, count=3):
        target = self.exchanged + count
        wait_until(lambda: self.error or self.exchanged >= target, "the bystanders")

    def stop(self):
        self._ends.set()
        self._thread.join(DEADLINE_S)
        self.subscriber.close()
        self.publisher.close()
        if self.error:
            raise self.error


class Faults(Scenario):
    config = ""
    listener_config = ""

    def setUp(self):
        if not IS_NIGHTJAR:
            self.skipTest("nightjar only: Mosquitto has other limits and other words")
        self.start_broker("sys_interval 1\n" + self.config, self.listener_config)
        self.bystanders = Bystanders(self.broker.port)
        self.addCleanup(self.stop_bystanders)

    def stop_bystanders(self):
        self.bystanders.stop()

    def client(self, name="offender", version=V5, **options):
        client = wire.Client(self.broker.port, name, version, **options)
        self.addCleanup(client.close)
        return client

    def raw(self, version=V5):
        return self.client(version=version, connect=False)

    def check_bystanders(self):
        self.bystanders.wait_exchanges()
        if self.bystanders.error:
            raise self.bystanders.error

    def check_refused(self, raw, *reasons, name="offender", **options):
        """Sent by a connected MQTT 5 client, `raw` ends the connection with one of the reasons."""
        with wire.Client(self.broker.port, name, V5, **options) as client:
            client.send(raw)
            answers = client.wait_closed()
        self.assertEqual(answers[-1].kind, wire.DISCONNECT)
        self.assertIn(answers[-1].reason, reasons)

    def counter(self, name, at_least):
        """Waits until $SYS/broker/nightjar/NAME is so high."""
        with wire.Client(self.broker.port, "reader", V5) as reader:
            reader.subscribe(f"$SYS/broker/nightjar/{name}")
            while True:
                if int(reader.take().payload) >= at_least:
                    return

    def check_lines(self, pattern, most=None):
        """The log has such a line, and no more of them than one for each event loop."""
        self.broker.wait_log(pattern)
        found = len(re.findall(pattern, self.broker.log(), re.MULTILINE))
        self.assertLessEqual(found, most or os.cpu_count(), pattern)

    def memory_kb(self):
        with open(f"/proc/{self.broker.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))

    @contextlib.contextmanager
    def flat_memory(self, extra_kb=16 * 1024):
        """What happens inside leaves no more than this behind."""
        before = self.memory_kb()
        yield
        if SANITIZED:
            return
        wait_until(
            lambda: self.memory_kb() <= before + extra_kb,
            f"memory to come back to {before} KB, it is {self.memory_kb()} KB",
        )


def flood(port, chunks):
    """Sends as the broker takes it and reads nothing; True if the broker ended the connection."""
    with socket.create_connection((HOST, port)) as connection:
        connection.settimeout(DEADLINE_S)
        try:
            for chunk in chunks:
                connection.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            return True
    return False


def reset(client):
    """Ends a connection as a crash of the machine would be seen: at once, with a reset."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
