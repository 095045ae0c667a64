"""Many raw connections in one thread: epoll, non-blocking sockets, a callback per packet."""

import errno
import selectors
import socket

import wire
from harness import HOST


class Connection:
    """One socket. `on_packet(connection, packet)` and `on_closed(connection)` belong to the owner;
    on_closed is called when the broker ends the connection, not when close() does."""

    def __init__(self, swarm, port, version, on_packet, on_closed):
        self.swarm = swarm
        self.version = version
        self.on_packet = on_packet
        self.on_closed = on_closed
        self.incoming = bytearray()
        self.outgoing = bytearray()
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        error = self.socket.connect_ex((HOST, port))
        if error not in (0, errno.EINPROGRESS):
            raise OSError(error, "connect")
        self.events = selectors.EVENT_READ | selectors.EVENT_WRITE
        swarm.selector.register(self.socket, self.events, self)

    @property
    def is_open(self):
        return self.socket is not None

    def send(self, raw):
        self.outgoing += raw
        self._watch(selectors.EVENT_READ | selectors.EVENT_WRITE)

    def close(self):
        if self.is_open:
            self.swarm.selector.unregister(self.socket)
            self.socket.close()
            self.socket = None

    def _watch(self, events):
        if self.is_open and events != self.events:
            self.events = events
            self.swarm.selector.modify(self.socket, events, self)

    def _ended(self):
        if self.is_open:
            self.close()
            self.on_closed(self)

    def write(self):
        try:
            if self.outgoing:
                del self.outgoing[: self.socket.send(self.outgoing)]
        except BlockingIOError:
            return
        except OSError:
            self._ended()
            return
        if not self.outgoing:
            self._watch(selectors.EVENT_READ)

    def read(self):
        try:
            chunk = self.socket.recv(1 << 16)
        except BlockingIOError:
            return 0
        except OSError:
            chunk = b""
        self.incoming += chunk
        found = wire.split(self.incoming)
        while found and self.is_open:
            first, body, used = found
            del self.incoming[:used]
            self.on_packet(self, wire.decode(self.version, first, body))
            found = wire.split(self.incoming)
        if not chunk:
            self._ended()
        return len(chunk)


class Swarm:
    """The connections of a test and their event loop."""

    def __init__(self):
        self.selector = selectors.EpollSelector()

    def poll(self, timeout_s=0.01):
        """One turn; returns the number of bytes read."""
        total = 0
        for key, events in self.selector.select(timeout_s):
            connection = key.data
            if events & selectors.EVENT_READ and connection.is_open:
                total += connection.read()
            if events & selectors.EVENT_WRITE and connection.is_open:
                connection.write()
        return total

    def close(self):
        for key in list(self.selector.get_map().values()):
            key.data.close()
        self.selector.close()
