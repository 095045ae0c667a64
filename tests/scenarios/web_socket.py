"""A WebSocket client byte by byte, that can also do what none should (RFC 6455)."""

import base64
import hashlib
import os
import socket
import struct

from harness import DEADLINE_S, HOST

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def upgrade(key="dGhlIHNhbXBsZSBub25jZQ==", **headers):
    """The request; a header that is None is left out. `_` stands for `-` in names."""
    fields = {"Host": "localhost", "Upgrade": "websocket", "Connection": "keep-alive, Upgrade",
              "Sec_WebSocket_Key": key, "Sec_WebSocket_Version": "13",
              "Sec_WebSocket_Protocol": "chat, mqtt", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()
             if value is not None]
    return ("GET /mqtt HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode()


def frame(data, opcode=BINARY, final=True, masked=True, length=None, reserved=0):
    """One frame; `length` is what it claims."""
    size = len(data) if length is None else length
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    mask_bit = 0x80 if masked else 0
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 65536:
        head += bytes([mask_bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([mask_bit | 127]) + struct.pack(">Q", size)
    if not masked:
        return head + data
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))


class WebSocket:
    """Upgraded when the constructor returns, unless `request` is refused: see `answer`."""

    def __init__(self, port, request=None, plain=None, after=b""):
        self.socket = plain or socket.create_connection((HOST, port), DEADLINE_S)
        self.buffer = b""
        self.socket.sendall((upgrade() if request is None else request) + after)
        self.answer = self._until(b"\r\n\r\n").decode()
        self.status = int(self.answer.split()[1]) if self.answer else 0

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.buffer += data
        return data != b""

    def _until(self, end):
        while end not in self.buffer:
            if not self._more():
                return b""
        at = self.buffer.index(end) + len(end)
        found, self.buffer = self.buffer[:at], self.buffer[at:]
        return found

    def _take(self, size):
        while len(self.buffer) < size:
            if not self._more():
                return None
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """(opcode, data) of the next frame; None at the end."""
        head = self._take(2)
        if head is None:
            return None
        assert head[0] & 0x70 == 0 and head[1] & 0x80 == 0, head
        size = head[1]
        if size == 126:
            size = struct.unpack(">H", self._take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self._take(8))[0]
        return head[0] & 15, self._take(size)

    def close_code(self):
        """The code of the close frame that is the next thing before the end."""
        opcode, data = self.receive()
        assert opcode == CLOSE, opcode
        assert self.receive() is None
        return struct.unpack(">H", data[:2])[0] if data else None

    def close(self):
        self.socket.close()


def accept_of(key):
    return base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
