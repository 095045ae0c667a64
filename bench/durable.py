#!/usr/bin/env python3
"""What durability costs: acknowledged QoS 1 messages a second, and what they cost the broker.

    durable.py [--rounds N] [--seconds S] [--threads N] [--folder DISK] [--out FILE.json]

BROKER in the environment is the program. 100 publishers send messages of 200 bytes to 10 sessions
that live on, which are away (each message is queued) or there (each is acknowledged). For each
level of durability, and 1, 20 or 1,000 messages of a publisher without an acknowledgement, a fresh
broker; every round goes through all of them, in the other direction than the round before. The
table has medians.

In the same run the disk tells how often a second it makes 200 bytes safe, one after the other: a
broker with one message on its way cannot be faster at level disk. `groups` are its syncs there.

At level memory with a window of 1 it is this generator, which is one Python process, that sets the
rate: look at the CPU.
"""

import argparse
import itertools
import json
import multiprocessing
import os
import random
import re
import select
import signal
import statistics
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "scenarios"))

import wire  # noqa: E402
from harness import Broker  # noqa: E402
from wire import V5, V311  # noqa: E402

PUBLISHERS = 100
SUBSCRIBERS = 10
PAYLOAD_SIZE = 200
LEVELS = ("memory", "process", "disk")
WINDOWS = (1, 20, 1000)
WARM_UP_S = 1
PUBACK_SIZE = 4


def payload(number, count):
    """What a sensor says, as JSON: about a third is digits that nobody foresees."""
    values = random.Random(number * 100_000 + count)
    fields = ", ".join(f'"{name}": {values.uniform(0, 1000):.6f}' for name in (
        "temperature", "humidity", "pressure", "voltage", "current"))
    text = f'{{"device": "sensor-{number:03}", "sequence": {count}, {fields}'
    return text.ljust(PAYLOAD_SIZE - 1).encode()[:PAYLOAD_SIZE - 1] + b"}"


class Publisher:
    """Sends as many messages as were acknowledged. A PUBACK of 3.1.1 is four bytes, whatever it
    says, and identifiers come back in their order, so nothing has to be decoded."""

    def __init__(self, port, number, window):
        self.client = wire.Client(port, f"publisher{number}", V311, keep_alive=0)
        topic = f"load/{number % SUBSCRIBERS}/{number:03}"
        packets = [wire.publish(V311, topic, payload(number, each), 1, each + 1)
                   for each in range(window)]
        self.size = len(packets[0])
        self.window = window
        self.packets = b"".join(packets * 2)  # Any `window` of them stand side by side.
        self.next = 0
        self.rest = 0  # Bytes of a PUBACK that has not come whole.

    def send(self, count):
        at = self.next * self.size
        self.client.socket.sendall(memoryview(self.packets)[at:at + count * self.size])
        self.next = (self.next + count) % self.window

    def take(self):
        count, self.rest = divmod(len(self.client.socket.recv(1 << 16)) + self.rest, PUBACK_SIZE)
        return count


def listen(port, number):
    """A subscriber that is there: packets of one size, each acknowledged by its identifier."""
    with wire.Client(port, f"subscriber{number}", V5, clean=False, keep_alive=0,
                     props={"session_expiry": 3600, "receive_maximum": 65535}) as client:
        buffer = bytearray(client.buffer)
        topic = f"load/{number}/000"
        size = len(wire.publish(V5, topic, payload(number, 0), 1, 1))
        at = 3 + 2 + len(topic)  # Of the identifier: behind type, length and topic.
        client.socket.settimeout(None)
        while True:
            whole = len(buffer) // size * size
            answer = b"".join(
                b"\x40\x02" + buffer[start + at:start + at + 2] for start in range(0, whole, size))
            del buffer[:whole]
            if answer:
                client.socket.sendall(answer)
            try:
                chunk = client.socket.recv(1 << 18)
            except ConnectionError:
                return
            if not chunk:
                return
            buffer += chunk


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def written_bytes(pid):
    with open(f"/proc/{pid}/io", encoding="ascii") as file:
        return int(re.search(r"^write_bytes: (\d+)", file.read(), re.MULTILINE)[1])


class Cell:
    """One broker, one measurement."""

    def __init__(self, options, level, window, are_there):
        self.level, self.window, self.are_there = level, window, are_there
        self.seconds = options.seconds
        config = f"persistence true\ndurability {level}\nmax_queued_messages 0\n" \
                 f"max_inflight_messages 0\nlog_type notice\n"
        self.broker = Broker(config, threads=options.threads)
        self.reports = 0

    def groups(self):
        """What SIGUSR1 says; 0 without a store."""
        self.broker.signal(signal.SIGUSR1)
        self.reports += 1
        self.broker.wait_log(r"(?s)(SIGUSR1.*){%d}" % self.reports)
        found = re.findall(r"SIGUSR1: .* in (\d+) groups", self.broker.log())
        return int(found[-1]) if found else 0

    def figures(self):
        pid = self.broker.process.pid
        return time.monotonic(), cpu_s(pid), written_bytes(pid), self.groups()

    def run(self):
        self.broker.start()
        readers = []
        try:
            for number in range(SUBSCRIBERS):
                with wire.Client(self.broker.port, f"subscriber{number}", V5, clean=False,
                                 keep_alive=0, props={"session_expiry": 3600}) as client:
                    client.subscribe((f"load/{number}/#", 1))
            if self.are_there:
                readers = [multiprocessing.Process(target=listen, args=(self.broker.port, number),
                                                   daemon=True) for number in range(SUBSCRIBERS)]
            for reader in readers:
                reader.start()
            return self.measure()
        finally:
            for reader in readers:
                reader.kill()
                reader.join()
            self.broker.kill()
            self.broker.close()

    def measure(self):
        publishers = [Publisher(self.broker.port, number, self.window)
                      for number in range(PUBLISHERS)]
        poll = select.epoll()
        by_file = {}
        for one in publishers:
            by_file[one.client.socket.fileno()] = one
            poll.register(one.client.socket, select.EPOLLIN)
            one.send(self.window)
        self.exchange(poll, by_file, WARM_UP_S)
        begin = self.figures()
        acknowledged = self.exchange(poll, by_file, self.seconds)
        end = self.figures()
        for one in publishers:
            one.client.close()
        elapsed, cpu, written, groups = (after - before for after, before in zip(end, begin))
        return {"rate": acknowledged / elapsed, "cpu_us": cpu * 1e6 / max(acknowledged, 1),
                "per_group": acknowledged / groups if groups else 0,
                "bytes": written / max(acknowledged, 1)}

    @staticmethod
    def exchange(poll, by_file, seconds):
        acknowledged = 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for file, _ in poll.poll(0.1):
                publisher = by_file[file]
                count = publisher.take()
                acknowledged += count
                if count:
                    publisher.send(count)
        return acknowledged


def sync_rate(seconds=2):
    """How often a second the disk makes 200 bytes safe, one after the other."""
    with tempfile.TemporaryFile(buffering=0) as file:
        count = 0
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            file.write(payload(0, 0))
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.monotonic() - begin)


def print_table(results, syncs):
    print(f"\nthe disk: {statistics.median(syncs):.0f} single syncs a second "
          f"({min(syncs):.0f} to {max(syncs):.0f})\n")
    print("| level | window | subscribers | acknowledged/s (min to max) | broker CPU us | "
          "messages/group | bytes on disk |\n|---|---|---|---|---|---|---|")
    for (level, window, are_there), rounds in results.items():
        def median(what, of=rounds):
            return statistics.median(each[what] for each in of)
        rates = [each["rate"] for each in rounds]
        print(f"| {level} | {window} | {'there' if are_there else 'away'} | {median('rate'):.0f} "
              f"({min(rates):.0f} to {max(rates):.0f}) | {median('cpu_us'):.2f} | "
              f"{median('per_group'):.1f} | {median('bytes'):.0f} |")


def parse():
    parser = argparse.ArgumentParser(description="what durability costs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=LEVELS)
    parser.add_argument("--windows", nargs="+", type=int, default=WINDOWS)
    parser.add_argument("--folder", help="on the disk to measure; default: that of /tmp")
    parser.add_argument("--out", help="every round's figures, as JSON")
    return parser.parse_args()


def main():
    options = parse()
    if options.folder:
        tempfile.tempdir = options.folder
    cells = list(itertools.product(options.levels, options.windows, (False, True)))
    results = {cell: [] for cell in cells}
    syncs = []
    for number in range(options.rounds):
        syncs.append(sync_rate())
        for cell in cells if number % 2 == 0 else reversed(cells):
            results[cell].append(Cell(options, *cell).run())
            print(f"round {number + 1}, {cell}: {results[cell][-1]}", file=sys.stderr, flush=True)
    print_table(results, syncs)
    if options.out:
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump({"syncs": syncs, "cells": [[*cell, of] for cell, of in results.items()]},
                      file, indent=1)


if __name__ == "__main__":
    main()
