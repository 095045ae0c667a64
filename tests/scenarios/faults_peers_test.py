"""Faults 18, 19 and 22 to 25: clients that do not keep their side of the bargain."""

import collections
import itertools
import resource

import wire
from faults import Faults, flood, reset, scaled
from harness import main
from wire import V5, V311

RECEIVE_MAXIMUM, TAKEN_OVER = 0x93, 0x8E


def raise_file_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class SlowFaults(Faults):
    config = "max_output_bytes 1000000\nmax_queued_messages 100"

    def test_fault_18_a_reader_that_never_reads(self):
        publisher = self.client("publisher", keep_alive=0)
        with self.flat_memory():
            for qos, cause in ((0, "output_full"), (1, "queue_full")):
                slow = self.client(f"slow{qos}", keep_alive=0)
                slow.subscribe((f"slow/{qos}", qos))
                for number in range(scaled(4000)):
                    publisher.publish(f"slow/{qos}", b"x" * 10_000, qos)
                    publisher.last_id %= 60000
                publisher.ping()
                if scaled(4000) == 4000:
                    self.counter(f"dropped/{cause}", 1000)
                reset(slow)
        self.check_bystanders()

    def test_fault_18_a_sender_that_never_reads(self):
        with self.flat_memory():
            ended = flood(self.broker.port, itertools.chain(
                [wire.connect(V5, "offender", keep_alive=1)],
                itertools.repeat(b"\xc0\0" * 10000, 1000)))
        self.assertTrue(ended, "it is no longer read, and keep alive ends it")
        self.check_bystanders()

    def test_fault_19_a_peer_that_is_gone_without_a_word(self):
        watcher = self.client("watcher", keep_alive=0)
        watcher.subscribe("wills/+")
        with self.flat_memory():
            silent = [
                self.client(f"silent{n}", keep_alive=1, will=(f"wills/{n}", "gone", 0, False))
                for n in range(50)
            ]
            told = {watcher.take().topic for _ in silent}
            self.assertEqual(told, {f"wills/{n}" for n in range(50)})
            for each in silent:
                self.assertEqual([one.reason for one in each.wait_closed()], [0x8D])
        self.check_bystanders()


class IdentityFaults(Faults):
    config = "connection_messages true"

    def test_fault_22_takeover_storm(self):
        count = min(1000, raise_file_limit() - 200) if scaled(20) == 20 else 100
        watcher = self.client("watcher", keep_alive=0)
        watcher.subscribe("storm/will")
        with self.flat_memory():
            storm = []
            for number in range(count):
                storm.append(self.client("offender", keep_alive=0, clean=number % 3 == 0,
                                         will=("storm/will", str(number), 1, False),
                                         props={"session_expiry": 100 if number % 2 else 0}))
                storm[-1].send(wire.subscribe(V5, 1, [("storm/x", 1), (f"storm/{number}", 0)]))
            for loser in storm[:-1]:
                self.assertEqual(loser.wait_closed()[-1].reason, TAKEN_OVER)
                loser.close()
            # Exactly one is left, and one message reaches it once.
            storm[-1].until(wire.SUBACK)
            self.client("publisher").publish("storm/x", "hi", 1)
            self.assertEqual([each.payload for each in storm[-1].ping()], [b"hi"])
            reset(storm[-1])
        wills = collections.Counter(watcher.take().payload for _ in range(count))
        self.assertEqual(set(wills.values()), {1})
        self.counter("refused/session_takeover", count - 1)
        self.check_lines("Client offender already connected, closing old connection", 1)
        self.check_bystanders()

    def test_fault_23_qos_2_ids_again_and_again(self):
        watcher = self.client("watcher", keep_alive=0)
        watcher.subscribe(("ids", 0))
        for version in (V311, V5):
            client = self.client(version=version, keep_alive=0)
            raw = wire.publish(version, "ids", "x", 2, 7)
            with self.flat_memory():
                for _ in range(scaled(200)):
                    client.send(raw * 100)
                    self.assertEqual({each.kind for each in client.ping()}, {wire.PUBREC})
        self.assertEqual(len(watcher.ping()), 2, "each is passed on once")
        self.check_bystanders()

    def test_fault_23_every_id_and_never_a_pubrel(self):
        client = self.client(version=V311, keep_alive=0)
        with self.flat_memory():
            for _ in range(3):
                for first in range(1, 65536, 5041):
                    client.send(b"".join(wire.publish(V311, "ids", "", 2, number)
                                         for number in range(first, min(65536, first + 5041))))
                    client.ping()
        self.check_bystanders()

    def test_fault_24_receive_maximum_ignored(self):
        client = self.client(keep_alive=0)
        most = client.connack.props["receive_maximum"]
        client.send(b"".join(wire.publish(V5, "ids", "", 2, n) for n in range(1, most + 2)))
        answers = client.wait_closed()
        self.assertEqual([each.kind for each in answers[:-1]], [wire.PUBREC] * most)
        self.assertEqual((answers[-1].kind, answers[-1].reason), (wire.DISCONNECT, RECEIVE_MAXIMUM))
        self.counter("refused/receive_maximum", 1)
        self.check_lines("Client offender disconnected due to .*receive maximum", 1)
        self.check_bystanders()

    def test_fault_25_many_wills_at_one_instant(self):
        count = min(scaled(4000), raise_file_limit() - 200)
        watcher = self.client("watcher", keep_alive=0)
        watcher.subscribe("wills/#")
        with self.flat_memory(64 * 1024):
            mourned = [
                self.client(f"mourned{n}", keep_alive=0, props={"session_expiry": 100},
                            will=(f"wills/{n}", "x", 0, False, {"will_delay": 3}))
                for n in range(count)
            ]
            for each in mourned:
                reset(each)
            seen = collections.Counter(watcher.take().topic for _ in range(count))
        self.assertEqual(len(seen), count)
        self.assertEqual(set(seen.values()), {1})
        self.assertEqual(watcher.ping(), [])
        self.check_bystanders()

    def test_fault_25_a_will_that_ends_the_next_client(self):
        """Each will is the message that makes the next one's client go: it goes round once."""
        ring = [
            self.client(f"ring{n}", keep_alive=0, will=(f"ring/{(n + 1) % 10}", "fall", 1, False))
            for n in range(10)
        ]
        for number, each in enumerate(ring):
            each.subscribe((f"ring/{number}", 1))
        watcher = self.client("watcher", keep_alive=0)
        watcher.subscribe("ring/#")
        reset(ring[0])
        for each in ring[1:]:
            self.assertEqual(each.take().payload, b"fall")
            reset(each)
        topics = [watcher.take().topic for _ in ring]
        self.assertEqual(sorted(topics), sorted(f"ring/{n}" for n in range(10)))
        self.assertEqual(watcher.ping(), [])
        self.check_bystanders()


if __name__ == "__main__":
    main()
