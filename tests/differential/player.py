"""Plays a script to one broker and writes down what each client sees.

There are no sleeps. A PINGREQ follows what a client sends, and the PINGRESP says that the broker
has acted on it; then every other client asks in the same way, so that all it was sent has come. A
client that leaves waits for the broker to close. So "what was seen in this step" is exact.

Packet identifiers that a broker chose mean nothing to another: they become the name of the message
that they were first used for. All else stays as it was sent.
"""

import socket
import struct

import wire
from case import intended
from harness import HOST
from script import PAYLOAD_SHOWN, ROOT
from wire import V5

PINGREQ = bytes([wire.PINGREQ << 4, 0])
PONG = wire.PINGRESP << 4
PATIENCE_S = 20
ROUNDS_MAX = 100  # Of acknowledgements in one step; a broker that goes on has lost its mind.

NAMES = {
    wire.CONNACK: "CONNACK", wire.PUBLISH: "PUBLISH", wire.PUBACK: "PUBACK",
    wire.PUBREC: "PUBREC", wire.PUBREL: "PUBREL", wire.PUBCOMP: "PUBCOMP", wire.SUBACK: "SUBACK",
    wire.UNSUBACK: "UNSUBACK", wire.DISCONNECT: "DISCONNECT", wire.AUTH: "AUTH",
}


class Seen:
    """A packet from the broker as plain fields, which two brokers can be compared by. CLOSED and
    SILENCE (no answer in PATIENCE_S) stand for the end of a connection."""

    __slots__ = ("kind", "fields", "size", "in_flight")

    def __init__(self, kind, **fields):
        self.kind = kind
        self.fields = fields
        # These two are not compared.
        self.size = 0  # On the wire.
        self.in_flight = 0  # Messages that the client had not acknowledged then.

    def __eq__(self, other):
        return self.kind == other.kind and self.fields == other.fields

    def __repr__(self):
        told = [f"{name}={value!r}" for name, value in self.fields.items()
                if value not in (0, (), {}, False) or name in ("reason", "payload")]
        return f"{self.kind}({', '.join(told)})"

    def __getitem__(self, name):
        return self.fields.get(name)



def coarse(seconds):
    """An interval that has run for a second or two is the same as before."""
    return -(-seconds // 1000) * 1000


class Link:
    """One connection of a client."""

    def __init__(self, port, step, number, messages):
        self.number = number
        self.messages = messages
        self.version = step.version
        self.acks = step.acks
        self.seen = []
        self.due = []  # What the client answers by itself with its next packets.
        self.is_open = True
        self.buffer = bytearray()
        self.socket = socket.create_connection((HOST, port), PATIENCE_S)
        self.socket.settimeout(None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", PATIENCE_S, 0))

    def send(self, raw):
        try:
            self.socket.sendall(raw)
        except ConnectionError:
            pass  # Closed by the broker: reading will tell.

    def finish(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        """With a reset, so that thousands of scripts leave no ports waiting."""
        self.is_open = False
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def packet(self):
        """The next one as (first byte, body), or None: the connection is over."""
        while True:
            found = wire.split(self.buffer)
            if found:
                first, body, used = found
                del self.buffer[:used]
                return first, body
            try:
                chunk = self.socket.recv(1 << 16)
            except ConnectionError:
                chunk = b""
            except BlockingIOError:
                self.seen.append(Seen("SILENCE"))
                self.close()
                return None
            if not chunk:
                self.seen.append(Seen("CLOSED", rest=bytes(self.buffer)))
                self.close()
                return None
            self.buffer += chunk


class Messages:
    """What a broker has sent to a client: names for its identifiers, and what waits for answers."""

    def __init__(self, root, names):
        self.root = root
        self.names = dict(names)  # Packet identifier -> name of the message.
        self.waiting = {}  # Name -> (packet identifier, the packet that answers).
        self.in_flight = set()  # Packet identifiers that the broker must not count as done.
        self.done = []  # Those of them that the next packets of the client end.

    def name(self, packet):
        if packet.dup and packet.id in self.names:
            return self.names[packet.id]
        # Copies for overlapping subscriptions are told apart by what differs, not by their order.
        text = packet.payload.decode("latin-1")[:PAYLOAD_SHOWN]
        name = f"{text or packet.topic.replace(self.root, ROOT)} q{packet.qos} r{packet.retain:d}"
        name += f" {sorted(packet.props.get('subscription_id', ()))}"
        if packet.id in self.names:
            name += ", AN IDENTIFIER IN USE"
        used = self.names.values()
        copy = 1
        while name in used:
            copy += 1
            name = f"{name.split(', copy')[0]}, copy {copy}"
        self.names[packet.id] = name
        return name

    def on_connack(self, packet):
        """What is in flight comes again, or has gone with the session."""
        if not packet.session_present:
            self.names.clear()
        self.waiting.clear()
        self.in_flight.clear()

    def on_answers_sent(self):
        self.in_flight.difference_update(self.done)
        self.done.clear()

    def on_publish(self, packet):
        name = self.name(packet)
        self.in_flight.add(packet.id)
        self.waiting[name] = (packet.id, wire.PUBACK if packet.qos == 1 else wire.PUBREC)
        return name

    def on_pubrel(self, packet):
        # 3.1 does not say whether the session goes on, so names may be forgotten too early.
        unknown = sum(name.startswith("unknown") for name in self.waiting)
        name = self.names.get(packet.id, f"unknown {unknown}")
        if packet.id in self.names:  # And not an answer to a PUBREC for nothing.
            self.in_flight.add(packet.id)
        self.waiting[name] = (packet.id, wire.PUBCOMP)
        return name

    def answer(self, name, version, reason=0):
        packet_id, kind = self.waiting.pop(name)
        if kind == wire.PUBCOMP:
            reason = 0x92 if reason >= 0x80 else 0  # It knows no others.
        if kind != wire.PUBREC or reason >= 0x80:
            self.names.pop(packet_id, None)
            self.done.append(packet_id)
        raw = wire.ack(kind, packet_id)
        if version == V5 and reason:
            raw = raw[:1] + b"\3" + raw[2:] + bytes([reason])
        return raw


def answer_soon(link, label):
    if link.acks:
        link.due.append(link.messages.answer(label, link.version))


def chosen_ack(step, link):
    names = sorted(link.messages.waiting)
    if not names:
        return b""
    return link.messages.answer(names[step.choice % len(names)], link.version, step.reason)


class Player:
    """One play of one script on one broker."""

    def __init__(self, port, root, rounds=1):
        self.port = port
        self.root = root
        self.rounds = rounds  # Barriers a step: a broker with several threads needs two.
        self.links = {}  # Client -> its connections, newest last.
        self.sessions = {}  # Client id -> Messages of its newest connection.

    def play(self, step):
        """{(client, connection number): [Seen]} of this step, without connections that saw nothing;
        None if the step's client is not connected."""
        raw = step.raw.replace(ROOT.encode(), self.root.encode())
        links = self.links.setdefault(step.client, [])
        if step.act == "open":
            client_id = next(intended(step)).get("id")
            known = self.sessions.get(client_id) if client_id else None
            messages = Messages(self.root, known.names if known else {})
            self.sessions[client_id] = messages
            links.append(Link(self.port, step, len(links), messages))
        if not links or not links[-1].is_open:
            return None
        link = links[-1]
        if step.act == "ack":
            raw = chosen_ack(step, link)
            link.messages.on_answers_sent()
        if step.act == "leave":
            link.send(raw)
            link.finish()
            self.read_to_end(link)
        else:
            link.send(raw + PINGREQ)
            self.read_to_pong(link)
        self.settle()
        return self.take_seen()

    def settle(self):
        """Until every client has all that it was sent, and has answered what it answers itself."""
        for turn in range(ROUNDS_MAX):
            asked = []
            for links in self.links.values():
                for link in links:
                    if link.is_open and (link.due or turn < self.rounds):
                        link.send(b"".join(link.due) + PINGREQ)
                        link.due.clear()
                        link.messages.on_answers_sent()
                        asked.append(link)
            if not asked:
                return
            for link in asked:
                self.read_to_pong(link)

    def take_seen(self):
        found = {}
        for client, links in self.links.items():
            for link in links:
                if link.seen:
                    found[client, link.number] = link.seen
                    link.seen = []
        return found

    def read_to_pong(self, link):
        while (found := link.packet()) and found[0] != PONG:
            self.note(link, found)

    def read_to_end(self, link):
        while found := link.packet():
            self.note(link, found)

    def note(self, link, found):
        first, body = found
        try:
            packet = wire.decode(link.version, first, body)
            seen = self.describe(link, packet)
        except (AssertionError, IndexError, KeyError, ValueError, struct.error) as error:
            seen = Seen("UNREADABLE", first=first, body=body, why=str(error))
        seen.in_flight = len(link.messages.in_flight)
        seen.size = 1 + len(wire.varint(len(body))) + len(body)
        link.seen.append(seen)

    def describe(self, link, packet):
        messages = link.messages
        name = NAMES[packet.kind]
        props = self.plain(packet.props)
        if packet.kind == wire.PUBLISH:
            return self.describe_publish(link, packet, props)
        if packet.flags != (2 if packet.kind == wire.PUBREL else 0):
            raise ValueError(f"flags {packet.flags}")
        if packet.kind == wire.CONNACK:
            messages.on_connack(packet)
            return Seen(name, session=packet.session_present, reason=packet.reason, props=props)
        if packet.kind == wire.PUBREL:
            label = messages.on_pubrel(packet)
            answer_soon(link, label)
            return Seen(name, id=label, reason=packet.reason, props=props)
        if packet.kind in (wire.SUBACK, wire.UNSUBACK):
            return Seen(name, id=packet.id, codes=packet.codes, props=props)
        return Seen(name, id=packet.id, reason=packet.reason, props=props)

    def describe_publish(self, link, packet, props):
        label = None
        if packet.qos:
            label = link.messages.on_publish(packet)
            answer_soon(link, label)
        return Seen(
            "PUBLISH", topic=packet.topic.replace(self.root, ROOT),
            payload=packet.payload.decode("latin-1")[:PAYLOAD_SHOWN], length=len(packet.payload),
            qos=packet.qos, retain=packet.retain, dup=packet.dup, id=label, props=props)

    def plain(self, props):
        """Properties as they are compared: no order but that of user properties."""
        if not props:
            return props
        props = dict(sorted(props.items()))  # The text of two equal packets is equal.
        if "message_expiry" in props:
            props["message_expiry"] = coarse(props["message_expiry"])
        if "subscription_id" in props:
            props["subscription_id"] = sorted(props["subscription_id"])
        if "assigned_client_id" in props:
            props["assigned_client_id"] = "some"
        if "response_topic" in props:
            props["response_topic"] = props["response_topic"].replace(self.root, ROOT)
        return props

    def close(self):
        for links in self.links.values():
            for link in links:
                if link.is_open:
                    link.close()
