"""Faults 14 to 16, 20 and 21: more than a client should have."""

import itertools
import resource
import threading
import time

import wire
from faults import Faults, flood, reset, scaled
from harness import DEADLINE_S, main, wait_until
from wire import V5, V311

NO_SUBSCRIBERS = 0x10
QUOTA = 0x97


class SubscriptionFaults(Faults):
    config = "max_subscriptions_per_client 20000\nmax_queued_messages 100"

    def test_fault_14_wildcard_bombs(self):
        client = self.client(keep_alive=0)
        for first in range(0, scaled(20000), 5000):
            numbers = range(first, first + min(5000, scaled(20000)))
            filters = [(f"+/{n % 7}/{n}/+" if n % 2 else f"{n}/+/+/#", 0) for n in numbers]
            client.send(wire.subscribe(V5, 1, filters))
            self.assertEqual(set(client.expect(wire.SUBACK).codes), {0})
        if scaled(20000) == 20000:
            self.assertEqual(client.subscribe("one/+/more").codes, (QUOTA,))
            self.check_lines("Client offender: the subscription to one/.* is refused", 1)
        # Every mixture of "+" and a name on twelve levels: as many nodes as a topic can visit.
        bomb = self.client("bomb", keep_alive=0)
        mixtures = ["/".join(levels) for levels in itertools.product("+a", repeat=12)]
        bomb.send(wire.subscribe(V5, 1, [(each, 0) for each in mixtures]))
        bomb.expect(wire.SUBACK)
        for number in range(20):
            client.publish("/".join("a" * 12), str(number))
        self.assertEqual([int(bomb.take().payload) for _ in range(20)], list(range(20)))
        self.check_bystanders()

    def test_fault_14_everybody_wants_everything(self):
        with self.flat_memory(64 * 1024):
            crowd = [self.client(f"all{number}", keep_alive=0) for number in range(scaled(400))]
            for each in crowd:
                each.subscribe("#")
            self.bystanders.wait_exchanges(5)
            for each in crowd:
                each.take()
                reset(each)
        self.check_bystanders()

    def test_fault_14_filters_leave_in_slices(self):
        count = scaled(20000)
        for _ in range(3):
            client = self.client(keep_alive=0)
            filters = [(f"{number}/+", 0) for number in range(count)]
            client.send(wire.subscribe(V5, 1, filters))
            client.expect(wire.SUBACK)
            reset(client)
        reader = self.client("reader", keep_alive=0)
        reader.subscribe("$SYS/broker/subscriptions/count")
        while int(reader.take().payload) > 10:
            pass
        self.check_bystanders()

    def test_fault_15_long_subscribes_again_and_again(self):
        client = self.client(keep_alive=0)
        names = [f"flood/{number}/+" for number in range(30000)]
        raw = wire.subscribe(V5, 1, [(each, 1) for each in names])
        for _ in range(scaled(40)):
            client.send(raw)
            codes = client.expect(wire.SUBACK).codes
            self.assertEqual((codes.count(1), codes.count(QUOTA)), (20000, 10000))
        self.counter("refused/subscription_limit", 10000 * scaled(40))
        self.check_lines("Client offender: the subscription to flood/.* is refused", 1)
        client.send(wire.unsubscribe(V5, 2, names))
        codes = client.expect(wire.UNSUBACK).codes
        self.assertEqual((codes.count(0), codes.count(0x11)), (20000, 10000))
        self.assertEqual(client.subscribe("room/again").codes, (0,))
        old = self.client("old", V311, keep_alive=0)
        old.send(wire.subscribe(V311, 1, [(each, 1) for each in names]))
        self.assertEqual(set(old.expect(wire.SUBACK).codes[20000:]), {0x80})
        self.check_bystanders()

    def test_fault_15_retained_messages_for_one_that_subscribes_and_never_reads(self):
        publisher = self.client("publisher", keep_alive=0)
        for number in range(1000):
            publisher.send(wire.publish(V5, f"kept/{number}", "x" * 100, retain=True))
        publisher.ping()
        with self.flat_memory(96 * 1024):
            flood(self.broker.port, itertools.chain(
                [wire.connect(V5, "offender", keep_alive=1)],
                itertools.repeat(wire.subscribe(V5, 1, [("kept/+", 0)]), scaled(2000))))
        self.check_bystanders()


class RetainedFaults(Faults):
    config = "max_retained_messages 1000\nmax_retained_bytes 1000000"

    def test_fault_16_retained_flood(self):
        client = self.client(keep_alive=0)
        topics = [f"flood/{number}" for number in range(scaled(100000) + 1000)]
        for topic in topics[:1000]:
            client.send(wire.publish(V5, topic, "x", retain=True))
        client.ping()
        with self.flat_memory():
            for at in range(1000, len(topics), 1000):
                client.send(b"".join(
                    wire.publish(V5, each, "x", retain=True) for each in topics[at : at + 1000]))
                client.ping()
        self.assertEqual(client.publish("flood/more", "x", 1, retain=True).reason, QUOTA)
        self.assertEqual(client.publish("flood/more", "x", 2, retain=True).reason, QUOTA)
        self.assertEqual(client.publish("flood/0", "new", 1, retain=True).reason, NO_SUBSCRIBERS)
        self.counter("dropped/retained_limit", len(topics) - 1000 + 2)
        self.check_lines("Client offender: the message to flood/.* is refused", 1)
        # The first ones are still there: nothing made room for the flood.
        reader = self.client("watcher", keep_alive=0)
        reader.subscribe("flood/0", "flood/999", "flood/1000")
        self.assertEqual([reader.take().payload for _ in range(2)], [b"new", b"x"])
        self.assertEqual(reader.ping(), [])
        self.check_bystanders()

    def test_fault_16_by_bytes(self):
        client = self.client(keep_alive=0)
        for number in range(20):
            refused = client.publish(f"big/{number}", b"x" * 100_000, 1, retain=True).reason
            self.assertEqual(refused, NO_SUBSCRIBERS if number < 9 else QUOTA, number)
        self.check_bystanders()


class IdleFaults(Faults):
    config = "max_keepalive 2\nconnect_timeout 1"

    def test_fault_20_silence_is_bounded(self):
        idle = [self.raw() for _ in range(50)]
        for keep_alive in (0, 65535):
            client = self.client("sleeper", keep_alive=keep_alive)
            self.assertEqual(client.connack.props["server_keep_alive"], 2)
            told = [each.reason for each in client.wait_closed()]
            self.assertEqual(told, [0x8D])
        for each in idle:
            self.assertEqual(each.wait_closed(), [])
        self.counter("refused/connect_timeout", 50)
        self.check_lines("sent no CONNECT in 1 s")
        self.check_bystanders()


class AddressFaults(Faults):
    config = "max_connections_per_address 12\nconnect_timeout 1"

    def test_fault_20_one_address_does_not_take_every_place(self):
        crowd = [self.raw() for _ in range(40)]
        for each in crowd:
            each.wait_closed()
        self.counter("refused/connection_limit", 20)
        self.check_lines("max_connections_per_address exceeded")
        self.check_bystanders()


class ConnectionFaults(Faults):
    listener_config = "max_connection_rate 100"

    def test_fault_21_connections_come_at_a_rate(self):
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        crowd = []

        def connect():
            for number in range(100):
                name = f"{threading.get_ident()}-{number}"
                crowd.append(wire.Client(self.broker.port, name, V5, keep_alive=0))

        began = time.monotonic()
        threads = [threading.Thread(target=connect) for _ in range(4)]
        for thread in threads:
            thread.start()
        self.bystanders.wait_exchanges(20)
        for thread in threads:
            thread.join(DEADLINE_S)
        # Nobody is refused. What is beyond a second's worth at the start has to wait.
        self.assertEqual(len(crowd), 400)
        self.assertGreater(time.monotonic() - began, 1.5)
        for each in crowd:
            each.close()
        wait_until(lambda: self.bystanders.exchanged > 20, "the bystanders")
        self.check_lines("have to wait: max_connection_rate is reached")
        self.check_bystanders()


if __name__ == "__main__":
    main()
