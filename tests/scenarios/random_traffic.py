"""Hundreds of clients do random things for a while, and a model says what must come of it.

They publish and subscribe with every QoS in every version, unsubscribe, leave, crash, come back and
take over their own connections, all at random, from one seed. See traffic_model.py for what is
checked: nothing lost, nothing twice, nothing out of order.

    SCENARIO_SEED       repeats the choices of a run (the network's timing stays its own)
    SCENARIO_SECONDS    how long, 20 by default
    SCENARIO_CLIENTS    how many, 200 by default
"""

import collections
import os
import random
import time

import wire
from harness import IS_NIGHTJAR, Scenario, main
from swarm import Connection, Swarm
from traffic_model import Model
from wire import PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, V5, V31, V311

SEED = int(os.environ.get("SCENARIO_SEED", random.SystemRandom().randrange(1 << 32)))
SECONDS = float(os.environ.get("SCENARIO_SECONDS", "20"))
CLIENTS = int(os.environ.get("SCENARIO_CLIENTS", "200"))
AREAS = 20  # Topics are r/AREA/PLACE.
PLACES = 10
STREAMS_PER_CLIENT = 3
UNANSWERED_MAX = 10  # QoS 1 and 2 messages that a publisher has on the way.
QUIET_BYTES = 20000  # Do new things only in turns that read no more than this.
SETTLE_S = 30  # Without any progress, at the end.


class Sent:
    """A message of QoS 1 or 2 that is not complete."""

    def __init__(self, stream, number):
        self.stream = stream
        self.number = number
        self.released = False  # QoS 2: PUBREC has come, PUBREL was sent.


class Client:
    """The state that a client keeps, as MQTT wants it to, over connections that come and go."""

    def __init__(self, world, index):
        self.world = world
        self.index = index
        choose = world.random
        self.version = choose.choice((V31, V311, V5))
        self.keeps_session = choose.random() < 0.7
        self.streams = []
        self.connection = None
        self.online = False
        self.was_connected = False
        self.subscriptions = {}  # Area -> filter, as the broker knows it.
        self.changing = {}  # Packet id -> (area, filter or None), until the broker answers.
        self.last_id = 0
        self.sent = collections.OrderedDict()  # Packet id -> Sent.
        self.half_received = set()  # QoS 2: ids whose PUBREL has not come.
        self.unconfirmed = []  # QoS 0 messages since the last answered PINGREQ.
        self.pings = collections.deque()  # How many of them each PINGREQ confirms.

    def granted(self, area):
        """Always the same QoS for an area, so that the model stays exact."""
        return (self.index + area) % 3

    def next_id(self):
        while True:
            self.last_id = self.last_id % 65535 + 1
            if self.last_id not in self.sent and self.last_id not in self.changing:
                return self.last_id

    # Connections.

    def connect(self):
        """Connects, or takes over the connection that is there."""
        if self.connection:
            self.lose_connection()
        self.connection = Connection(
            self.world.swarm, self.world.port, self.version, self.on_packet, self.on_closed
        )
        props = {"session_expiry": 3600} if self.keeps_session else {}
        self.connection.send(
            wire.connect(
                self.version,
                f"client{self.index}",
                clean=not self.keeps_session,
                keep_alive=600,
                props=props,
            )
        )

    def lose_connection(self):
        """What the end of a connection means to us. The broker has to close it."""
        self.world.replaced.add(self.connection)
        self.connection = None
        self.online = False
        model = self.world.model
        for stream, number in self.unconfirmed:
            stream.uncertain.add(number)
        self.unconfirmed.clear()
        self.pings.clear()
        for area in range(AREAS):
            # A change that was not answered may or may not have happened. We ask again.
            pending = any(changed == area for changed, _ in self.changing.values())
            for stream in self.world.by_area[area]:
                kept = self.keeps_session and min(stream.qos, self.granted(area)) > 0
                if not kept or pending:
                    model.owes_no_more(self.index, stream)
        for area, pattern in self.changing.values():
            self.subscriptions.setdefault(area, pattern)
        self.changing.clear()
        if not self.keeps_session:
            self.subscriptions.clear()
            self.half_received.clear()
            for message in self.sent.values():
                message.stream.uncertain.add(message.number)
            self.sent.clear()

    def crash(self):
        connection = self.connection
        self.lose_connection()
        connection.close()
        self.world.replaced.discard(connection)

    def leave(self):
        self.connection.send(wire.disconnect(self.version))
        self.lose_connection()

    def on_closed(self, connection):
        self.world.replaced.discard(connection)
        if connection is self.connection:
            self.world.model.errors.append(f"the broker closed client {self.index}'s connection")
            self.lose_connection()
            self.world.replaced.discard(connection)

    def on_packet(self, connection, packet):
        if connection is self.connection:  # Else it is an old one: as if it had never arrived.
            self.ANSWERS[packet.kind](self, packet)

    def on_connack(self, packet):
        if packet.reason != 0:
            self.world.model.errors.append(f"client {self.index} was refused: {packet}")
            return
        want = self.keeps_session and self.was_connected
        if self.version != V31 and packet.session_present != want:
            message = f"client {self.index}: session present is {packet.session_present}"
            self.world.model.errors.append(message)
        self.online = True
        self.was_connected = True
        for area, pattern in list(self.subscriptions.items()):
            self.ask(area, pattern)
        self.send_again()

    def send_again(self):
        """[MQTT-4.4.0-1]"""
        for packet_id, message in self.sent.items():
            if message.released:
                self.connection.send(wire.ack(PUBREL, packet_id))
                continue
            stream = message.stream
            if stream.qos == 1:
                stream.sent_twice.add(message.number)
            self.transmit(stream, message.number, packet_id, dup=True)

    # Subscriptions.

    def ask(self, area, pattern):
        """SUBSCRIBE, or UNSUBSCRIBE if there is no pattern."""
        packet_id = self.next_id()
        self.changing[packet_id] = (area, pattern)
        if pattern:
            filters = [(pattern, self.granted(area))]
            self.connection.send(wire.subscribe(self.version, packet_id, filters))
            for stream in self.streams_of(area, pattern):
                self.world.model.may_come(self.index, stream)
            return
        for stream in self.world.by_area[area]:
            self.world.model.owes_no_more(self.index, stream)
        old = self.subscriptions[area]
        self.connection.send(wire.unsubscribe(self.version, packet_id, [old]))

    def on_suback(self, packet):
        area, pattern = self.changing.pop(packet.id)
        if packet.codes != (self.granted(area),):
            self.world.model.errors.append(f"client {self.index}: {packet}")
        self.subscriptions[area] = pattern
        for stream in self.streams_of(area, pattern):
            self.world.model.owes(self.index, stream)

    def streams_of(self, area, pattern):
        """For the three shapes of filter that this test uses."""
        for stream in self.world.by_area[area]:
            if pattern == stream.topic or pattern[-1] in "+#":
                yield stream

    def on_unsuback(self, packet):
        area, _ = self.changing.pop(packet.id)
        del self.subscriptions[area]

    def change_a_subscription(self):
        area = self.world.random.randrange(AREAS)
        if any(changed == area for changed, _ in self.changing.values()):
            return
        if area in self.subscriptions:
            self.ask(area, None)
        elif len(self.subscriptions) < 3:
            place = self.world.random.randrange(PLACES)
            last_level = self.world.random.choice(("+", "#", place))
            self.ask(area, f"r/{area}/{last_level}")

    # Messages.

    def publish(self):
        stream = self.world.random.choice(self.streams)
        if stream.qos and len(self.sent) >= UNANSWERED_MAX:
            return
        self.publish_on(stream)

    def publish_on(self, stream):
        number = stream.next
        stream.next += 1
        packet_id = None
        if stream.qos:
            packet_id = self.next_id()
            self.sent[packet_id] = Sent(stream, number)
        else:
            self.unconfirmed.append((stream, number))
        self.transmit(stream, number, packet_id)

    def transmit(self, stream, number, packet_id, dup=False):
        payload = f"{self.index} {number}"
        raw = wire.publish(self.version, stream.topic, payload, stream.qos, packet_id, dup=dup)
        self.connection.send(raw)

    def ping(self):
        self.pings.append(len(self.unconfirmed) - sum(self.pings))
        self.connection.send(wire.packet(wire.PINGREQ, 0, b""))

    def on_pingresp(self, _):
        del self.unconfirmed[: self.pings.popleft()]

    def on_puback(self, packet):
        self.sent.pop(packet.id)

    def on_pubrec(self, packet):
        message = self.sent.get(packet.id)
        if message:
            message.released = True
        self.connection.send(wire.ack(PUBREL, packet.id))

    def on_pubcomp(self, packet):
        self.sent.pop(packet.id, None)

    def on_publish(self, packet):
        if packet.qos == 1:
            self.connection.send(wire.ack(PUBACK, packet.id))
        if packet.qos == 2:
            self.connection.send(wire.ack(PUBREC, packet.id))
            if packet.id in self.half_received:
                if not packet.dup:
                    self.world.model.errors.append(f"client {self.index}: no DUP in {packet}")
                return
            self.half_received.add(packet.id)
        publisher, number = map(int, packet.payload.split())
        area = int(packet.topic.split("/")[1])
        stream = self.world.streams[publisher, packet.topic]
        qos = min(stream.qos, self.granted(area))
        self.world.model.received(self.index, stream, number, packet, qos)

    def on_pubrel(self, packet):
        self.half_received.discard(packet.id)
        self.connection.send(wire.ack(PUBCOMP, packet.id))

    def on_disconnect(self, packet):
        self.world.model.errors.append(f"client {self.index} was sent away: {packet}")

    ANSWERS = {
        wire.CONNACK: on_connack,
        wire.SUBACK: on_suback,
        wire.UNSUBACK: on_unsuback,
        wire.PINGRESP: on_pingresp,
        wire.DISCONNECT: on_disconnect,
        PUBLISH: on_publish,
        PUBACK: on_puback,
        PUBREC: on_pubrec,
        PUBREL: on_pubrel,
        PUBCOMP: on_pubcomp,
    }


class World:
    """All clients, their connections and the model."""

    def __init__(self, port):
        self.port = port
        self.random = random.Random(SEED)
        self.swarm = Swarm()
        # Mosquitto 2.0.11 now and then reorders what a session has queued and what comes next.
        self.model = Model(strict_order=IS_NIGHTJAR)
        self.replaced = set()  # Connections that the broker must close, and whose packets we drop.
        self.by_area = collections.defaultdict(list)
        self.streams = {}
        self.clients = [Client(self, index) for index in range(CLIENTS)]
        for client in self.clients:
            for topic in self.random.sample(range(AREAS * PLACES), STREAMS_PER_CLIENT):
                self.add_stream(client, topic // PLACES, topic % PLACES)

    def add_stream(self, client, area, place):
        topic = f"r/{area}/{place}"
        stream = self.model.add_stream(client.index, topic, self.random.randrange(3))
        self.by_area[area].append(stream)
        self.streams[client.index, topic] = stream
        client.streams.append(stream)

    def act(self):
        """One client does one random thing."""
        client = self.random.choice(self.clients)
        if client.connection is None:
            client.connect()
        if not client.online:
            return
        what = self.random.random()
        if what < 0.90:
            client.publish()
        elif what < 0.94:
            client.ping()
        elif what < 0.98:
            client.change_a_subscription()
        elif what < 0.985:
            client.leave()
        elif what < 0.99:
            client.crash()
        else:
            client.connect()

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.model.errors:
            if self.swarm.poll(0.002) <= QUIET_BYTES:
                for _ in range(20):
                    self.act()

    def settle(self, done):
        """Polls until done(); gives up when nothing has come for a while."""
        quiet_since = time.monotonic()
        while not done() and not self.model.errors:
            if self.swarm.poll(0.05):
                quiet_since = time.monotonic()
            if time.monotonic() - quiet_since > SETTLE_S:
                return False
        return not self.model.errors

    def everyone_comes_back(self):
        def ready():
            for client in self.clients:
                if client.connection is None:
                    client.connect()
            return all(each.online and not each.changing and not each.sent for each in self.clients)

        return self.settle(ready)

    def last_messages(self):
        """One more on each stream, so that a loss at the end is seen, too."""
        for client in self.clients:
            for stream in client.streams:
                client.publish_on(stream)
            client.ping()
        # Counting what is owed is slow: only when the network is quiet.
        return self.settle(lambda: not self.swarm.poll(0.05) and self.model.owed() == 0)


class RandomTraffic(Scenario):
    def test_nothing_is_lost_twice_or_out_of_order(self):
        print(f"SCENARIO_SEED={SEED}", flush=True)
        self.start_broker(
            "max_queued_messages 0\nmax_inflight_messages 20\nconnection_messages false"
        )
        world = World(self.broker.port)
        self.addCleanup(world.swarm.close)
        world.run(SECONDS)
        back = world.everyone_comes_back()
        complete = back and world.last_messages()
        if not world.model.errors:
            world.model.report_losses()
        closed = world.settle(lambda: not world.replaced)
        published = sum(stream.next for stream in world.model.streams)
        print(
            f"published {published}, delivered {world.model.delivered}, of them "
            f"{world.model.repeated} again",
            flush=True,
        )
        self.assertEqual(world.model.errors[:20], [], f"SCENARIO_SEED={SEED}")
        self.assertTrue(back, "not all clients came back, or were answered")
        self.assertTrue(complete, "not all messages came")
        self.assertTrue(closed, f"the broker left {len(world.replaced)} old connections open")
        self.assertGreater(world.model.delivered, SECONDS * 50)


if __name__ == "__main__":
    main()
