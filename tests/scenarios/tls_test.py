"""TLS listeners: who is let in by a certificate or a key, and what a hostile peer gets."""

import functools
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile

import wire
from certificates import Authority
from harness import BROKER, DEADLINE_S, HOST, IS_NIGHTJAR, Scenario, main, nightjar_only, wait_until
from wire import CONNACK, V5, V311

REFUSED_V5 = 0x86


@functools.cache
def has_tls():
    if not IS_NIGHTJAR:
        return True
    done = subprocess.run([BROKER, "--version"], stdout=subprocess.PIPE, check=True)
    return b"with TLS" in done.stdout


class TlsScenario(Scenario):
    """The certificates are made once for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="certificates-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.pki = Authority(cls.folder)
        cls.server = cls.pki.issue("localhost")
        cls.ann = cls.pki.issue("ann", "/O=Birds/CN=ann")

    def setUp(self):
        if not has_tls():
            self.skipTest("no TLS in " + BROKER)

    def start_tls(self, lines="", config="", **options):
        self.lines = (f"certfile {self.server.certificate}\nkeyfile {self.server.key}\n"
                      f"cafile {self.pki.certificate}\n{lines}")
        return self.start_broker(config, self.lines, **options)

    def context(self, client=None, version=None, authority=None):
        context = ssl.create_default_context(cafile=self.pki.certificate)
        if client:
            context.load_cert_chain(client.certificate, client.key)
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def open_tls(self, context=None, session=None):
        plain = socket.create_connection((HOST, self.broker.port), DEADLINE_S)
        self.addCleanup(plain.close)
        secure = (context or self.context()).wrap_socket(plain, server_hostname="localhost",
                                                         session=session)
        self.addCleanup(secure.close)
        return secure

    def connect(self, secure, client_id="c", version=V5, **options):
        """Sends CONNECT over an open TLS socket; returns its reason and the rest of CONNACK."""
        secure.sendall(wire.connect(version, client_id, **options))
        answer = secure.recv(4096)
        self.assertEqual(answer[0] >> 4, CONNACK)
        return answer[3]

    def as_client(self, client=None):
        options = ["--cafile", self.pki.certificate]
        if client:
            options += ["--cert", client.certificate, "--key", client.key]
        return options

    def is_refused(self, client=None, context=None):
        """With TLS 1.3 the client hears of it with its first read."""
        try:
            secure = self.open_tls(context or self.context(client))
            secure.sendall(wire.connect(V5, "refused"))
            return secure.recv(100) == b""
        except (ssl.SSLError, ConnectionError):
            return True


class Certificates(TlsScenario):
    def test_mosquitto_clients_talk_over_tls(self):
        self.start_tls()
        secure = ["--cafile", self.pki.certificate]
        subscriber = self.subscriber("-t", "a/#", "-q", "1", *secure)
        self.pub("-t", "a/b", "-m", "x" * 100000, "-q", "2", *secure)
        self.pub("-t", "a/b", "-m", "last", "--tls-version", "tlsv1.2", *secure)
        sizes = [len(line) for line in subscriber.messages(2)]
        self.assertEqual(sizes, [len("a/b 1 0 ") + 100000, len("a/b 0 0 last")])

    @nightjar_only("Mosquitto 2.0 logs it otherwise")
    def test_the_log_names_version_and_cipher(self):
        self.start_tls()
        self.connect(self.open_tls(), "who")
        self.broker.wait_log(r"Client who negotiated TLSv1\.3 cipher TLS_\w+")

    def test_a_certificate_is_required_and_checked(self):
        other = Authority(self.folder, "other")
        revoked = self.pki.issue("revoked")
        self.pki.revoke(revoked)
        self.start_tls(f"require_certificate true\ncrlfile {self.pki.revoked}")
        self.assertEqual(self.connect(self.open_tls(self.context(self.ann))), 0)
        for client, reason in [(None, "did not return a certificate"),
                               (self.pki.issue_expired("expired"), "certificate has expired"),
                               (other.issue("stranger"), "unable to get local issuer"),
                               (revoked, "certificate revoked")]:
            self.assertTrue(self.is_refused(client), reason)
            if IS_NIGHTJAR:
                self.broker.wait_log(reason)

    @nightjar_only("Mosquitto 2.0.11 knows no such option")
    def test_dates_need_not_be_checked(self):
        expired = self.pki.issue_expired("old")
        self.start_tls("require_certificate true\ndisable_client_cert_date_checks true")
        self.assertEqual(self.connect(self.open_tls(self.context(expired))), 0)

    def test_the_common_name_is_the_user(self):
        self.start_tls("require_certificate true\nuse_identity_as_username true",
                       "allow_anonymous false")
        self.sub("-t", "nothing", "-E", "-i", "me", "-u", "somebody", "-P", "else",
                 *self.as_client(self.ann))
        self.broker.wait_log("New client connected from .* as me .*u'ann'")

    def test_the_subject_is_the_user(self):
        self.start_tls("require_certificate true\nuse_subject_as_username true",
                       "allow_anonymous false")
        self.sub("-t", "nothing", "-E", "-i", "me", *self.as_client(self.ann))
        self.broker.wait_log("New client connected from .* as me .*u'CN=ann,O=Birds'")

    def test_without_a_certificate_there_is_no_user(self):
        self.start_tls("use_identity_as_username true")
        self.assertEqual(self.connect(self.open_tls(), user="ann", password="x"), REFUSED_V5)

    @nightjar_only("Mosquitto gives no tickets")
    def test_a_resumed_session_keeps_its_identity(self):
        self.start_tls("require_certificate true\nuse_identity_as_username true", threads=2)
        context = self.context(self.ann)
        first = self.open_tls(context)
        self.connect(first, "first")  # Reads the ticket, too.
        again = self.open_tls(context, first.session)
        self.assertTrue(again.session_reused)
        self.connect(again, "again")
        self.broker.wait_log("as again .*u'ann'")

    def test_the_lowest_version(self):
        self.start_tls("tls_version tlsv1.3")
        self.assertEqual(self.connect(self.open_tls()), 0)
        self.assertTrue(self.is_refused(context=self.context(version=ssl.TLSVersion.TLSv1_2)))

    def test_ciphers(self):
        self.start_tls("ciphers ECDHE-ECDSA-AES128-GCM-SHA256\n"
                       "ciphers_tls1.3 TLS_CHACHA20_POLY1305_SHA256")
        found = [self.open_tls(self.context(version=version)).cipher()[0]
                 for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)]
        self.assertEqual(found, ["ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_CHACHA20_POLY1305_SHA256"])


class Reload(TlsScenario):
    @nightjar_only("Mosquitto 2.0 does not read the CRL again")
    def test_new_files_are_for_new_connections(self):
        bob = self.pki.issue("bob")
        self.start_tls(f"require_certificate true\ncrlfile {self.pki.revoked}")
        context = self.context(bob)
        stays = self.open_tls(context)
        self.connect(stays, "stays")
        self.pki.revoke(bob)
        self.broker.signal(signal.SIGHUP)
        self.broker.wait_log("Reloading config")
        wait_until(lambda: self.is_refused(context=context), "the new list")
        stays.sendall(b"\xc0\x00")
        self.assertEqual(stays.recv(10), b"\xd0\x00")

    @nightjar_only("Mosquitto 2.0 stops")
    def test_a_wrong_file_leaves_all_as_it_was(self):
        self.start_tls()
        self.broker.write_config("", self.lines.replace(self.server.key, self.ann.key))
        self.broker.signal(signal.SIGHUP)
        self.broker.wait_log(
            f"Error: listener {self.broker.port} {HOST}: keyfile '.*ann.key': key values mismatch")
        self.broker.wait_log("the old one stays")
        self.assertEqual(self.connect(self.open_tls()), 0)

    @nightjar_only("its words")
    def test_a_wrong_file_at_the_start(self):
        self.start_tls()
        self.broker.stop()
        for path, reason in [("/nowhere.pem", "No such file or directory"),
                             (self.broker.config_path, "no start line")]:
            self.broker.write_config("", self.lines.replace(self.server.certificate, path))
            output = self.run_program([BROKER, "-c", self.broker.config_path], want=1)
            self.assertIn(f"certfile '{path}': {reason}", output)


class PreSharedKeys(TlsScenario):
    def start_psk(self, keys="ann:0123abcd\n", lines="", want_user=False):
        path = os.path.join(self.folder, "keys")
        with open(path, "w", encoding="utf-8") as file:
            file.write(keys)
        config = f"psk_file {path}"
        lines += "psk_hint birds\n"
        if want_user:
            config += "\nallow_anonymous false"
            lines += "use_identity_as_username true\n"
        return self.start_broker(config, lines)

    def as_ann(self, version, key="0123ABCD"):
        return ["--psk", key, "--psk-identity", "ann", "--tls-version", version]

    def test_a_key_lets_in(self):
        self.start_psk(want_user=True)
        self.sub("-t", "nothing", "-E", "-i", "me", *self.as_ann("tlsv1.2"))
        self.broker.wait_log("as me .*u'ann'")

    @nightjar_only("its words")
    def test_a_key_lets_in_with_tls_1_3(self):
        self.start_psk(want_user=True)
        client = subprocess.run(
            ["openssl", "s_client", "-connect", f"{HOST}:{self.broker.port}", "-psk_identity",
             "ann", "-psk", "0123abcd", "-tls1_3"],
            input=wire.connect(V311, "me") + b"\xc0\x00", stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=DEADLINE_S, check=False)
        self.broker.wait_log("Client me negotiated TLSv1.3")
        self.broker.wait_log("as me .*u'ann'")
        self.assertNotIn(b"error", client.stderr)

    def test_a_wrong_key_and_an_unknown_identity_do_not(self):
        self.start_psk()
        for options in (self.as_ann("tlsv1.2", "0123abce"),
                        ["--psk", "0123abcd", "--psk-identity", "bob"]):
            self.sub("-t", "nothing", "-E", *options, want=None)
        self.assertNotIn("New client connected", self.broker.log())

    @nightjar_only("Mosquitto names no line")
    def test_a_wrong_file_is_named_with_its_line(self):
        self.start_psk()
        self.broker.stop()
        with open(os.path.join(self.folder, "keys"), "w", encoding="utf-8") as file:
            file.write("# keys\nann:0123\nbob:xyz\n")
        output = self.run_program([BROKER, "-c", self.broker.config_path], want=1)
        self.assertRegex(output, r"psk_file .*keys:3: the key is not hexadecimal")


class Hostile(TlsScenario):
    """Fault 35: what a hostile peer may try."""

    def raw(self, data):
        plain = socket.create_connection((HOST, self.broker.port), DEADLINE_S)
        self.addCleanup(plain.close)
        plain.sendall(data)
        return plain

    def assert_closed(self, plain):
        try:
            while plain.recv(4096):
                pass
        except ConnectionResetError:
            pass

    @nightjar_only("its words")
    def test_mqtt_and_http_are_named(self):
        self.start_tls()
        self.assert_closed(self.raw(wire.connect(V5, "c")))
        self.broker.wait_log("speaks MQTT without TLS to a listener that wants TLS")

    @nightjar_only("its words")
    def test_tls_on_a_plain_port_is_named(self):
        self.start_broker()
        with self.assertRaises((ssl.SSLError, ConnectionError, OSError)):
            self.open_tls()
        self.broker.wait_log("speaks TLS, but this listener has neither certfile nor psk_hint")

    def test_records_of_one_byte(self):
        self.start_tls()
        secure = self.open_tls()
        for byte in wire.connect(V5, "bytes"):
            secure.send(bytes([byte]))
        self.assertEqual(secure.recv(100)[3], 0)

    def test_renegotiation_is_refused(self):
        self.start_tls()
        client = subprocess.run(
            ["openssl", "s_client", "-connect", f"{HOST}:{self.broker.port}", "-tls1_2",
             "-CAfile", self.pki.certificate], input=b"R\n", stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=DEADLINE_S, check=False)
        self.assertIn(b"no renegotiation", client.stdout)

    def test_early_data_is_not_offered(self):
        """What anybody may play back a second time (RFC 8446, section 8)."""
        self.start_tls()
        session = os.path.join(self.broker.folder, "session")
        command = ["openssl", "s_client", "-connect", f"{HOST}:{self.broker.port}", "-tls1_3",
                   "-CAfile", self.pki.certificate, "-quiet"]
        client = subprocess.run(
            [*command, "-sess_out", session], input=wire.connect(V5, "c") + b"\xe0\x00",
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=DEADLINE_S, check=False)
        self.assertEqual(client.stdout[:1], b"\x20", "a CONNACK")
        ticket = subprocess.run(["openssl", "sess_id", "-in", session, "-noout", "-text"],
                                stdout=subprocess.PIPE, check=True).stdout
        self.assertIn(b"Resumption PSK", ticket)
        self.assertIn(b"Max Early Data: 0\n", ticket)

    def test_rubbish_in_place_of_records(self):
        self.start_tls()
        bad_sni = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff"
        for data in (b"\x16\x03\x01\xff\xff" + b"x" * 100, bad_sni, b"\x80\x2e\x01\x03\x01",
                     b"\x16\x03\x01\x00\x00" * 40):
            plain = self.raw(data)
            plain.shutdown(socket.SHUT_WR)
            self.assert_closed(plain)
        self.assertEqual(self.connect(self.open_tls()), 0)

    @nightjar_only("an option of nightjar")
    def test_handshakes_at_once_are_limited(self):
        self.start_tls("max_handshakes 2")
        waiting = [self.raw(b"\x16\x03") for _ in range(4)]  # In any order, if loops share them.
        self.broker.wait_log("denied: max_handshakes exceeded")
        for plain in waiting:
            plain.close()
        wait_until(lambda: not self.is_refused(), "a place for a handshake")

    @nightjar_only("an option of nightjar")
    def test_a_handshake_ends_with_connect_timeout(self):
        self.start_tls(config="connect_timeout 1")
        self.assert_closed(self.raw(b"\x16\x03\x01"))


if __name__ == "__main__":
    main()
