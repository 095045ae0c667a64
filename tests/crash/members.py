"""The clients of crash.py: each has a session that lives on, and remembers what it was promised."""

import collections
import random
import time

import wire
from wire import PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, V5, ack

WINDOW = 20
EXPIRY = {"session_expiry": 100_000}
WILL_DELAY_S = 1


class Violation(Exception):
    """What the broker has promised and not kept."""


class Member:
    """A client with a session that lives on, on one connection after the other."""

    def __init__(self, name):
        self.name = name
        self.has_session = False
        self.violation = None

    def connect(self, port, **options):
        client = wire.Client(port, self.name, V5, clean=False, keep_alive=0, props=EXPIRY,
                             **options)
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
        self.acknowledged = set()  # Since confirm().
        self.confirmed = 0
        self.retained_sent = 0
        self.retained_acknowledged = 0
        self.unfinished = collections.OrderedDict()  # By packet identifier: the packet to repeat.
        self.numbers = {}  # By packet identifier: (is_retained, number).
        self.last_id = 0
        self.is_quiet = False  # Only finishes what it has begun.

    def owed(self):
        """What every subscriber must get."""
        return self.acknowledged

    def confirm(self):
        """All that is owed has arrived everywhere."""
        self.confirmed += len(self.acknowledged)
        self.acknowledged.clear()

    @staticmethod
    def retained_payload(number):
        """Every fifth retained message clears the topic."""
        return str(number).encode() if number % 5 else b""

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
            payload = self.retained_payload(number)
        else:
            self.sent += 1
            topic, number, qos = self.topic, self.sent, self.qos
            payload = str(number).encode()

        def packet(dup=False):
            return wire.publish(V5, topic, payload, qos, packet_id=identifier,
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
        self.seen = collections.defaultdict(set)  # By topic.
        self.highest = collections.defaultdict(int)
        self.unreleased = {}  # Of QoS 2, by packet identifier: topic and payload.

    def subscribe(self, port):
        with self.connect(port) as client:
            client.subscribe(("stream/#", 2), ("will/#", 2))

    def serve(self, client, is_over):
        while not is_over():
            try:
                found = client.receive(0.05)
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
            self.note(found)
        if found.qos == 2:
            self.unreleased[found.id] = what
        client.send(ack(PUBREC if found.qos == 2 else PUBACK, found.id))

    def note(self, found):
        topic, number = found.topic, int(found.payload)
        if number in self.seen[topic]:
            if found.qos == 2:
                raise Violation(f"{topic}, number {number}: came twice")
            return
        if number < self.highest[topic]:
            raise Violation(f"{topic}, number {number}: came after {self.highest[topic]}")
        self.seen[topic].add(number)
        self.highest[topic] = number

    def missing(self, publisher):
        return publisher.owed() - self.seen[publisher.topic]


class Testator(Member):
    """Leaves wills behind, each with a delay: the session lives on, so a will is published when the
    delay is over, once. Numbered as a publisher's messages are."""

    def __init__(self, number):
        super().__init__(f"testator{number}")
        self.topic = f"will/{number}"
        self.random = random.Random(number)
        self.sent = 0
        self.confirmed = 0
        self.due = None  # When the last will is, if it waits, and the broker has made that safe.
        self.is_owed = False

    def live(self, port, is_over):
        """One will, unless one still waits: a new connection would take it back."""
        if self.due:
            return
        try:
            time.sleep(self.random.uniform(0, 0.1))
            self.leave_will(port)
        except (wire.Closed, OSError):
            pass
        except (Violation, AssertionError) as error:
            self.violation = f"{self.name}: {error}"

    def leave_will(self, port):
        self.sent += 1
        will = (self.topic, str(self.sent), 2, False, {"will_delay": WILL_DELAY_S})
        self.connect(port, will=will).close()
        left = time.monotonic()
        # What is acknowledged after the will began to wait has been made safe after it.
        with wire.Client(port, f"{self.name}-usher", V5) as usher:
            usher.publish(f"usher/{self.topic}", b"it waits", 1, retain=True)
        self.due = left + WILL_DELAY_S + 0.1

    def look_at_clock(self):
        self.is_owed = self.due is not None and time.monotonic() > self.due

    def owed(self):
        return {self.sent} if self.is_owed else set()

    def confirm(self):
        if self.is_owed:
            self.confirmed += 1
            self.due = None


class Wanderer(Member):
    """Subscribes and unsubscribes all the time."""

    FILTERS = 12
    FENCE = "place/fence"

    def __init__(self, number):
        super().__init__(f"wanderer{number}")
        self.random = random.Random(number)
        self.has_subscribed = {}  # By topic, as acknowledged; None while that is not known.
        self.checks = 0

    def subscribe(self, port):
        with self.connect(port) as client:
            client.subscribe((self.FENCE, 1))

    def serve(self, client, is_over):
        while not is_over():
            topic = f"place/{self.random.randrange(self.FILTERS)}"
            had, self.has_subscribed[topic] = self.has_subscribed.get(topic, False), None
            identifier = client.next_id()
            if had:
                client.send(wire.unsubscribe(V5, identifier, [topic]))
            else:
                client.send(wire.subscribe(V5, identifier, [(topic, 1)]))
            self.answer_of(client, identifier)
            self.has_subscribed[topic] = not had

    @staticmethod
    def answer_of(client, identifier):
        while True:
            found = client.receive()
            if found.kind == PUBLISH:  # Of a check, once more.
                client.send(ack(PUBACK, found.id))
            elif found.id == identifier:
                if any(code >= 0x80 for code in found.codes):
                    raise Violation(f"refused with {found}")
                return

    def check(self, port):
        """A message to each topic, the fence last: exactly those that are subscribed come."""
        self.checks += 1
        mark = f"{self.name}, check {self.checks}".encode()
        with self.connect(port) as client, wire.Client(port, "surveyor", V5) as surveyor:
            for topic in [*self.has_subscribed, self.FENCE]:
                surveyor.publish(topic, mark, 1)
            found = set()
            while self.FENCE not in found:
                message = client.take()  # There may be those of other checks.
                if message.payload == mark:
                    found.add(message.topic)
            client.ping()  # The acknowledgements have arrived.
        for topic, wanted in self.has_subscribed.items():
            if wanted is not None and wanted != (topic in found):
                what = "was acknowledged and is gone" if wanted else "is back"
                raise Violation(f"{self.name}: its subscription to {topic} {what}")
            self.has_subscribed[topic] = topic in found
