"""PROXY headers: the client's address and certificate, as a proxy tells them."""

import socket
import struct

import wire
from harness import DEADLINE_S, HOST, main, nightjar_only
from tls_test import TlsScenario
from wire import V5, V311

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
V1 = b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 1883\r\n"


def tlv(kind, value):
    return struct.pack(">BH", kind, len(value)) + value


def header(fields=b"", command=1):
    body = socket.inet_aton("192.0.2.7") + socket.inet_aton("192.0.2.1")
    body += struct.pack(">HH", 40000, 1883) + fields
    return SIGNATURE + struct.pack(">BBH", 0x20 | command, 0x11, len(body)) + body


def tls(flags=7, verified=0, name=b"ann"):
    return tlv(0x20, struct.pack(">BI", flags, verified) + tlv(0x21, b"TLSv1.3") + tlv(0x22, name))


@nightjar_only("Mosquitto has it since 2.1")
class ProxyProtocol(TlsScenario):
    def start_proxied(self, version, lines="", config="", **options):
        self.start_broker(config, f"enable_proxy_protocol {version}\n{lines}", **options)

    def send(self, data):
        plain = socket.create_connection((HOST, self.broker.port), DEADLINE_S)
        self.addCleanup(plain.close)
        plain.sendall(data)
        return plain

    def answer(self, data, client_id="c", version=V311):
        """CONNACK of a CONNECT behind `data`, or nothing."""
        try:
            return self.send(data + wire.connect(version, client_id)).recv(100)
        except ConnectionResetError:
            return b""

    def test_the_address_of_version_1(self):
        self.start_proxied(1, threads=2)
        for i in range(4):
            self.assertEqual(self.answer(V1, f"c{i}"), b"\x20\x02\x00\x00")
            self.broker.wait_log(f"connected from 192.0.2.7:40000 as c{i} ")

    def test_the_header_in_pieces(self):
        self.start_proxied(2)
        plain = self.send(b"")
        for byte in header():
            plain.sendall(bytes([byte]))
        plain.sendall(wire.connect(V311, "slow"))
        self.assertEqual(plain.recv(100), b"\x20\x02\x00\x00")
        self.broker.wait_log("connected from 192.0.2.7:40000 as slow ")

    def test_what_is_refused(self):
        """Fault 38: no header, another version, lengths that lie"""
        self.start_proxied(2)
        lies = SIGNATURE + b"\x21\x11\x00\x0c" + b"x" * 12 + b"\x20\xff\xff"
        for data in (b"", V1, SIGNATURE + b"\x21\x11\xff\xff", lies,
                     header(b"\x20\x00\x09x"), SIGNATURE + b"\x21\x11\x00\x02xx"):
            self.assertEqual(self.answer(data), b"")
        self.broker.wait_log("sent no PROXY header that enable_proxy_protocol 2 takes: there is")
        self.broker.wait_log("enable_proxy_protocol 2 takes: its fields do not fit")
        self.assertEqual(self.answer(header()), b"\x20\x02\x00\x00")

    def test_a_header_is_no_packet_elsewhere(self):
        """Fault 38: who is not asked for a header cannot give one"""
        self.start_broker()
        self.assertEqual(self.answer(V1), b"")
        self.assertEqual(self.answer(header()), b"")

    def test_only_trusted_proxies_are_heard(self):
        self.start_proxied(1, "proxy_protocol_trusted 192.0.2.0/24\nproxy_protocol_trusted ::1")
        self.assertEqual(self.answer(V1), b"")
        self.broker.wait_log(
            rf"Client connection from 127\.0\.0\.1 denied: port {self.broker.port} takes PROXY "
            r"headers from proxy_protocol_trusted only\.$")

    def test_a_trusted_proxy_is_heard(self):
        self.start_proxied(1, "proxy_protocol_trusted ::1\nproxy_protocol_trusted 127.0.0.0/8")
        self.assertEqual(self.answer(V1, "near"), b"\x20\x02\x00\x00")
        self.broker.wait_log("connected from 192.0.2.7:40000 as near ")

    def test_tls_is_required(self):
        self.start_proxied(2, "proxy_protocol_v2_require_tls true")
        self.assertEqual(self.answer(header()), b"")
        self.assertEqual(self.answer(header(command=0)), b"")
        self.assertEqual(self.answer(header(tls(flags=1))), b"\x20\x02\x00\x00")

    def test_the_certificate_names_the_user(self):
        self.start_proxied(2, "require_certificate true\nuse_identity_as_username true",
                           "allow_anonymous false")
        for fields in (b"", tls(flags=1), tls(verified=1)):
            self.assertEqual(self.answer(header(fields)), b"")
        self.assertEqual(self.answer(header(tls()), "me"), b"\x20\x02\x00\x00")
        self.broker.wait_log("as me .*u'ann'")
        answer = self.answer(header(tls(name=b"")), version=V5)
        self.assertEqual(answer[3], 0x86)

    def test_tls_behind_the_header(self):
        self.start_tls("enable_proxy_protocol 1")
        plain = self.send(V1)
        secure = self.context().wrap_socket(plain, server_hostname="localhost")
        self.addCleanup(secure.close)
        self.assertEqual(self.connect(secure, "both"), 0)
        self.broker.wait_log("connected from 192.0.2.7:40000 as both ")


if __name__ == "__main__":
    main()
