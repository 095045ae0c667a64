"""nightjar pub and sub through every door, beside mosquitto_pub and mosquitto_sub."""

import contextlib
import functools
import os
import socket
import subprocess
import tempfile
import unittest

from certificates import Authority
from harness import BROKER, IS_NIGHTJAR, PUB, SUB, Process, main, wait_until
from tls_test import TlsScenario

MOSQUITTO = os.environ.get("MOSQUITTO", "/usr/sbin/mosquitto")
BROKERS = [BROKER] + ([MOSQUITTO] if os.path.exists(MOSQUITTO) else [])
PSK = ["--psk", "0123abcd", "--psk-identity", "ann"]


@functools.cache
def has_web_socket():
    done = subprocess.run([BROKER, "--version"], stdout=subprocess.PIPE, check=True)
    return b"with WebSocket" in done.stdout


@unittest.skipUnless(IS_NIGHTJAR, "nightjar only: its tools")
class Doors(TlsScenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.expired = cls.pki.issue_expired("expired")
        cls.elsewhere = cls.pki.issue("elsewhere", names="DNS:elsewhere.example")
        cls.stranger = Authority(cls.folder, "stranger")
        cls.false_ann = cls.stranger.issue("false_ann")

    def setUp(self):
        super().setUp()
        self.trust = ["--cafile", self.pki.certificate]

    def ours(self, tool, *options, want=0):
        return self.run_program([BROKER, tool, *options], want)

    def at(self, host="localhost"):
        return ["-h", host, "-p", str(self.broker.port)]

    def meet(self, options, others):
        """Each side publishes what the other one reads."""
        self.ours("pub", "-t", "ours", "-q", "1", "-r", "-m", "x" * 70000, *options)
        read = self.run_program([SUB, "-t", "ours", "-C", "1", "-W", "20", *others])
        self.assertEqual(read, "x" * 70000 + "\n")
        self.run_program([PUB, "-t", "theirs", "-q", "2", "-r", "-m", "y" * 70000, *others])
        read = self.ours("sub", "-t", "theirs", "-C", "1", "-W", "20", *options)
        self.assertEqual(read, "y" * 70000 + "\n")

    def start_with_socket(self, lines="", **options):
        """A unix socket beside the port; returns how to get there."""
        path = os.path.join(tempfile.mkdtemp(dir=self.folder), "socket")
        self.start_broker(f"allow_anonymous true\nlistener 0 {path}", lines, **options)

        def accepts():
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(path)
                return True
            return False

        wait_until(accepts, "the broker to listen at " + path)
        return ["--unix", path]

    def need_web_socket(self):
        if not has_web_socket():
            self.skipTest("no WebSocket in " + BROKER)

    def each_broker(self, config, listener):
        for program in BROKERS:
            with self.subTest(program):
                yield self.start_broker(config, listener, program=program)

    def tls_lines(self, server=None):
        server = server or self.server
        return (f"certfile {server.certificate}\nkeyfile {server.key}\n"
                f"cafile {self.pki.certificate}\n")

    # ---- Everybody meets everybody
    def test_with_a_certificate(self):
        lines = self.tls_lines() + "require_certificate true\nuse_identity_as_username true\n"
        for broker in self.each_broker("", lines):
            secure = self.at() + self.as_client(self.ann)
            self.meet(secure + ["-i", "me", "--tls-version", "tlsv1.3"], secure)
            broker.wait_log("as me .*u'ann'")

    def test_with_a_key(self):
        path = os.path.join(self.folder, "keys")
        with open(path, "w", encoding="utf-8") as file:
            file.write("ann:0123ABCD\n")
        for _ in self.each_broker(f"psk_file {path}", "psk_hint birds"):
            self.meet(self.at() + PSK, self.at() + PSK)

    def test_through_a_unix_socket(self):
        for program in BROKERS:
            with self.subTest(program):
                unix = self.start_with_socket(program=program)
                self.meet(unix, unix)

    def test_in_a_web_socket(self):
        self.need_web_socket()
        unix = self.start_with_socket("protocol websockets")
        self.meet(self.at() + ["--ws", "-V", "31"], unix)
        url = f"ws://127.0.0.1:{self.broker.port}/by/url"
        self.ours("pub", "-L", url, "-r", "-m", "hello")
        self.assertEqual(self.ours("sub", "-L", url, "-C", "1"), "hello\n")

    def test_in_a_web_socket_in_tls(self):
        self.need_web_socket()
        unix = self.start_with_socket(self.tls_lines() + "protocol websockets\n")
        self.meet(self.at() + ["--ws"] + self.trust, unix)
        url = f"wss://ann:secret@localhost:{self.broker.port}/by/url"
        self.ours("pub", "-L", url, "-r", "-m", "hello", *self.trust)
        self.assertEqual(self.ours("sub", "-L", url, "-C", "1", *self.trust), "hello\n")

    def test_a_reply_comes_the_same_way(self):
        self.start_tls()
        secure = self.at() + self.trust
        answer = self.subscriber("-t", "answer", *self.trust)
        asker = Process([BROKER, "rr", "-t", "question", "-e", "answer", "-m", "?", "-W", "20",
                         "-d", *secure])
        self.addCleanup(asker.kill)
        asker.wait_line("received SUBACK")
        self.pub("-t", "answer", "-m", "42", *self.trust)
        asker.wait_line("^42$")
        self.assertEqual((asker.wait(), answer.messages(1)), (0, ["answer 0 0 42"]))

    # ---- What a person reads when it does not work

    def refused(self, words, *options):
        output = self.ours("pub", "-t", "a", "-m", "x", *options, want=None)
        self.assertIn(words, output)
        self.assertNotIn("New client connected", self.broker.log())

    def test_refusals_of_the_server(self):
        self.start_broker("", self.tls_lines())
        self.refused("of an unknown authority", *self.at(), "--cafile", self.stranger.certificate)
        self.refused("of an unknown authority", *self.at(), "--tls-use-os-certs")
        self.refused("of an unknown authority", *self.at(), "--insecure", "--cafile",
                     self.stranger.certificate)
        self.start_broker("", self.tls_lines(self.expired))
        self.refused("certificate has expired", *self.at(), *self.trust)

    def test_refusals_of_the_client(self):
        self.start_broker("", self.tls_lines() + "require_certificate true\n")
        self.refused("the server wants a certificate", *self.at(), *self.trust)
        self.refused("does not know the authority of our certificate", *self.at(), *self.trust,
                     "--cert", self.false_ann.certificate, "--key", self.false_ann.key)
        self.refused(f"key '{self.server.key}': key values mismatch", *self.at(), *self.trust,
                     "--cert", self.ann.certificate, "--key", self.server.key)
        self.refused("cafile '/nowhere': No such file", *self.at(), "--cafile", "/nowhere")
        self.refused("does not take our psk", *self.at(), *PSK)

    def test_refusals_of_the_port(self):
        self.start_broker()
        self.refused("is this the right port", *self.at(), *self.trust)
        if has_web_socket():
            self.refused("is this the right port", *self.at(), "--ws")
            self.start_broker("", "protocol websockets\n" + self.tls_lines())
            self.refused("is this the right port", *self.at(), "--ws")
        self.refused("No such file or directory", "--unix", "/nowhere")
        self.start_broker("", self.tls_lines())
        self.refused("connection was lost", *self.at())

    def test_refusal_of_another_host_unless_that_is_asked_for(self):
        self.start_broker("", self.tls_lines(self.elsewhere))
        for host in ("localhost", "127.0.0.1"):
            self.refused("is for another host name", *self.at(host), *self.trust)
        for host in ("localhost", "127.0.0.1"):
            self.ours("pub", "-t", "a", "-m", "x", *self.at(host), *self.trust, "--insecure")


if __name__ == "__main__":
    main()
