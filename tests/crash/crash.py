#!/usr/bin/env python3
"""kill -9 at random moments, again and again: what was acknowledged must be there.

    crash.py [CYCLES] [--seed N] [--threads N] [--qos MAX] [--config LINE]

BROKER in the environment is the program.

Publishers with sessions send numbered messages of QoS 1 and 2, each to a topic of its own, and keep
a retained one up to date. Subscribers with sessions want all of them; in each cycle some are there
and some are away. After each kill the broker starts again, everybody comes back, and the oracle
asks:

    loss       a message that was acknowledged (PUBACK, PUBREC) and does not come
    duplicate  a message of QoS 2 that comes twice
    order      a topic's message that comes for the first time after a later one
    session    a session, or a subscription, that was acknowledged and is gone
    retained   a retained message older than the last one that was acknowledged
"""

import argparse
import collections
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenarios"))

import wire  # noqa: E402
from harness import Broker  # noqa: E402
from wire import PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, V5, ack  # noqa: E402

WINDOW = 20
PUBLISHERS = 6
SUBSCRIBERS = 6
DRAIN_S = 60
EXPIRY = {"session_expiry": 100_000}


class Violation(Exception):
    """What the broker has promised and not kept."""


class Member:
    """A client with a session that lives on, on one connection after the other."""

    def __init__(self, name):
        self.name = name
        self.has_session = False
        self.violation = None

    def connect(self, port):
        client = wire.Client(port, self.name, V5, clean=False, keep_alive=0, props=EXPIRY)
        if self.has_session and not client.connack.session_present:
            client.close()
            raise Violation(f"{self.name}: its session is gone")
        self.has_session = True
        return client

    def live(self, port, is_over):
        """One connection, until the broker is killed or `is_over()`."""
        try:
            with self.connect(port) as client:
                self.serve(client, is_over)
        except (wire.Closed, OSError):
            pass
        except (Violation, AssertionError) as error:
            self.violation = f"{self.name}: {error}"


class Publisher(Member):
    def __init__(self, number, qos_max):
        super().__init__(f"publisher{number}")
        self.qos = 1 + number % qos_max
        self.topic = f"stream/{number}"
        self.retained_topic = f"state/{number}"
        self.sent = 0
        self.acknowledged = set()
        self.retained_sent = 0
        self.retained_acknowledged = 0
        self.unfinished = collections.OrderedDict()  # By packet identifier: the packet to repeat.
        self.numbers = {}  # By packet identifier: (is_retained, number).
        self.last_id = 0
        self.is_quiet = False  # Only finishes what it has begun.

    def serve(self, client, is_over):
        for packet in list(self.unfinished.values()):
            client.send(packet(dup=True))
        while not is_over():
            while len(self.unfinished) < WINDOW and not self.is_quiet:
                self.send_next(client)
            if not self.unfinished:
                return
            self.take(client, client.receive())

    def send_next(self, client):
        identifier = self.last_id = self.last_id % 65535 + 1
        is_retained = self.last_id % 10 == 0
        if is_retained:
            self.retained_sent += 1
            topic, number, qos = self.retained_topic, self.retained_sent, 1
        else:
            self.sent += 1
            topic, number, qos = self.topic, self.sent, self.qos

        def packet(dup=False):
            return wire.publish(V5, topic, str(number).encode(), qos, packet_id=identifier,
                                retain=is_retained, dup=dup)

        self.unfinished[identifier] = packet
        self.numbers[identifier] = (is_retained, number)
        client.send(packet())

    def take(self, client, found):
        identifier = found.id
        if found.kind in (PUBACK, PUBREC):
            if found.reason >= 0x80:
                raise Violation(f"refused with {found.reason:#x}")
            is_retained, number = self.numbers[identifier]
            if is_retained:
                self.retained_acknowledged = max(number, self.retained_acknowledged)
            else:
                self.acknowledged.add(number)
        if found.kind == PUBREC:
            self.unfinished[identifier] = lambda dup=False: ack(PUBREL, identifier)
            client.send(ack(PUBREL, identifier))
        elif found.kind in (PUBACK, PUBCOMP):
            self.unfinished.pop(identifier, None)


class Subscriber(Member):
    def __init__(self, number):
        super().__init__(f"subscriber{number}")
        self.received = collections.defaultdict(list)  # By topic, in order.
        self.unreleased = {}  # Of QoS 2, by packet identifier: topic and payload.

    def subscribe(self, port):
        with self.connect(port) as client:
            client.subscribe(("stream/#", 2))

    def serve(self, client, is_over):
        while not is_over():
            try:
                found = client.receive(0.2)
            except AssertionError:
                continue  # Nothing came; is it over?
            self.take(client, found)

    def take(self, client, found):
        if found.kind == PUBREL:
            self.unreleased.pop(found.id, None)
            client.send(ack(PUBCOMP, found.id))
        if found.kind != PUBLISH:
            return
        what = found.topic, found.payload
        known = self.unreleased.get(found.id) if found.qos == 2 else None
        if known and known != what:
            raise Violation(f"identifier {found.id} is {known} and is used for {what}")
        if not known:
            self.received[found.topic].append(int(found.payload))
        if found.qos == 2:
            self.unreleased[found.id] = what
        client.send(ack(PUBREC if found.qos == 2 else PUBACK, found.id))

    def missing(self, publisher):
        return publisher.acknowledged - set(self.received[publisher.topic])


def check_order(subscriber, publisher):
    seen = set()
    highest = 0
    for number in subscriber.received[publisher.topic]:
        where = f"{subscriber.name}, {publisher.topic}, number {number}"
        if number in seen:
            if publisher.qos == 2:
                raise Violation(f"{where}: came twice")
            continue
        if number < highest:
            raise Violation(f"{where}: came after {highest}")
        seen.add(number)
        highest = number


def check_retained(port, publishers):
    with wire.Client(port, "observer", V5) as observer:
        for one in publishers:
            if not one.retained_acknowledged:
                continue
            observer.subscribe((one.retained_topic, 0))
            value = int(observer.take().payload)
            if not one.retained_acknowledged <= value <= one.retained_sent:
                known = one.retained_acknowledged
                raise Violation(f"{one.retained_topic} is {value}; {known} was acknowledged")


class Trial:
    def __init__(self, options):
        self.random = random.Random(options.seed)
        lines = ["persistence true", "max_queued_messages 0", *options.config]
        self.broker = Broker("\n".join(lines), threads=options.threads)
        self.publishers = [Publisher(number, options.qos) for number in range(PUBLISHERS)]
        self.subscribers = [Subscriber(number) for number in range(SUBSCRIBERS)]

    def together(self, members, is_over, meanwhile):
        threads = [
            threading.Thread(target=each.live, args=(self.broker.port, is_over)) for each in members
        ]
        for thread in threads:
            thread.start()
        try:
            meanwhile()
        finally:
            for thread in threads:
                thread.join()
        for each in members:
            if each.violation:
                raise Violation(each.violation)

    def run_until_kill(self):
        present = [each for each in self.subscribers if self.random.random() < 0.5]
        for each in self.publishers:
            each.is_quiet = False

        def kill():
            time.sleep(self.random.uniform(0.02, 0.6))
            self.broker.process.send_signal(signal.SIGKILL)
            self.broker.process.wait()

        self.together(self.publishers + present, lambda: False, kill)

    def settle(self):
        """Everybody comes back, finishes what it has begun, and gets what it is owed."""
        for each in self.publishers:
            each.is_quiet = True
        over = threading.Event()

        def wait():
            end = time.monotonic() + DRAIN_S
            while not over.is_set():
                if not any(one.missing(each) for one in self.subscribers
                           for each in self.publishers) and not any(
                               each.unfinished for each in self.publishers):
                    break
                if time.monotonic() > end:
                    break
                time.sleep(0.01)
            over.set()

        self.together(self.publishers + self.subscribers, over.is_set, wait)
        for one in self.subscribers:
            for each in self.publishers:
                missing = one.missing(each)
                if missing:
                    raise Violation(f"{one.name}: {len(missing)} messages of {each.topic} are "
                                    f"lost, the first is {min(missing)}")
                check_order(one, each)
        check_retained(self.broker.port, self.publishers)

    def run(self, cycles):
        self.broker.start()
        for each in self.subscribers:
            each.subscribe(self.broker.port)
        for cycle in range(cycles):
            self.run_until_kill()
            self.broker.process = None
            self.broker.start()
            self.settle()
            total = sum(len(each.acknowledged) for each in self.publishers)
            print(f"cycle {cycle + 1}: {total} messages acknowledged, none lost", flush=True)


def parse():
    parser = argparse.ArgumentParser(description="kill -9 at random moments")
    parser.add_argument("cycles", type=int, nargs="?", default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--qos", type=int, choices=(1, 2), default=2, help="the highest sent")
    parser.add_argument("--config", action="append", default=[], help="a line of mosquitto.conf")
    return parser.parse_args()


def main():
    options = parse()
    print(f"{options.cycles} cycles, seed {options.seed}", flush=True)
    trial = Trial(options)
    try:
        trial.run(options.cycles)
    except Violation as violation:
        print(f"broken: {violation}\nseed {options.seed}; its log ends with")
        print(trial.broker.log()[-3000:])
        sys.exit(1)
    finally:
        trial.broker.close()


if __name__ == "__main__":
    main()
