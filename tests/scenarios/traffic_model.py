"""What a broker owes its clients: the model that random_traffic.py holds against the real one.

A stream is one publisher's messages on one topic, numbered 0, 1, 2 ... Each stream has one QoS, and
each client always subscribes to a topic with the same QoS, so the effective QoS of a pair is fixed.

For each pair of client and stream the model keeps *owed* ranges [start, end) of numbers: what was
sent while the client certainly was subscribed. Ranges of clients that are still subscribed at the
end of the test are open. A closed one ends with the last number that came before it was closed,
since when exactly a subscription ends is not for us to see. The rules:

    loss       a number in a range that never came
    order      a new number that is lower than one seen before
    duplicate  a number again, unless QoS 1 explains it: DUP is set at QoS 1, or the publisher,
               having lost its connection before the PUBACK, has sent it twice
    quality    another QoS than the lower one of publisher and subscriber

Numbers that a publisher sent on a connection that died before the broker answered are `uncertain`
if nobody repeats them: they may be missing, and only missing.
"""

import collections


class Stream:
    def __init__(self, publisher, topic, qos):
        self.publisher = publisher
        self.topic = topic
        self.qos = qos
        self.next = 0
        self.sent_twice = set()
        self.uncertain = set()
        self.followers = set()  # Indexes of the clients that are owed something now.

    def name(self):
        return f"{self.publisher}:{self.topic}"


class Pair:
    """One client and one stream."""

    def __init__(self):
        self.seen = set()
        self.last = -1
        self.ranges = []  # [start, end or None while it is open]; end is after the last sure one.

    def open(self, start):
        if not self.is_open():
            self.ranges.append([start, None])

    def close(self):
        """What has come so far proves that everything before it was sent to us. The rest may have
        met the end of the subscription, or of the connection."""
        if self.is_open():
            self.ranges[-1][1] = self.last + 1

    def is_open(self):
        return bool(self.ranges) and self.ranges[-1][1] is None


class Model:
    def __init__(self, strict_order=True):
        self.strict_order = strict_order
        self.streams = []
        self.by_topic = collections.defaultdict(list)
        self.pairs = {}
        self.errors = []
        self.delivered = 0
        self.repeated = 0

    def add_stream(self, publisher, topic, qos):
        stream = Stream(publisher, topic, qos)
        self.streams.append(stream)
        self.by_topic[topic].append(stream)
        return stream

    def pair(self, client, stream):
        return self.pairs.setdefault((client, stream), Pair())

    def may_come(self, client, stream):
        """The client has asked for it; the broker may have heard, or not yet."""
        self.pair(client, stream)

    def owes(self, client, stream):
        """From now on the client is certainly subscribed to the stream."""
        self.pair(client, stream).open(stream.next)
        stream.followers.add(client)

    def owes_no_more(self, client, stream):
        if client in stream.followers:
            self.pair(client, stream).close()
            stream.followers.discard(client)

    def error(self, client, stream, number, message):
        self.errors.append(f"client {client}, {stream.name()} number {number}: {message}")

    def received(self, client, stream, number, packet, qos):
        """`qos` is the effective QoS; a repetition that the client's own QoS 2 state explains does
        not come here."""
        self.delivered += 1
        if (client, stream) not in self.pairs:
            self.error(client, stream, number, "came without a subscription")
        pair = self.pair(client, stream)
        if packet.qos != qos:
            self.error(client, stream, number, f"came with QoS {packet.qos}, not {qos}")
        if number >= stream.next:
            self.error(client, stream, number, "was never sent")
        if number in pair.seen:
            self.repeated += 1
            explained = packet.qos == 1 and packet.dup or number in stream.sent_twice
            if not explained:
                self.error(client, stream, number, f"came twice: {packet}")
        elif self.strict_order and number < pair.last and number not in stream.sent_twice:
            message = f"came after {pair.last}: QoS {stream.qos} as {packet}"
            self.error(client, stream, number, message)
        pair.seen.add(number)
        pair.last = max(pair.last, number)

    def _missing(self, stream, pair):
        for start, end in pair.ranges:
            limit = stream.next if end is None else end
            for number in range(start, limit):
                if number not in pair.seen and number not in stream.uncertain:
                    yield number

    def owed(self):
        """How many messages are still to come."""
        return sum(
            len(list(self._missing(stream, pair))) for (_, stream), pair in self.pairs.items()
        )

    def report_losses(self):
        for (client, stream), pair in self.pairs.items():
            for number in self._missing(stream, pair):
                self.error(client, stream, number, f"is lost; owed {pair.ranges[-3:]}")
