"""`queue_memory_limit`: queues longer than memory, through kill -9, with the real program."""

import os
import unittest

import wire
from harness import BROKER, IS_NIGHTJAR, Scenario, has_persistence, main
from wire import V311

SANITIZED = bool(os.environ.get("SCENARIO_SANITIZED"))
MESSAGES = 2_000 if SANITIZED else 20_000
BATCH = 500
PAYLOAD = b"x" * 2000
# What the program and RocksDB take by themselves; the queues have 40 MB of content.
MEMORY_MAX_MB = 64


def payload(number):
    return b"%08d" % number + PAYLOAD


@unittest.skipUnless(IS_NIGHTJAR and has_persistence(), "no persistence in " + BROKER)
class LongQueue(Scenario):
    def client(self, client_id, clean=False):
        client = wire.Client(self.broker.port, client_id, V311, clean=clean)
        self.addCleanup(client.close)
        return client

    def publish_all(self):
        publisher = self.client("publisher", clean=True)
        for first in range(0, MESSAGES, BATCH):
            publisher.send(
                b"".join(
                    wire.publish(V311, "t", payload(number), 1, number % 60_000 + 1)
                    for number in range(first, first + BATCH)
                )
            )
            for _ in range(BATCH):
                publisher.expect(wire.PUBACK)

    def drain(self, name, first, last):
        client = self.client(name)
        found = client.take()
        while found.payload < payload(first):
            found = client.take()  # The kill came before its acknowledgement was safe.
        for number in range(first, last):
            self.assertEqual(found.payload, payload(number))
            found = client.take() if number + 1 < last else None
        return client

    def check_memory(self, when):
        with open(f"/proc/{self.broker.process.pid}/status", encoding="ascii") as status:
            kilobytes = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        if not SANITIZED:
            self.assertLess(kilobytes // 1024, MEMORY_MAX_MB, when)

    def test_all_of_it_comes_in_order_and_memory_stays_small(self):
        config = "max_queued_messages 0\nqueue_memory_limit 1000000\ndurability process"
        self.start_broker("persistence true\n" + config, threads=2)
        for name in ("a", "b"):
            client = self.client(name)
            client.subscribe(("t", 1))
            client.disconnect()
        self.publish_all()
        self.check_memory("when all is queued")
        self.drain("a", 0, MESSAGES // 2).disconnect()
        self.broker.kill()
        self.broker.start()
        self.check_memory("after the restart")
        self.drain("a", MESSAGES // 2, MESSAGES)
        self.drain("b", 0, MESSAGES)
        self.check_memory("when all has been sent")
        self.assertEqual(self.broker.log().count("Error"), 0)


if __name__ == "__main__":
    main()
