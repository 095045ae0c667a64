"""A thousand busy clients and ten thousand idle ones, from one process."""

import resource
import time

import wire
from harness import DEADLINE_S, Scenario, main
from swarm import Connection, Swarm
from wire import V5, V31, V311

IDLE = 10000
SPARE_FILES = 200  # For the two programs themselves.
CONNECTING_AT_ONCE = 64


def raise_file_limit(wanted):
    """True if this process, and so the broker that it starts, may open that many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        return False
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return True


class Crowd:
    """Connects clients, a few at a time, and counts what they get."""

    def __init__(self, port):
        self.port = port
        self.swarm = Swarm()
        self.connections = []
        self.counts = {}
        self.closed = 0

    def _on_packet(self, connection, packet):
        if packet.kind == wire.CONNACK and packet.reason != 0:
            raise AssertionError(f"the broker refused a client: {packet}")
        if packet.kind == wire.PUBLISH and packet.qos == 1:
            connection.send(wire.ack(wire.PUBACK, packet.id))
        self.counts[packet.kind] = self.counts.get(packet.kind, 0) + 1

    def _on_closed(self, _):
        self.closed += 1

    def count(self, kind):
        return self.counts.get(kind, 0)

    def run_until(self, done, what, deadline_s):
        end = time.monotonic() + deadline_s
        while not done():
            if self.closed:
                raise AssertionError(f"the broker closed {self.closed} connections")
            if time.monotonic() > end:
                raise AssertionError(f"gave up waiting for {what}; got {self.counts}")
            self.swarm.poll()

    def connect(self, total, deadline_s, keep_alive=0):
        while len(self.connections) < total:
            number = len(self.connections)
            version = (V31, V311, V5)[number % 3]
            connection = Connection(
                self.swarm, self.port, version, self._on_packet, self._on_closed
            )
            connection.send(wire.connect(version, f"client{number}", keep_alive=keep_alive))
            self.connections.append(connection)
            waiting = len(self.connections) - CONNECTING_AT_ONCE
            self.run_until(
                lambda least=waiting: self.count(wire.CONNACK) >= least, "CONNACKs", deadline_s
            )
        self.run_until(
            lambda: self.count(wire.CONNACK) == total, f"{total} CONNACKs", deadline_s
        )


class ManyConnections(Scenario):
    def crowd(self):
        crowd = Crowd(self.broker.port)
        self.addCleanup(crowd.swarm.close)
        return crowd

    def test_a_thousand_clients_talk_to_each_other(self):
        self.assertTrue(raise_file_limit(1000 + SPARE_FILES))
        self.start_broker("connection_messages false\nmax_queued_messages 0")
        crowd = self.crowd()
        crowd.connect(1000, DEADLINE_S)
        for number, each in enumerate(crowd.connections):
            filters = [("everyone", 1), (f"to/{number}", 1)]
            each.send(wire.subscribe(each.version, 1, filters))
        crowd.run_until(lambda: crowd.count(wire.SUBACK) == 1000, "SUBACKs", DEADLINE_S)
        # Each to its neighbour, and ten to everyone.
        for number, each in enumerate(crowd.connections):
            topic = f"to/{(number + 1) % 1000}"
            each.send(wire.publish(each.version, topic, "hello", 1, 1))
        for each in crowd.connections[:10]:
            each.send(wire.publish(each.version, "everyone", "hello", 1, 2))
        crowd.run_until(lambda: crowd.count(wire.PUBLISH) >= 11000, "messages", 60)
        crowd.run_until(lambda: crowd.count(wire.PUBACK) >= 1010, "PUBACKs", 60)
        self.assertEqual(crowd.count(wire.PUBLISH), 11000)

    def test_ten_thousand_clients_are_idle(self):
        if not raise_file_limit(IDLE + SPARE_FILES):
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            self.skipTest(f"ulimit -Hn is {hard}, {IDLE + SPARE_FILES} are needed")
        self.start_broker("connection_messages false")
        crowd = self.crowd()
        crowd.connect(IDLE, 60)
        # All of them are still there, and answer within one sweep.
        for each in crowd.connections:
            each.send(wire.packet(wire.PINGREQ, 0, b""))
        crowd.run_until(lambda: crowd.count(wire.PINGRESP) == IDLE, "PINGRESPs", 60)
        # One more gets served as if it were alone.
        with wire.Client(self.broker.port, "one more") as client:
            client.subscribe(("t", 1))
            client.publish("t", "x")
            self.assertEqual(client.take().payload, b"x")
        # And when all leave at once, the broker lives.
        for each in crowd.connections:
            each.close()
        with wire.Client(self.broker.port, "the last") as client:
            self.assertEqual(client.ping(), [])


if __name__ == "__main__":
    main()
