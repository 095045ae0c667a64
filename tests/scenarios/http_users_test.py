"""Users whom a service is asked for over HTTP: a real one, which the tests start, and what becomes
of the broker when it hangs, fails, dies and comes back: fault 39."""

import functools
import json
import os
import shutil
import subprocess
import tempfile
import time

import wire
from certificates import Authority
from harness import BROKER, IS_NIGHTJAR, Scenario, main, wait_until
from http_service import Service
from swarm import Connection, Swarm
from wire import CONNACK, V5, V311

SUCCESS, NOT_AUTHORIZED, UNAVAILABLE = 0, 0x87, 0x88
ODD_NAMES = (
    '"', '", "is_superuser": true, "x": "', '"}', "ann\\", "\\u0022", "ä\U0001F512", "a\tb\x01",
    "' OR '1'='1", "a&b=c", "a\r\nX-Evil: 1", "${username}", "%s",
)


@functools.cache
def has_http():
    if not IS_NIGHTJAR:
        return False
    done = subprocess.run([BROKER, "--version"], stdout=subprocess.PIPE, check=True)
    return b"with users over HTTP" in done.stdout


def rule(topic, action="all", permission="allow"):
    return {"permission": permission, "action": action, "topic": topic}


def allow(*rules, **more):
    return 200, json.dumps({"result": "allow", "acl": rules, **more})


class HttpScenario(Scenario):
    def setUp(self):
        if not has_http():
            self.skipTest("no users over HTTP in " + BROKER)
        self.folder = tempfile.mkdtemp(prefix="http-")
        self.addCleanup(shutil.rmtree, self.folder)

    def file(self, name, text=""):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def local_user(self):
        """The option for a password file with "local" in it, whose password is "own"."""
        users = self.file("users")
        self.run_program([BROKER, "passwd", "-b", users, "local", "own"])
        return f"password_file {users}"

    def start_with(self, service, config="", host="127.0.0.1", path="/mqtt/auth", **options):
        self.service = service
        self.addCleanup(service.close)
        self.start_broker("\n".join([
            "allow_anonymous false", service.config(host, path, **options), config]))

    def login(self, name, password="secret", client_id="c", want=SUCCESS):
        client = wire.Client(self.broker.port, connect=False, version=V5)
        self.addCleanup(client.close)
        client.send(wire.connect(V5, client_id, username=name, password=password))
        self.assertEqual(client.expect(CONNACK).reason, want, name)
        return client

    def comes_in(self, name):
        client = wire.Client(self.broker.port, connect=False, version=V5)
        client.send(wire.connect(V5, "again", username=name, password="secret"))
        reason = client.expect(CONNACK).reason
        client.close()
        return reason == SUCCESS

    def may_subscribe(self, client, topic):
        return client.subscribe((topic, 1)).codes[0] < 0x80

    def may_publish(self, client, topic):
        client.send(wire.publish(V5, topic, b"x", 1, packet_id=client.next_id()))
        return client.until(wire.PUBACK)[-1].reason < 0x80


class Answers(HttpScenario):
    def test_who_comes_in(self):
        by_name = {"ann": (204, ""), "bob": (200, '{"result": "allow"}'), "carl": (403, ""),
                   "dave": (200, '{"result": "deny"}'), "eve": (200, '{"result": "ignore"}'),
                   "fred": (404, ""), "gina": (500, ""), "hal": (200, "<html>"),
                   "ida": (302, "", ("Location", "/elsewhere")), "joe": (200, "x" * 70_000)}
        self.start_with(Service())
        self.service.reply = lambda request: by_name[request["username"]]
        want = {**dict.fromkeys(("ann", "bob"), SUCCESS),
                **dict.fromkeys(("carl", "dave", "eve", "fred"), NOT_AUTHORIZED)}
        for name in by_name:
            self.login(name, want=want.get(name, UNAVAILABLE))
        self.assertEqual(len(self.service.requests), len(by_name))
        self.broker.wait_log(r"service http://127.0.0.1:\d+/mqtt/auth: it replied with status 500")

    def test_what_is_sent_and_how(self):
        self.start_with(Service(), header="Authorization: Bearer t0:ken", path="/a?b=c%20d")
        for name in ODD_NAMES:
            self.login(name, name, "id" + name).close()
            self.assertEqual(self.service.requests[-1], {
                "username": name, "password": name, "clientid": "id" + name,
                "peerhost": "127.0.0.1", "listener": self.broker.port})
            headers = self.service.headers[-1]
            self.assertEqual(headers["Authorization"], "Bearer t0:ken")
            self.assertEqual(headers["Content-Type"], "application/json")
            self.assertNotIn("X-Evil", headers)
        self.assertEqual(len(self.service.requests), len(ODD_NAMES))

    def test_the_rights_of_the_session(self):
        self.start_with(Service())
        self.service.reply = lambda request: allow(
            rule("a/#"), rule("a/secret", permission="deny"), rule("u/${username}/%c"),
            rule("read/+", "subscribe"), is_superuser=request["username"] == "root")
        ann = self.login("ann", client_id="dev")
        for topic, may in (("a/b", 1), ("a/secret", 0), ("u/ann/dev", 1), ("u/ann/x", 0),
                           ("read/x", 0), ("b", 0)):
            self.assertEqual(self.may_publish(ann, topic), bool(may), topic)
        for topic, may in (("a/b", 1), ("#", 0), ("read/+", 1), ("read/#", 0)):
            self.assertEqual(self.may_subscribe(ann, topic), bool(may), topic)
        self.assertTrue(self.may_publish(self.login("root", client_id="r"), "any/thing"))
        self.assertEqual(len(self.service.requests), 2)
        self.service.reply = lambda request: allow(rule("new"))
        ann = self.login("ann", "another password", "dev")
        self.assertTrue(self.may_publish(ann, "new"))
        self.assertFalse(self.may_publish(ann, "a/b"))

    def test_the_end_of_a_login(self):
        self.start_with(Service())
        self.service.reply = lambda request: allow(rule("#"), expire_at=int(time.time()) + 2)
        ann = self.login("ann")
        self.assertEqual(ann.expect(wire.DISCONNECT).reason, 0xA0)
        ann.wait_closed()
        self.service.reply = lambda request: allow(rule("#"), expire_at=int(time.time()) - 1)
        self.login("ann", want=NOT_AUTHORIZED)

    def test_without_rights_the_file_decides(self):
        rules = self.file("rules", "user ann\ntopic file/#\n")
        self.start_with(Service(), f"acl_file {rules}")
        ann = self.login("ann")
        self.assertTrue(self.may_publish(ann, "file/x"))
        self.assertFalse(self.may_publish(ann, "a/b"))
        self.service.reply = lambda request: allow(rule("a/#"))
        ann = self.login("ann", client_id="d")
        self.assertFalse(self.may_publish(ann, "file/x"))
        self.assertTrue(self.may_publish(ann, "a/b"))

    def test_a_storm_of_logins_through_eight_connections(self):
        self.start_with(Service(), negative_cache="0s", pool_size=8)
        count = 300 if os.environ.get("SCENARIO_SANITIZED") else 2000
        swarm = Swarm()
        self.addCleanup(swarm.close)
        answers = []
        for number in range(count):
            Connection(
                swarm, self.broker.port, V311, lambda _, packet: answers.append(packet.reason),
                lambda _: answers.append("closed"),
            ).send(wire.connect(V311, f"s{number}", username="ann", password="secret"))
        wait_until(lambda: swarm.poll() is not None and len(answers) == count, "all CONNACKs")
        self.assertEqual(answers, [0] * count)
        self.assertEqual(len(self.service.requests), count)


class Encrypted(HttpScenario):
    def test_only_who_proves_who_it_is_is_asked_and_answers(self):
        pki, other = Authority(self.folder), Authority(self.folder, "other")
        certificate = pki.issue("service", names="DNS:localhost")
        own = {"cert_file": certificate.certificate, "key_file": certificate.key}
        for ca, host, options, want in (
                (pki, "localhost", own, SUCCESS), (pki, "localhost", {}, UNAVAILABLE),
                (pki, "127.0.0.1", own, UNAVAILABLE), (other, "localhost", own, UNAVAILABLE)):
            service = Service(pki, certificate, wants_certificate=True)
            self.start_with(service, host=host, ca_file=ca.certificate, **options)
            self.login("ann", want=want)
            self.assertEqual(len(service.requests), int(want == SUCCESS))
            self.broker.stop()


class Trouble(HttpScenario):
    def test_it_hangs_dies_and_comes_back(self):
        self.start_with(Service(), cache="0s", pool_size=2, timeout="300ms")
        self.service.reply = lambda request: allow(rule("a/#"))
        known = self.login("ann", client_id="known")
        for harm, mend in ((self.service.hang, self.service.go_on),
                           (self.service.kill, self.service.start)):
            harm()
            began = time.monotonic()
            for name, password in (("bob", "secret"), ("ann", "wrong"), ("carl", "secret")):
                self.login(name, password, "known2", want=UNAVAILABLE)
            self.assertLess(time.monotonic() - began, 10)
            # Whom it let in before comes in with his rights, and who is in goes on.
            self.assertTrue(self.may_publish(known, "a/x"))
            known = self.login("ann", client_id="known")
            self.assertTrue(self.may_publish(known, "a/x"))
            self.assertFalse(self.may_publish(known, "b"))
            self.login("ann", "wrong", "known", want=UNAVAILABLE)
            mend()
            wait_until(lambda: self.comes_in("bob"), "the service to be asked again")
        self.broker.wait_log("is lost, and tried again from time to time")
        self.broker.wait_log("answers again")

    def test_it_holds_up_nobody_else(self):
        self.start_with(Service(), self.local_user(), timeout="60s")
        self.service.hang()
        waiting = wire.Client(self.broker.port, connect=False, version=V5)
        self.addCleanup(waiting.close)
        waiting.send(wire.connect(V5, "w", username="ann", password="secret"))
        wait_until(lambda: self.service.requests, "the service to be asked")
        local = self.login("local", "own", "l")
        self.assertTrue(self.may_publish(local, "x"))
        self.assertEqual(len(self.service.requests), 1)  # Nothing about whom a file knows.
        began = time.monotonic()
        self.broker.stop()  # Nor does it hold up the end.
        self.assertLess(time.monotonic() - began, 10)

    def test_what_can_be_found_out_before_is(self):
        for options, want in (
                ("auth_http_url https://localhost/\nauth_http_ca_file /none", "cannot be read"),
                ("auth_http_url https://localhost/\nauth_http_key_file /none", "need each other")):
            config = self.file("broker.conf", options + "\n")
            output = self.run_program([BROKER, "--test-config", "-c", config], 3)
            self.assertIn(want, output)


if __name__ == "__main__":
    main()
