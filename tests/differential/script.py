"""Random scripts: what one to three clients send to a broker, step by step, from a seed.

A step holds the very bytes that go to each broker. Where a name must be of this play alone (topics,
client ids) they hold ROOT, which the player replaces by a name of the same length: a script can be
played again and again on brokers that keep what earlier ones left behind. Every payload is unique
within its script, so that a message can be told wherever it turns up.
"""

import dataclasses
import random

import wire
from wire import V5, V31, V311

ROOT = "root0000"  # At least two bytes, none of which is "/", "+" or "#".
NEVER = 0xFFFFFFFF
LONG_S = 100_000  # Of any interval: no script lives to see it end.

# Below these no other play has topics. The last two are for wildcards in the first level.
TOPICS = ("", "/a", "/a", "/a/b", "/a/b/c", "/b", "/", "//a", "/$a")
FILTERS = ("", "/a", "/a", "/a/b", "//a", "/+", "/+", "/+/b", "/a/+", "/+/+/+", "/#", "/#", "/a/#",
           "/+/#")
FIRST_LEVELS = ("x", "", "$x")
BAD_FILTERS = ("/a#", "/#/a", "/b+", "/+b/c", "/\0", "/##")
BAD_TOPICS = ("/+", "/#", "/a+", "/\0", "/a/#/b")
LARGE = 5000
PAYLOAD_SHOWN = 20  # Bytes of a payload by which a message is known.


@dataclasses.dataclass(frozen=True, eq=False)
class Sent:
    """What a packet of a step was meant to be: for conditions of differences, and for people."""

    kind: str
    fields: dict

    def __str__(self):
        told = ", ".join(f"{name}={value!r}" for name, value in self.fields.items())
        return f"{self.kind}({told})".replace("." * (LARGE - PAYLOAD_SHOWN), "")

    __repr__ = __str__

    def get(self, name, default=None):
        return self.fields.get(name, default)


@dataclasses.dataclass(frozen=True)
class Step:
    """One act of one client.

    open    a new connection, which sends `raw`; the client's old one stays as it is
    send    sends `raw` on the newest connection
    leave   sends `raw`, ends the stream, and waits for the broker to close
    ack     answers the message `choice` of those that wait for an answer, with `reason`
    """

    client: int
    act: str
    raw: bytes = b""
    says: tuple = ()
    version: int = V311  # Of an open: how to read what comes.
    acks: bool = True  # Of an open: the client answers messages by itself.
    choice: int = 0
    reason: int = 0

    def __str__(self):
        what = " ".join(str(each) for each in self.says)
        if self.act == "open":
            what += "" if self.acks else " [acknowledges by hand]"
        if self.act == "ack":
            what = f"choice {self.choice}, reason {self.reason:#04x}"
        return f"client {self.client}: {self.act} {what}".rstrip()


def level_of(connect):
    """The version that a CONNECT asks for; None if there is none such."""
    body = wire.split(connect)[1]
    level = body[2 + body[1]] & 0x7F if body[1] < 8 else None
    return level if level in (V31, V311, V5) else None


def as_bridge(raw, version):
    """A CONNECT with the bit in its protocol level that Mosquitto's bridges set."""
    name = b"MQIsdp" if version == V31 else b"MQTT"
    return raw.replace(name + bytes([version]), name + bytes([version | 0x80]), 1)


class _Client:
    """What the generator believes about a client; a guess, as the brokers may close at any time."""

    def __init__(self, index):
        self.index = index
        self.version = None
        self.online = False
        self.acks = True
        self.aliases = {}
        self.received = []  # Identifiers of QoS 2 messages without PUBREL.


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.clients = [_Client(i) for i in range(self.random.choice((1, 2, 2, 3)))]
        # Most scripts are well-behaved, or they would all end soon.
        self.is_rough = self.chance(0.3)
        self.steps = []
        self.payloads = 0

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, *choices):
        return self.random.choice(choices)

    def script(self):
        for client in self.clients:
            self.connect(client)
        for _ in range(self.random.randrange(4, 22)):
            client = self.random.choice(self.clients)
            if client.online:
                self.act(client)
            else:
                self.connect(client)
        return self.steps

    def add(self, client, act, raw=b"", *says, **other):
        self.steps.append(Step(client.index, act, raw, tuple(says), **other))

    def act(self, client):
        acts = [
            (30, self.publish), (17, self.subscribe), (5, self.unsubscribe), (6, self.burst),
            (0 if client.acks else 25, self.ack), (3, self.release), (4, self.connect),
            (4, self.disconnect), (4, self.crash),
        ]
        if self.is_rough:
            acts += [(4, self.odd_ack), (4, self.mutant), (2, self.nonsense), (1, self.cut)]
        weights, choices = zip(*acts)
        self.random.choices(choices, weights)[0](client)

    # CONNECT

    def connect(self, client):
        version = self.random.choice((V31, V311, V311, V5, V5, V5, V5))
        clean = self.chance(0.5)
        props = self.connect_properties(clean) if version == V5 else {}
        terms = {"clean": clean, "keep_alive": self.pick(0, 0, 600)}
        if self.chance(0.3):
            terms["will"] = self.will(version)
        if self.chance(0.1):
            terms["username"] = "user"
            if version != V31 or self.chance(0.5):
                terms["password"] = b"secret"
        client_id = f"{ROOT}-{client.index}"
        if self.is_rough and self.chance(0.05):
            client_id = ""
        raw = wire.connect(version, client_id, props=props, **terms)
        is_bridge = version != V5 and self.chance(0.07)
        if is_bridge:
            raw = as_bridge(raw, version)
        client.version = version
        client.online = True
        client.acks = self.chance(0.6)
        client.aliases = {}
        says = Sent("CONNECT", {"version": version, "id": client_id, **terms, **props})
        if is_bridge:
            says.fields["bridge"] = True
        if self.is_rough and self.chance(0.04):
            raw, says = self.mutate(raw, says)
            version = level_of(raw) or version
        self.add(client, "open", raw, says, version=version, acks=client.acks)

    def connect_properties(self, clean):
        props = {}
        expiry = self.pick(None, 0, LONG_S, LONG_S, NEVER)
        if expiry is not None and not (clean and self.chance(0.5)):
            props["session_expiry"] = expiry
        if self.chance(0.3):
            props["receive_maximum"] = self.pick(1, 1, 2, 3, 10, 65535)
        if self.chance(0.15):
            props["maximum_packet_size"] = self.pick(60, 200, 4000, 100_000)
        if self.chance(0.1):
            props["user_property"] = [("k", "v"), ("k", "v")]
        if self.chance(0.1):
            props["request_problem_information"] = self.pick(0, 1)
        if self.chance(0.1):
            props["request_response_information"] = self.pick(0, 1)
        if self.is_rough and self.chance(0.03):
            props[self.pick("receive_maximum", "maximum_packet_size", "topic_alias")] = 0
        return props

    def will(self, version):
        will = [self.topic(), self.payload(), self.random.randrange(3), self.chance(0.3)]
        if version == V5:
            props = self.message_properties()
            if self.chance(0.5):
                props["will_delay"] = self.pick(0, LONG_S)
            will.append(props)
        return tuple(will)

    # Messages

    def topic(self):
        if self.is_rough and self.chance(0.02):
            return self.pick(ROOT + self.random.choice(BAD_TOPICS), "")
        if self.chance(0.1):
            return f"{self.random.choice(FIRST_LEVELS)}/{ROOT}/a"
        return ROOT + self.random.choice(TOPICS)

    def filter(self):
        if self.is_rough and self.chance(0.02):
            return self.pick(ROOT + self.random.choice(BAD_FILTERS), "")
        if self.chance(0.08):
            return self.pick(f"+/{ROOT}/#", f"+/{ROOT}/a", f"$x/{ROOT}/#")
        return ROOT + self.random.choice(FILTERS)

    def payload(self):
        self.payloads += 1
        text = f"m{self.payloads}"
        return text.ljust(LARGE, ".") if self.chance(0.03) else text

    def message_properties(self):
        props = {}
        if self.chance(0.6):
            return props
        for name, values in (
            ("payload_format", (0, 1)),
            ("message_expiry", (LONG_S, 2 * LONG_S)),
            ("content_type", ("text", "")),
            ("response_topic", (f"{ROOT}/answer",)),
            ("correlation_data", (b"\0\1", b"")),
            ("user_property", ([("a", "1")], [("b", "2"), ("a", "1"), ("b", "2")])),
        ):
            if self.chance(0.3):
                props[name] = self.random.choice(values)
        if self.is_rough and self.chance(0.03):
            props[self.pick("subscription_id", "receive_maximum", "will_delay")] = 1
        if self.is_rough and self.chance(0.03):
            props["payload_format"] = [0, 1]
        return props

    def publish_packet(self, client):
        """(bytes, Sent) of one PUBLISH, with its PUBREL unless it is to stay open."""
        qos = self.random.randrange(3)
        terms = {"retain": self.chance(0.3)}
        topic = self.topic()
        payload = self.payload()
        if terms["retain"] and self.chance(0.2):
            payload = ""
        if client.version == V5:
            terms["props"] = self.message_properties()
            topic = self.alias(client, topic, terms["props"])
        if qos:
            terms["packet_id"] = self.unused_id(client)
            terms["dup"] = self.chance(0.05)
        raw = wire.publish(client.version, topic, payload, qos, **terms)
        says = Sent("PUBLISH", {"topic": topic, "payload": payload, "qos": qos, **terms})
        if qos == 2:
            if self.chance(0.95):
                return raw + wire.ack(wire.PUBREL, terms["packet_id"]), (
                    says, Sent("PUBREL", {"id": terms["packet_id"]}))
            client.received.append(terms["packet_id"])
        return raw, (says,)

    def unused_id(self, client):
        """One that waits for no PUBREL; rough clients do not care."""
        ids = [each for each in range(1, 6) if self.is_rough or each not in client.received]
        return self.pick(*ids) if ids else 6

    def alias(self, client, topic, props):
        """The topic to send: none if an alias that is known stands for it."""
        if not self.chance(0.25):
            return topic
        alias = self.random.randrange(1, 4)
        if self.is_rough and self.chance(0.05):
            alias = self.pick(0, 10, 11, 65535)
        props["topic_alias"] = alias
        if alias in client.aliases and self.chance(0.6):
            return ""
        if self.is_rough and self.chance(0.03):
            return ""
        client.aliases[alias] = topic
        return topic

    def publish(self, client):
        raw, says = self.publish_packet(client)
        self.add(client, "send", raw, *says)

    # The others

    def subscribe_packet(self, client):
        filters = []
        for _ in range(self.pick(1, 1, 1, 2, 3)):
            options = self.random.randrange(3)
            if client.version == V5:
                options |= self.pick(0, 0, 4) | self.pick(0, 8) | self.pick(0, 0, 16, 32)
            if self.is_rough and self.chance(0.02):
                options |= self.pick(3, 0x30, 0x40, 0x80, 4, 8)
            filters.append((self.filter(), options))
        props = {}
        if client.version == V5 and self.chance(0.4):
            props["subscription_id"] = self.pick(1, 2, 127, 128, 268_435_455)
            if self.is_rough and self.chance(0.05):
                props["subscription_id"] = self.pick(0, [1, 2])
        if client.version == V5 and self.chance(0.05):
            props["user_property"] = [("k", "v")]
        packet_id = self.random.randrange(1, 6)
        raw = wire.subscribe(client.version, packet_id, filters, props)
        return raw, Sent("SUBSCRIBE", {"id": packet_id, "filters": filters, **props})

    def subscribe(self, client):
        self.add(client, "send", *self.subscribe_packet(client))

    def unsubscribe(self, client):
        filters = [self.filter() for _ in range(self.pick(1, 1, 2))]
        raw = wire.unsubscribe(client.version, 7, filters)
        self.add(client, "send", raw, Sent("UNSUBSCRIBE", {"id": 7, "filters": filters}))

    def burst(self, client):
        """Several messages in one write."""
        raw, says = b"", ()
        for _ in range(self.random.randrange(2, 6)):
            more, also = self.publish_packet(client)
            raw += more
            says += also
        self.add(client, "send", raw, *says)

    def ack(self, client):
        reason = self.pick(0, 0, 0, 0, 0, 0x10, 0x80, 0x97) if client.version == V5 else 0
        self.add(client, "ack", choice=self.random.randrange(4), reason=reason)

    def release(self, client):
        if client.received:
            packet_id = client.received.pop()
            raw = wire.ack(wire.PUBREL, packet_id)
            self.add(client, "send", raw, Sent("PUBREL", {"id": packet_id}))

    def disconnect(self, client):
        reason, props = 0, {}
        if client.version == V5:
            reason = self.pick(0, 0, 0, 4, 0x80)
            if self.chance(0.3):
                props["session_expiry"] = self.pick(0, LONG_S, NEVER)
        client.online = False
        raw = wire.disconnect(client.version, reason, props)
        self.add(client, "leave", raw, Sent("DISCONNECT", {"reason": reason, **props}))

    def crash(self, client):
        client.online = False
        self.add(client, "leave")

    # What a client must not do

    def odd_ack(self, client):
        kind = self.pick(wire.PUBACK, wire.PUBREC, wire.PUBREL, wire.PUBCOMP)
        packet_id = self.pick(0, 1, 1, 2, 60_000)
        raw = wire.ack(kind, packet_id)
        self.add(client, "send", raw, Sent("ODD_ACK", {"kind": kind, "id": packet_id}))

    def mutant(self, client):
        maker = self.pick(self.publish_packet, self.subscribe_packet)
        raw, says = maker(client)
        self.add(client, "send", *self.mutate(raw, says))

    def mutate(self, raw, says):
        """(bytes, Sent), a byte of it changed, but not the frame and not the name of the script."""
        root = ROOT.encode()
        size = wire.split(raw)[2]
        for _ in range(10):
            at = self.random.randrange(size)
            byte = raw[at] ^ self.pick(1, 2, 4, 8, 16, 32, 64, 128, 255)
            changed = raw[:at] + bytes([byte]) + raw[at + 1 :]
            found = wire.split(changed)
            is_framed = found is not None and found[2] == size
            is_ping = at == 0 and byte >> 4 == wire.PINGREQ
            if is_framed and not is_ping and changed.count(root) == raw.count(root):
                terms = {"of": says, "was": raw[at], "is": byte, "raw": changed}
                return changed, Sent("MUTANT", terms)
        return raw, Sent("MUTANT", {"of": says, "was": 0, "is": 0, "raw": raw})

    def nonsense(self, client):
        raw, what = self.random.choice((
            (b"\x20\2\0\0", "CONNACK"),
            (b"\x90\3\0\1\0", "SUBACK"),
            (b"\xb0\2\0\1", "UNSUBACK"),
            (b"\xd0\0", "PINGRESP"),
            (b"\0\0", "type 0"),
            (b"\x30\xff\xff\xff\xff\1", "a length of five bytes"),
            (b"\x82\2\0\1", "SUBSCRIBE without a filter"),
            (b"\xa2\2\0\1", "UNSUBSCRIBE without a filter"),
            (b"\x40\1\0", "PUBACK of one byte"),
            (b"\xe1\0", "DISCONNECT with flags"),
            (wire.connect(client.version, f"{ROOT}-{client.index}"), "a second CONNECT"),
        ))
        self.add(client, "send", raw, Sent("NONSENSE", {"what": what}))

    def cut(self, client):
        """A packet whose end never comes."""
        raw, says = self.subscribe_packet(client)
        raw = raw[: self.random.randrange(1, len(raw))]
        client.online = False
        self.add(client, "leave", raw, Sent("CUT", {"of": says}))


def generate(seed):
    return Generator(seed).script()
