"""Runs the same command lines with nightjar's tools and with Debian's mosquitto clients.

Both talk to a mosquitto broker on a free port; standard output, standard error and the exit code
have to be the same. Usage: tools_against_mosquitto.py PATH_OF_NIGHTJAR [unittest arguments]
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

TOOLS = ""
NEEDED = ("mosquitto", "mosquitto_pub", "mosquitto_sub", "mosquitto_rr", "stdbuf")
PATH = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin"
LIMIT_S = 20


def find(name):
    return shutil.which(name, path=PATH)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Broker:
    """A mosquitto of its own, which ends with the test."""

    def __init__(self, folder, lines):
        self.port = free_port()
        path = os.path.join(folder, f"broker-{self.port}.conf")
        with open(path, "w", encoding="utf-8") as config:
            config.write(f"listener {self.port} 127.0.0.1\n" + lines)
        self.process = subprocess.Popen(
            [find("mosquitto"), "-c", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + LIMIT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise

    def stop(self):
        self.process.terminate()
        self.process.wait(LIMIT_S)


class Comparison(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        missing = [name for name in NEEDED if not find(name)]
        if missing:
            raise unittest.SkipTest("not installed: " + ", ".join(missing))
        cls.folder = tempfile.mkdtemp()
        cls.open_broker = Broker(cls.folder, "allow_anonymous true\n")
        cls.closed_broker = Broker(cls.folder, "allow_anonymous false\n")
        for name in NEEDED[1:4]:
            os.symlink(os.path.abspath(TOOLS), os.path.join(cls.folder, name))
        cls.environment = dict(os.environ, XDG_CONFIG_HOME=cls.folder + "/config", TZ="UTC")

    @classmethod
    def tearDownClass(cls):
        cls.open_broker.stop()
        cls.closed_broker.stop()
        shutil.rmtree(cls.folder)

    def start(self, ours, line, port, **keywords):
        # Theirs keeps -d lines back in a pipe without stdbuf.
        program = [os.path.join(self.folder, line[0])] if ours else [
            "stdbuf", "-oL", find(line[0])]
        return subprocess.Popen(
            program + ["-h", "127.0.0.1", "-p", str(port)] + line[1:], env=self.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **keywords)

    @staticmethod
    def same_for_all(data):
        """Without what has to differ: times, ids that the broker or a dice made."""
        text = data.decode("utf-8", "surrogateescape")
        text = re.sub(r"auto-[0-9A-F-]{36}", "auto-ID", text)
        text = re.sub(r"mosq-\w{18}", "mosq-ID", text)
        return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6}Z)?", "TIME", text)

    def outcome(self, process, given=b""):
        out, err = process.communicate(given, LIMIT_S)
        return self.same_for_all(out), self.same_for_all(err), process.returncode

    def compare(self, sentence, line, given=b"", port=None):
        with self.subTest(sentence):
            port = port or self.open_broker.port
            want, got = (self.outcome(self.start(ours, line, port), given)
                         for ours in (False, True))
            self.assertEqual(got, want)

    def publish(self, line):
        """What both subscribers shall see is sent by mosquitto_pub."""
        done = self.start(False, ["mosquitto_pub"] + line, self.open_broker.port)
        self.assertEqual(self.outcome(done)[2], 0)

    def received(self, ours, line, messages):
        subscriber = self.start(ours, ["mosquitto_sub", "-d"] + line, self.open_broker.port)
        # The -d line tells that the subscription is in place.
        head = b""
        while b"Subscribed" not in head:
            piece = subscriber.stdout.readline()
            self.assertTrue(piece, "the subscriber ended early")
            head += piece
        for message in messages:
            self.publish(message)
        out, err, code = self.outcome(subscriber)
        return self.same_for_all(head) + out, err, code

    def test_errors_of_the_command_line(self):
        rows = [
            ("unknown option", ["mosquitto_pub", "--bogus"]),
            ("an option of another tool", ["mosquitto_pub", "-C", "1"]),
            ("a value is missing", ["mosquitto_sub", "-t"]),
            ("-V without value", ["mosquitto_sub", "-V"]),
            ("-M without value", ["mosquitto_pub", "-M"]),
            ("no topic", ["mosquitto_sub"]),
            ("two messages", ["mosquitto_pub", "-t", "a", "-n", "-m", "x"]),
            ("wildcard in a topic name", ["mosquitto_pub", "-t", "a/#", "-m", "x"]),
            ("bad filter", ["mosquitto_sub", "-t", "a/#/b"]),
            ("bad -T", ["mosquitto_sub", "-t", "a", "-T", "a+"]),
            ("bad -U", ["mosquitto_sub", "-U", "a+"]),
            ("bad QoS", ["mosquitto_sub", "-t", "a", "-q", "3"]),
            ("bad port", ["mosquitto_sub", "-t", "a", "-p", "70000"]),
            ("bad keepalive", ["mosquitto_sub", "-t", "a", "-k", "1"]),
            ("bad count", ["mosquitto_sub", "-t", "a", "-C", "0"]),
            ("bad timeout", ["mosquitto_sub", "-t", "a", "-W", "0"]),
            ("bad version", ["mosquitto_sub", "-t", "a", "-V", "6"]),
            ("bad format letter", ["mosquitto_sub", "-t", "a", "-F", "%z"]),
            ("format cut short", ["mosquitto_sub", "-t", "a", "-F", "%"]),
            ("escape cut short", ["mosquitto_sub", "-t", "a", "-F", "\\"]),
            ("bad escape", ["mosquitto_sub", "-t", "a", "-F", "\\q"]),
            ("-i and -I", ["mosquitto_sub", "-t", "a", "-i", "x", "-I", "y"]),
            ("-c without id", ["mosquitto_sub", "-t", "a", "-c"]),
            ("-c without id, 5.0", ["mosquitto_sub", "-t", "a", "-c", "-V", "5"]),
            ("-x is no number", ["mosquitto_sub", "-t", "a", "-x", "12x"]),
            ("-x too large", ["mosquitto_sub", "-t", "a", "-x", "4294967296"]),
            ("will payload alone", ["mosquitto_sub", "-t", "a", "--will-payload", "x"]),
            ("will retain alone", ["mosquitto_sub", "-t", "a", "--will-retain"]),
            ("-R and --retained-only", ["mosquitto_sub", "-t", "a", "-R", "--retained-only"]),
            ("-L without topic", ["mosquitto_sub", "-L", "mqtt://h"]),
            ("-L with another scheme", ["mosquitto_sub", "-L", "http://h/a"]),
            ("a password alone", ["mosquitto_pub", "-t", "a", "-m", "x", "-P", "x"]),
            ("no such file", ["mosquitto_pub", "-t", "a", "-f", "/does/not/exist"]),
            ("empty input", ["mosquitto_pub", "-t", "a", "-s"]),
            ("rr needs all", ["mosquitto_rr", "-t", "a", "-m", "x"]),
            ("-D cut short", ["mosquitto_pub", "-D", "publish", "content-type"]),
            ("-D bad command", ["mosquitto_pub", "-D", "foo", "content-type", "x"]),
            ("-D bad name", ["mosquitto_pub", "-D", "publish", "foo", "x"]),
            ("-D not allowed", ["mosquitto_pub", "-D", "connect", "content-type", "x"]),
            ("-D out of range",
             ["mosquitto_pub", "-D", "publish", "payload-format-indicator", "256"]),
            ("-D bad value",
             ["mosquitto_pub", "-t", "a", "-n", "-D", "publish", "topic-alias", "0"]),
            ("-D twice", ["mosquitto_pub", "-t", "a", "-n", "-D", "publish", "content-type", "x",
                          "-D", "publish", "content-type", "y"]),
        ]
        for sentence, line in rows:
            self.compare(sentence, line)

    def test_publish(self):
        rows = [
            ("QoS 0", ["-m", "x"]),
            ("QoS 1", ["-m", "x", "-q", "1"]),
            ("QoS 2", ["-m", "x", "-q", "2"]),
            ("MQTT 5", ["-m", "x", "-V", "5"]),
            ("MQTT 5, nobody wants it", ["-m", "x", "-V", "5", "-q", "1", "-t", "nobody"]),
            ("MQTT 3.1", ["-m", "x", "-V", "31"]),
            ("repeated", ["-m", "x", "--repeat", "3", "-q", "1", "-i", "repeater"]),
            ("repeated with delay", ["-m", "x", "--repeat", "2", "--repeat-delay", "0.1"]),
            ("a topic alias", ["-m", "x", "--repeat", "2", "-D", "publish", "topic-alias", "3"]),
            ("null", ["-n"]),
            ("a will and a session", ["-m", "x", "-c", "-i", "keeper", "--will-topic", "w",
                                      "--will-payload", "p", "--will-qos", "1"]),
            ("properties everywhere", ["-m", "x", "-D", "connect", "user-property", "a", "b",
                                       "-D", "publish", "content-type", "t", "-D", "disconnect",
                                       "session-expiry-interval", "0"]),
            ("a URL", ["-m", "x", "-L", f"mqtt://u:p@127.0.0.1:{self.open_broker.port}/url"]),
        ]
        for sentence, line in rows:
            self.compare(sentence, ["mosquitto_pub", "-d", "-t", "a/b"] + line)
        self.compare("all of stdin", ["mosquitto_pub", "-d", "-t", "a", "-s"], b"one\ntwo\n")

    def test_publish_lines(self):
        for ours in (False, True):
            out = self.outcome(self.start(ours, ["mosquitto_pub", "-d", "-t", "a", "-l", "-q", "1",
                                                 "-i", "liner"], self.open_broker.port),
                               b"one\n\nthree")
            # When which ack comes is the network's business; what is sent is not.
            sent = [line for line in out[0].splitlines() if "sending" in line]
            self.assertEqual([line.split("q1, r0, ")[1] for line in sent[1:-1]],
                             ["m1, 'a', ... (3 bytes))", "m2, 'a', ... (0 bytes))",
                              "m3, 'a', ... (5 bytes))"])
            self.assertEqual(out[1:], ("", 0))

    def test_connection_errors(self):
        closed = self.closed_broker.port
        # Without -d: mosquitto_sub goes on to send a DISCONNECT that nobody reads.
        for version in ("311", "5"):
            self.compare("refused sub " + version,
                         ["mosquitto_sub", "-t", "a", "-V", version], port=closed)
        self.compare("refused pub", ["mosquitto_pub", "-t", "a", "-m", "x", "-d"], port=closed)
        self.compare("refused rr",
                     ["mosquitto_rr", "-t", "a", "-m", "x", "-e", "b"], port=closed)
        self.compare("nobody listens", ["mosquitto_pub", "-t", "a", "-m", "x"], port=free_port())
        self.compare("quiet", ["mosquitto_pub", "-t", "a", "-m", "x", "--quiet"], port=free_port())
        self.compare("no such host",
                     ["mosquitto_pub", "-t", "a", "-m", "x", "-h", "nosuch.invalid"])

    def test_subscribe_and_end(self):
        rows = [
            ("-E", ["-t", "a", "-t", "b/#", "-E", "-q", "2"]),
            ("-E with 5.0", ["-t", "a", "-E", "-V", "5", "--retain-as-published"]),
            ("-E with 3.1", ["-t", "a", "-E", "-V", "31"]),
            ("timeout", ["-t", "nothing/here", "-W", "1"]),
            ("subscription identifier",
             ["-t", "a", "-E", "-D", "subscribe", "subscription-identifier", "7"]),
        ]
        for sentence, line in rows:
            self.compare(sentence, ["mosquitto_sub", "-d"] + line)
        self.compare("rr times out",
                     ["mosquitto_rr", "-t", "q", "-e", "r", "-m", "x", "-W", "1", "-d"])

    def test_retained(self):
        self.publish(["-t", "kept/a", "-m", "one", "-r"])
        self.publish(["-t", "kept/b", "-m", "two", "-r"])
        rows = [
            ("one by one", ["-t", "kept/a", "-C", "1", "-v"]),
            ("-F of a kept message", ["-t", "kept/a", "-C", "1", "-F", "%r|%q|%t|%p"]),
            ("-R ignores them", ["-t", "kept/#", "-R", "-W", "1", "-v"]),
            ("-T filters out", ["-t", "kept/#", "-T", "kept/a", "-C", "1", "-v"]),
        ]
        for sentence, line in rows:
            self.compare(sentence, ["mosquitto_sub"] + line)
        # Ours only: mosquitto_sub 2.0.11 never ends with both -C and --remove-retained.
        self.publish(["-t", "gone", "-m", "x", "-r"])
        line = ["mosquitto_sub", "-t", "gone", "--remove-retained", "-C", "1", "-v"]
        self.assertEqual(self.outcome(self.start(True, line, self.open_broker.port)),
                         ("gone x\n", "", 0))
        self.compare("nothing is left", ["mosquitto_sub", "-t", "gone", "-W", "1"])

    def test_help_follows_a_missing_message(self):
        outcomes = [self.outcome(self.start(ours, ["mosquitto_pub", "-t", "a"],
                                            self.open_broker.port)) for ours in (False, True)]
        self.assertEqual(outcomes[1][1:], outcomes[0][1:])
        for out, _, _ in outcomes:
            self.assertIn("Usage: mosquitto_pub", out)

    def test_received_messages(self):
        five = ["-V", "5", "-D", "publish", "content-type", "text", "-D", "publish",
                "response-topic", "re/ply", "-D", "publish", "correlation-data", "co", "-D",
                "publish", "user-property", "k", "v", "-D", "publish", "user-property", "k", "w",
                "-D", "publish", "payload-format-indicator", "1"]
        every = "%A|%C|%D|%F|%I|%l|%m|%P|%p|%q|%R|%r|%S|%t|%x|%X|%%|@Y-@@|\\t\\\\\\e\\0"
        wide = "%10t|%-10t|%10.3t|%.3t|%7x|%-7x|%08x|%7X|%8p|%-8p|%020p|%3l|%-3l|%03l|%5C|%-5C|%4F|"
        rows = [
            ("plain", ["-t", "m"], [["-t", "m", "-m", "hello"]]),
            ("QoS 1", ["-t", "m", "-q", "1"], [["-t", "m", "-m", "hello", "-q", "1"]]),
            ("QoS 2", ["-t", "m", "-q", "2"], [["-t", "m", "-m", "hello", "-q", "2"]]),
            ("QoS 2 and 5.0", ["-t", "m", "-q", "2", "-V", "5"],
             [["-t", "m", "-m", "hello", "-q", "2"]]),
            ("verbose", ["-t", "m/#", "-v"], [["-t", "m/x", "-m", "hello"]]),
            ("verbose and empty", ["-t", "m/#", "-v"], [["-t", "m/x", "-n"]]),
            ("no end of line", ["-t", "m", "-N"], [["-t", "m", "-m", "hello"]]),
            ("two", ["-t", "m", "-C", "2"], [["-t", "m", "-m", "1"], ["-t", "m", "-m", "2"]]),
            ("all fields", ["-t", "m/#", "-V", "5", "-q", "1", "-F", every],
             [["-t", "m/x", "-m", "hello", "-q", "1"] + five]),
            ("all fields, no properties", ["-t", "m/#", "-F", every], [["-t", "m/x", "-m", "hi"]]),
            ("widths", ["-t", "m/#", "-V", "5", "-F", wide],
             [["-t", "m/topic", "-m", "hello world"] + five]),
            ("JSON", ["-t", "m", "-V", "5", "-q", "1", "-F", "%j"],
             [["-t", "m", "-m", 'say "hi"\n', "-q", "1"] + five]),
            ("JSON, 3.1.1", ["-t", "m", "-F", "%j"], [["-t", "m", "-m", "é"]]),
            ("JSON, empty", ["-t", "m", "-F", "%j"], [["-t", "m", "-n"]]),
            ("JSON, pretty", ["-t", "m", "-V", "5", "-F", "%j", "--pretty"],
             [["-t", "m", "-m", "x"] + five]),
            ("JSON payload", ["-t", "m", "-F", "%J"],
             [["-t", "m", "-m", '{"a":[1,2.5,{},[]],"b":{"c":null},"d":1e3}']]),
            ("JSON payload, pretty", ["-t", "m", "-F", "%J", "--pretty"],
             [["-t", "m", "-m", '{"a":[1,2.5],"b":{"c":true}}']]),
            ("no JSON payload", ["-t", "m", "-F", "<%J>"], [["-t", "m", "-m", "nonsense"]]),
        ]
        for sentence, line, messages in rows:
            with self.subTest(sentence):
                line = ["-C", "1", "-i", "listener"] + line
                self.assertEqual(self.received(True, line, messages),
                                 self.received(False, line, messages))

    def test_session_is_kept(self):
        for ours, name in ((False, "their"), (True, "our")):
            line = ["mosquitto_sub", "-t", name, "-q", "1", "-c", "-i", name + "-session"]
            self.assertEqual(self.outcome(self.start(ours, line + ["-E"], self.open_broker.port)),
                             ("", "", 0))
            self.publish(["-t", name, "-m", "waited", "-q", "1"])
            self.assertEqual(
                self.outcome(self.start(ours, line + ["-C", "1"], self.open_broker.port)),
                ("waited\n", "", 0))

    def test_request_and_response(self):
        for ours in (False, True):
            line = ["mosquitto_rr", "-t", "ask", "-e", "answer", "-m", "question", "-W", "10",
                    "-v", "-d"]
            requester = self.start(ours, line, self.open_broker.port)
            head = b""
            while b"sending PUBLISH" not in head:
                head += requester.stdout.readline()
            self.publish(["-t", "answer", "-m", "42"])
            out, err, code = self.outcome(requester)
            self.assertIn("answer 42\n", out)
            self.assertEqual((err, code), ("", 0))

    def test_options_file(self):
        path = os.path.join(self.folder, "config")
        os.makedirs(path, exist_ok=True)
        name = os.path.join(path, "mosquitto_pub")
        with open(name, "w", encoding="utf-8") as options:
            options.write("# defaults\n-t from/a file\n-d\n--will-topic w\n")
        try:
            self.compare("defaults", ["mosquitto_pub", "-m", "x"])
            self.compare("overruled", ["mosquitto_pub", "-m", "x", "-t", "other"])
        finally:
            os.remove(name)

    def test_doors_that_are_wrong(self):
        for option in (["--cert", "x"], ["--psk", "ab"], ["--keyform", "pem"],
                       ["--unix", "/nowhere"],
                       ["--psk", "ab", "--psk-identity", "a", "--cafile", "x"],
                       ["-L", "foo://h/t"]):
            self.compare(" ".join(option), ["mosquitto_pub", "-t", "a", "-m", "x"] + option)

    def test_what_is_not_built_in_is_refused(self):
        for option in (["--tls-engine", "x"], ["--tls-keylog", "x"], ["--proxy", "socks5h://h"]):
            with self.subTest(option[0]):
                line = ["mosquitto_pub", "-t", "a", "-m", "x"] + option
                out, err, code = self.outcome(self.start(True, line, self.open_broker.port))
                self.assertIn("not supported yet by this build", err)
                self.assertEqual((out, code), ("", 1))


if __name__ == "__main__":
    TOOLS = sys.argv.pop(1)
    unittest.main(verbosity=1)
