"""MQTT 3.1, 3.1.1 and 5.0 byte by byte, for what client libraries will not send or do not show.

The encoders write whatever they are told, so a test can send nonsense. Client is one connection on
a blocking socket: every wait has a deadline.
"""

import dataclasses
import socket
import struct
import time

from harness import DEADLINE_S, HOST

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = range(8, 16)

V31, V311, V5 = 3, 4, 5

# Property name -> (identifier, type), MQTT 5 section 2.2.2.2.
PROPERTIES = {
    "payload_format": (1, "byte"),
    "message_expiry": (2, "four"),
    "content_type": (3, "text"),
    "response_topic": (8, "text"),
    "correlation_data": (9, "data"),
    "subscription_id": (11, "varint"),
    "session_expiry": (17, "four"),
    "assigned_client_id": (18, "text"),
    "server_keep_alive": (19, "two"),
    "authentication_method": (21, "text"),
    "authentication_data": (22, "data"),
    "request_problem_information": (23, "byte"),
    "will_delay": (24, "four"),
    "request_response_information": (25, "byte"),
    "response_information": (26, "text"),
    "server_reference": (28, "text"),
    "reason_string": (31, "text"),
    "receive_maximum": (33, "two"),
    "topic_alias_maximum": (34, "two"),
    "topic_alias": (35, "two"),
    "maximum_qos": (36, "byte"),
    "retain_available": (37, "byte"),
    "user_property": (38, "pair"),
    "maximum_packet_size": (39, "four"),
    "wildcard_available": (40, "byte"),
    "subscription_id_available": (41, "byte"),
    "shared_available": (42, "byte"),
}
_BY_ID = {number: (name, kind) for name, (number, kind) in PROPERTIES.items()}


def varint(value):
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | (128 if value else 0))
        if not value:
            return bytes(out)


def data(value):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(value)) + value


def _encode_value(kind, value):
    if kind == "byte":
        return bytes([value])
    if kind == "two":
        return struct.pack(">H", value)
    if kind == "four":
        return struct.pack(">I", value)
    if kind == "varint":
        return varint(value)
    if kind == "pair":
        return data(value[0]) + data(value[1])
    return data(value)


def properties(values):
    """Encodes {name: value}; a list is a property that occurs several times."""
    out = b""
    for name, value in values.items():
        number, kind = PROPERTIES[name]
        for each in value if isinstance(value, list) else [value]:
            out += bytes([number]) + _encode_value(kind, each)
    return varint(len(out)) + out


class Reader:
    """Reads wire types off the front; an IndexError or struct.error means a malformed packet."""

    def __init__(self, body):
        self.body = body
        self.at = 0

    def take(self, count):
        if self.at + count > len(self.body):
            raise IndexError(f"packet is cut short: {self.body!r}")
        self.at += count
        return self.body[self.at - count : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.number(1)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def data(self):
        return self.take(self.number(2))

    def text(self):
        return self.data().decode()

    def rest(self):
        return self.take(len(self.body) - self.at)

    def _value(self, kind):
        if kind == "pair":
            return (self.text(), self.text())
        if kind == "text":
            return self.text()
        if kind == "data":
            return self.data()
        if kind == "varint":
            return self.varint()
        return self.number({"byte": 1, "two": 2, "four": 4}[kind])

    def properties(self):
        end = self.varint() + self.at
        found = {}
        while self.at < end:
            name, kind = _BY_ID[self.number(1)]
            if name in ("user_property", "subscription_id"):
                found.setdefault(name, []).append(self._value(kind))
            else:
                found[name] = self._value(kind)
        return found


def packet(kind, flags, body):
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


def connect(version, client_id, clean=True, keep_alive=60, will=None, props=None, **other):
    """`will` is (topic, payload, qos, retain) or, in MQTT 5, with a fifth item: properties."""
    flags = 2 if clean else 0
    payload = data(client_id)
    if will:
        flags |= 4 | will[2] << 3 | (32 if will[3] else 0)
        if version == V5:
            payload += properties(will[4] if len(will) > 4 else {})
        payload += data(will[0]) + data(will[1])
    for name, bit in (("username", 128), ("password", 64)):
        if name in other:
            flags |= bit
            payload += data(other[name])
    name = "MQIsdp" if version == V31 else "MQTT"
    body = data(name) + bytes([version, flags]) + struct.pack(">H", keep_alive)
    if version == V5:
        body += properties(props or {})
    return packet(CONNECT, 0, body + payload)


def publish(
    version, topic, payload=b"", qos=0, packet_id=None, retain=False, dup=False, props=None
):
    payload = payload.encode() if isinstance(payload, str) else payload
    body = data(topic)
    if qos:
        body += struct.pack(">H", packet_id)
    if version == V5:
        body += properties(props or {})
    return packet(PUBLISH, (8 if dup else 0) | qos << 1 | (1 if retain else 0), body + payload)


def ack(kind, packet_id):
    """PUBACK, PUBREC, PUBREL or PUBCOMP; in MQTT 5 the two-byte form means success."""
    return packet(kind, 2 if kind == PUBREL else 0, struct.pack(">H", packet_id))


def subscribe(version, packet_id, filters, props=None):
    """`filters` are (filter, options byte)."""
    body = struct.pack(">H", packet_id)
    if version == V5:
        body += properties(props or {})
    for name, options in filters:
        body += data(name) + bytes([options])
    return packet(SUBSCRIBE, 2, body)


def unsubscribe(version, packet_id, filters):
    body = struct.pack(">H", packet_id)
    if version == V5:
        body += properties({})
    return packet(UNSUBSCRIBE, 2, body + b"".join(data(name) for name in filters))


def disconnect(version, reason=0, props=None):
    if version != V5 or (reason == 0 and not props):
        return packet(DISCONNECT, 0, b"")
    return packet(DISCONNECT, 0, bytes([reason]) + properties(props or {}))


def auth(reason, method, content=b""):
    props = {"authentication_method": method}
    if content:
        props["authentication_data"] = content
    return packet(AUTH, 0, bytes([reason]) + properties(props))


@dataclasses.dataclass
class Packet:
    """A packet from the broker. Fields that its kind does not have keep their defaults."""

    kind: int
    flags: int = 0
    id: int = 0
    reason: int = 0  # CONNACK return code, acknowledgement or DISCONNECT reason code.
    codes: tuple = ()  # SUBACK, UNSUBACK.
    session_present: bool = False
    topic: str = ""
    payload: bytes = b""
    props: dict = dataclasses.field(default_factory=dict)

    @property
    def qos(self):
        return self.flags >> 1 & 3

    @property
    def retain(self):
        return bool(self.flags & 1)

    @property
    def dup(self):
        return bool(self.flags & 8)


def _decode_publish(version, found, reader):
    found.topic = reader.text()
    if found.qos:
        found.id = reader.number(2)
    if version == V5:
        found.props = reader.properties()
    found.payload = reader.rest()


def _decode_reason(version, found, reader):
    """The tail that MQTT 5 lets a broker leave out: reason code, then properties."""
    rest = len(reader.body) - reader.at
    if version == V5 and rest:
        found.reason = reader.number(1)
        if rest > 1:
            found.props = reader.properties()


def decode(version, first, body):
    found = Packet(first >> 4, first & 15)
    reader = Reader(body)
    if found.kind == PUBLISH:
        _decode_publish(version, found, reader)
    elif found.kind == CONNACK:
        found.session_present = reader.number(1) == 1
        found.reason = reader.number(1)
        if version == V5 and len(body) > 2:  # A refusal of the version has the older form.
            found.props = reader.properties()
    elif found.kind in (PUBACK, PUBREC, PUBREL, PUBCOMP):
        found.id = reader.number(2)
        _decode_reason(version, found, reader)
    elif found.kind in (SUBACK, UNSUBACK):
        found.id = reader.number(2)
        if version == V5:
            found.props = reader.properties()
        found.codes = tuple(reader.rest())
    elif found.kind in (DISCONNECT, AUTH):
        _decode_reason(version, found, reader)
    if reader.at != len(body):
        raise AssertionError(f"bytes after the end of {found}: {body!r}")
    return found


def split(buffer):
    """The first whole packet of `buffer` as (first byte, body, bytes used), or None."""
    length, shift = 0, 0
    for at in range(1, min(len(buffer), 5)):
        length |= (buffer[at] & 127) << shift
        shift += 7
        if buffer[at] < 128:
            end = at + 1 + length
            return (buffer[0], bytes(buffer[at + 1 : end]), end) if len(buffer) >= end else None
    return None


class Closed(Exception):
    """The broker has closed the connection."""


class Client:
    """One raw connection. `Client(port, "id")` is connected; connect=False sends nothing."""

    def __init__(self, port, client_id="", version=V311, connect=True, **options):
        self.version = version
        self.socket = socket.create_connection((HOST, port), DEADLINE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.held = []  # Decoded packets that take() has read past.
        self.connack = None
        self.last_id = 0
        if connect:
            self.send(globals()["connect"](version, client_id, **options))
            self.connack = self.expect(CONNACK)
            if self.connack.reason != 0:
                raise AssertionError(f"the broker refused the connection: {self.connack}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Closes without DISCONNECT, as a crash does."""
        self.socket.close()

    def disconnect(self, reason=0, props=None):
        """A clean end: returns once the broker has closed its side, so it has acted on it."""
        self.send(disconnect(self.version, reason, props))
        self.wait_closed()
        self.close()

    def send(self, raw):
        self.socket.sendall(raw)

    def next_id(self):
        self.last_id += 1
        return self.last_id

    def receive(self, deadline_s=DEADLINE_S):
        """The next packet. Closed if there is none any more, AssertionError at the deadline."""
        if self.held:
            return self.held.pop(0)
        end = time.monotonic() + deadline_s
        while True:
            found = split(self.buffer)
            if found:
                first, body, used = found
                del self.buffer[:used]
                return decode(self.version, first, body)
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError("no packet came within the deadline")
            self.socket.settimeout(left)
            try:
                chunk = self.socket.recv(1 << 20)
            except ConnectionError as error:
                raise Closed() from error
            except TimeoutError:
                continue
            if not chunk:
                raise Closed()
            self.buffer += chunk

    def expect(self, kind, deadline_s=DEADLINE_S):
        found = self.receive(deadline_s)
        if found.kind != kind:
            raise AssertionError(f"wanted packet type {kind}, got {found}")
        return found

    def until(self, kind):
        """Everything up to the first packet of this kind, that one last."""
        found = [self.receive()]
        while found[-1].kind != kind:
            found.append(self.receive())
        return found

    def wait_closed(self, deadline_s=DEADLINE_S):
        """Packets that come before the broker closes the connection."""
        found = []
        end = time.monotonic() + deadline_s
        while True:
            try:
                found.append(self.receive(max(end - time.monotonic(), 0.001)))
            except Closed:
                return found

    def subscribe(self, *filters, props=None):
        """Filters are texts (QoS 0) or (filter, options). Returns the SUBACK."""
        pairs = [(each, 0) if isinstance(each, str) else each for each in filters]
        self.send(subscribe(self.version, self.next_id(), pairs, props))
        return self.expect(SUBACK)

    def publish(self, topic, payload=b"", qos=0, **options):
        """Sends one PUBLISH and, for QoS 1 and 2, does the whole handshake."""
        packet_id = self.next_id() if qos else None
        self.send(publish(self.version, topic, payload, qos, packet_id, **options))
        if qos == 1:
            return self.until(PUBACK)[-1]
        if qos == 2:
            received = self.until(PUBREC)[-1]
            if received.reason >= 0x80:
                return received
            self.send(ack(PUBREL, packet_id))
            return self.until(PUBCOMP)[-1]
        return None

    def take(self):
        """The next message, acknowledged as its QoS wants."""
        found = self.expect(PUBLISH)
        if found.qos == 1:
            self.send(ack(PUBACK, found.id))
        if found.qos == 2:
            self.send(ack(PUBREC, found.id))
            self.held = self.until(PUBREL)[:-1]
            self.send(ack(PUBCOMP, found.id))
        return found

    def ping(self):
        """Everything that came before the broker answered a PINGREQ."""
        self.send(packet(PINGREQ, 0, b""))
        return self.until(PINGRESP)[:-1]
