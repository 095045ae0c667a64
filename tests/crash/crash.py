#!/usr/bin/env python3
"""kill -9 at random moments, again and again: what was acknowledged must be there.

    crash.py [CYCLES] [--seed N] [--threads N] [--qos MAX] [--points LIBRARY] [--config LINE]

BROKER in the environment is the program. LIBRARY is kill_point.cc, built: with it every other kill
is inside a commit, or inside a start, at a call that changes a file of the store.

Publishers with sessions send numbered messages of QoS 1 and 2, each to a topic of its own, and keep
a retained one up to date, which they also clear. Subscribers with sessions want all of them; in
each cycle some are there and some are away. Others leave wills behind, or subscribe and unsubscribe
all the time. After each kill the broker starts again, everybody comes back, and the oracle asks:

    loss          a message that was acknowledged (PUBACK, PUBREC) and does not come; a will that
                  waited for its delay
    duplicate     a message of QoS 2, or a will, that comes twice
    order         a topic's message that comes for the first time after a later one
    session       a session that was acknowledged and is gone
    subscription  one that was acknowledged and is gone, or that was ended and is back
    retained      another retained message than the last one that was acknowledged
"""

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenarios"))

import wire  # noqa: E402
from harness import Broker  # noqa: E402
from members import Publisher, Subscriber, Testator, Violation, Wanderer  # noqa: E402
from wire import V5  # noqa: E402

PUBLISHERS = 6
SUBSCRIBERS = 6
TESTATORS = 3
WANDERERS = 2
DRAIN_S = 60
KILL_S = (0.02, 0.3)  # When, after the traffic has begun.
POINT_S = 1  # So long a kill point may take to be reached.


def check_retained(port, publishers):
    with wire.Client(port, "observer", V5) as observer:
        observer.subscribe(("state/#", 0))
        found = {}
        for message in observer.ping():
            if found.setdefault(message.topic, message.payload) != message.payload:
                raise Violation(f"{message.topic} has two retained messages")
    for one in publishers:
        value = found.get(one.retained_topic, b"")
        wanted = b""
        if one.retained_acknowledged:
            wanted = one.retained_payload(one.retained_acknowledged)
        if value != wanted:
            raise Violation(f"{one.retained_topic} is {value}; the last acknowledged is {wanted}")


class Trial:
    def __init__(self, options):
        self.random = random.Random(options.seed)
        lines = ["persistence true", "max_queued_messages 0", *options.config]
        self.broker = Broker("\n".join(lines), threads=options.threads)
        self.order = os.path.join(self.broker.folder, "kill_point")
        self.has_points = bool(options.points)
        if self.has_points:
            self.broker.environment = {"LD_PRELOAD": options.points, "KILL_POINT_ORDER": self.order}
        self.publishers = [Publisher(number, options.qos) for number in range(PUBLISHERS)]
        self.subscribers = [Subscriber(number) for number in range(SUBSCRIBERS)]
        # A will crosses from thread to thread as QoS 2 does.
        testators = TESTATORS if options.qos == 2 else 0
        self.testators = [Testator(number) for number in range(testators)]
        self.wanderers = [Wanderer(number) for number in range(WANDERERS)]
        self.senders = self.publishers + self.testators

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

    def set_kill_point(self, highest):
        """The order for the library: at which call, and how. Early ones as often as late ones."""
        calls = int(highest ** self.random.random())
        when = self.random.choice(("before", "half", "after"))
        with open(self.order + ".new", "w", encoding="utf-8") as file:
            file.write(f"{calls} {when}")
        os.rename(self.order + ".new", self.order)
        return f"{when} call {calls} of a file of the store"

    def run_until_kill(self):
        """Returns what killed it."""
        present = [each for each in self.subscribers if self.random.random() < 0.5]
        for each in self.publishers:
            each.is_quiet = False
        at = self.random.uniform(*KILL_S)
        is_point = self.has_points and self.random.random() < 0.5
        how = self.set_kill_point(500) if is_point else f"{at:.3f} s after the begin"
        process, self.broker.process = self.broker.process, None

        def kill():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(POINT_S if is_point else at)
                return
            process.kill()
            process.wait()

        self.together(self.senders + present + self.wanderers, lambda: False, kill)
        if process.returncode != -signal.SIGKILL:
            raise Violation(f"the broker ended by itself, with {process.returncode}")
        return how

    def restart(self):
        """With luck: now and then it is killed as it starts."""
        self.broker.process = None
        if os.path.exists(self.order):
            os.remove(self.order)  # It was not reached.
        if self.has_points and self.random.random() < 0.25:
            self.set_kill_point(50)
            with contextlib.suppress(AssertionError):
                self.broker.start()
            process, self.broker.process = self.broker.process, None
            process.kill()
            if process.wait() != -signal.SIGKILL:
                raise Violation(f"the broker ended by itself, with {process.returncode}")
            if os.path.exists(self.order):
                os.remove(self.order)
        self.broker.start()

    def is_settled(self):
        if any(each.unfinished for each in self.publishers):
            return False
        return not any(one.missing(each) for one in self.subscribers for each in self.senders)

    def settle(self):
        """Everybody comes back, finishes what it has begun, and gets what it is owed."""
        for each in self.publishers:
            each.is_quiet = True
        for each in self.testators:
            each.look_at_clock()
        over = threading.Event()

        def wait():
            end = time.monotonic() + DRAIN_S
            while not self.is_settled() and time.monotonic() < end:
                time.sleep(0.01)
            over.set()

        self.together(self.publishers + self.subscribers, over.is_set, wait)
        for one in self.subscribers:
            for each in self.senders:
                missing = one.missing(each)
                if missing:
                    raise Violation(f"{one.name}: {len(missing)} messages of {each.topic} are "
                                    f"lost, the first is {min(missing)}")
        for each in self.senders:
            each.confirm()
        check_retained(self.broker.port, self.publishers)
        for each in self.wanderers:
            each.check(self.broker.port)

    def run(self, cycles):
        self.broker.start()
        for each in self.subscribers + self.wanderers:
            each.subscribe(self.broker.port)
        for cycle in range(cycles):
            how = self.run_until_kill()
            self.restart()
            self.settle()
            messages = sum(each.confirmed for each in self.publishers)
            wills = sum(each.confirmed for each in self.testators)
            print(f"cycle {cycle + 1}, killed {how}: {messages} messages and {wills} wills "
                  "were promised, none lost", flush=True)


def parse():
    parser = argparse.ArgumentParser(description="kill -9 at random moments")
    parser.add_argument("cycles", type=int, nargs="?", default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--qos", type=int, choices=(1, 2), default=2, help="the highest sent")
    parser.add_argument("--points", help="the library that kills inside a commit")
    parser.add_argument("--config", action="append", default=[], help="a line of mosquitto.conf")
    return parser.parse_args()


def main():
    options = parse()
    print(f"{options.cycles} cycles, seed {options.seed}", flush=True)
    trial = Trial(options)
    try:
        trial.run(options.cycles)
    except (Violation, AssertionError) as violation:
        print(f"broken: {violation}\nseed {options.seed}; its log ends with")
        print(trial.broker.log()[-3000:])
        sys.exit(1)
    finally:
        trial.broker.close()


if __name__ == "__main__":
    main()
