"""password_file and acl_file, as the real program reads them: who comes in, and what reaches whom.

What is not marked is the same on Mosquitto 2.0.
"""

import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time

import wire
from harness import (BROKER, HOST, IS_NIGHTJAR, Broker, ReservedPort, Scenario, main, nightjar_only,
                     wait_until)
from wire import CONNACK, V5, V311

SUCCESS, NOT_AUTHORIZED, TOO_OFTEN = 0, 0x87, 0x9F
MOSQUITTO_PASSWD = shutil.which("mosquitto_passwd")

ACL = """# rules
topic read anon/#
user ann
topic ann/#
topic deny ann/secret
topic read shared/+
user bob
topic write ann/in
pattern readwrite dev/%c/#
"""


def has_password_files():
    if not IS_NIGHTJAR:
        return True
    done = subprocess.run([BROKER, "--version"], stdout=subprocess.PIPE, check=True)
    return b"without OpenSSL" not in done.stdout and b"SCRAM" in done.stdout


class FileScenario(Scenario):
    def setUp(self):
        if not MOSQUITTO_PASSWD:
            self.skipTest("no mosquitto_passwd")
        if not has_password_files():
            self.skipTest("no password files in " + BROKER)

    def start(self, acl=ACL, config="", users=("ann", "bob"), listener=""):
        """A broker whose users have their own names as passwords. Of one thread: then who is
        pinged has got what others have published before."""
        # Makes the folder; it is not asked anything.
        self.start_broker("allow_anonymous true", threads=1)
        self.broker.stop()
        self.users = os.path.join(self.broker.folder, "users")
        self.rules = os.path.join(self.broker.folder, "rules")
        open(self.users, "w").close()
        for user in users:
            self.add_user(user)
        lines = [config, f"password_file {self.users}"]
        if acl is not None:
            self.write_rules(acl)
            lines.append(f"acl_file {self.rules}")
        self.broker.write_config("\n".join(lines), listener)
        self.broker.start()

    def add_user(self, user, *flags):
        subprocess.run([MOSQUITTO_PASSWD, *flags, "-b", self.users, user, user], check=True)
        os.chmod(self.users, 0o644)  # Mosquitto may read it as another user.

    def write_rules(self, text):
        with open(self.rules, "w", encoding="utf-8") as file:
            file.write(text)

    def try_to_connect(self, user=None, password=None, client_id="c", version=V5):
        client = wire.Client(self.broker.port, connect=False, version=version)
        self.addCleanup(client.close)
        names = {"username": user, "password": password} if user else {}
        client.send(wire.connect(version, client_id, **names))
        return client, client.expect(CONNACK).reason

    def client(self, user=None, client_id=None):
        client, reason = self.try_to_connect(user, user and user.encode(),
                                             client_id or f"of-{user}")
        self.assertEqual(reason, SUCCESS)
        return client

    def reload(self):
        self.broker.signal(signal.SIGHUP)


class Passwords(FileScenario):
    def test_who_comes_in(self):
        self.start(acl=None, config="allow_anonymous false")
        self.add_user("old", "-H", "sha512")
        self.broker.stop()
        self.broker.start()
        for user, password, version, want in (
                ("ann", b"ann", V5, SUCCESS), ("ann", b"ann", V311, SUCCESS),
                ("old", b"old", V5, SUCCESS),
                ("ann", b"bob", V5, NOT_AUTHORIZED), ("ann", b"bob", V311, 5),
                ("ann", b"", V5, NOT_AUTHORIZED), ("nobody", b"ann", V5, NOT_AUTHORIZED),
                ("nobody", b"ann", V311, 5), (None, None, V5, NOT_AUTHORIZED)):
            _, reason = self.try_to_connect(user, password, version=version)
            self.assertEqual(reason, want, (user, password, version))

    def test_anonymous_clients_beside_users(self):
        self.start(acl=None, config="allow_anonymous true")
        self.assertEqual(self.try_to_connect()[1], SUCCESS)
        self.assertEqual(self.try_to_connect("nobody", b"x")[1], NOT_AUTHORIZED)

    @nightjar_only("Mosquitto leaves the line out, and starts")
    def test_a_malformed_line_stops_the_start_and_no_reload(self):
        self.start(acl=None)
        with open(self.users, "a", encoding="utf-8") as file:
            file.write("mallory\n")
        self.reload()
        self.broker.wait_log(r"users:3: Error: there is no colon behind the user name")
        self.broker.wait_log("the old one stays")
        self.assertEqual(self.try_to_connect("ann", b"ann")[1], SUCCESS)
        self.assertEqual(self.try_to_connect("mallory", b"")[1], NOT_AUTHORIZED)

    @nightjar_only("Mosquitto tells a wrong name at once")
    def test_a_wrong_name_takes_as_long_as_a_wrong_password(self):
        """Fault 41: names cannot be asked for. What tells them apart by the clock would be the
        hash, which costs nearly all of the time: so does it for who is nobody."""
        self.start(acl=None)
        self.users_with_iterations(40_000)

        costs = {"ann": 0, "nobody": 0}
        for _ in range(9):  # In turns: a process that gets slower or faster does so for both.
            for user in costs:
                begin = self.processor_time()
                self.assertEqual(self.try_to_connect(user, b"wrong")[1], NOT_AUTHORIZED)
                costs[user] += self.processor_time() - begin
        known, unknown = costs.values()
        self.assertLess(abs(known - unknown), 0.5 * max(known, unknown))

    def processor_time(self):
        """Ticks of all threads of the broker: other work of the machine does not count."""
        with open(f"/proc/{self.broker.process.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def users_with_iterations(self, iterations):
        os.remove(self.users)
        open(self.users, "w").close()
        self.add_user("ann", "-I", str(iterations))
        self.reload()
        self.broker.wait_log("Reloading config")
        wait_until(lambda: self.try_to_connect("ann", b"ann")[1] == SUCCESS, "the reload")

    @nightjar_only("Mosquitto 2.0 lets guess")
    def test_who_guesses_has_to_wait(self):
        self.start(acl=None, config="auth_failure_limit 2")
        stays = self.client("ann")
        for _ in range(2):
            self.assertEqual(self.try_to_connect("ann", b"x")[1], NOT_AUTHORIZED)
        self.assertEqual(self.try_to_connect("ann", b"ann")[1], TOO_OFTEN)
        self.broker.wait_log(r"refused: auth_failure_limit: too many failed logins from there, the "
                             "next is looked at in 1 s")
        self.assertEqual(stays.ping(), [])
        wait_until(lambda: self.try_to_connect("ann", b"ann")[1] == SUCCESS, "a second to pass")

    @nightjar_only("Mosquitto hashes on its only loop")
    def test_a_flood_of_logins_does_not_hold_up_who_is_in(self):
        """Fault 41: 60 logins that are expensive wait, and a ping is answered meanwhile."""
        self.start(acl=None)
        self.users_with_iterations(50_000)
        healthy = self.client("ann")
        flood = []
        for number in range(60):
            client = wire.Client(self.broker.port, connect=False, version=V5)
            self.addCleanup(client.close)
            client.send(wire.connect(V5, f"flood-{number}", username="ann", password=b"no"))
            flood.append(client)
        begin = time.monotonic()
        for _ in range(10):
            self.assertEqual(healthy.ping(), [])
        self.assertLess(time.monotonic() - begin, 2)
        for client in flood:
            client.close()  # What has not begun is not hashed any more.
        begin = time.monotonic()
        self.assertEqual(self.try_to_connect("ann", b"ann")[1], SUCCESS)
        self.assertLess(time.monotonic() - begin, 5)


@nightjar_only("it is nightjar's tool")
class Passwd(FileScenario):
    """Files of `nightjar passwd` are Mosquitto's, and the reverse."""

    MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:" + os.environ.get("PATH", ""))

    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp(prefix="passwd-")
        self.addCleanup(shutil.rmtree, self.folder)
        os.chmod(self.folder, 0o755)
        self.users = os.path.join(self.folder, "users")

    def passwd(self, *arguments, want=0):
        return self.run_program([BROKER, "passwd", *arguments], want)

    def text(self):
        with open(self.users, encoding="utf-8") as file:
            return file.read()

    def start_program(self, program):
        """A broker with the file; any user may read it."""
        os.chmod(self.users, 0o644)
        self.broker = Broker(f"allow_anonymous false\npassword_file {self.users}", program=program)
        self.addCleanup(self.broker.close)
        self.broker.start()

    def test_each_kind_that_mosquitto_reads_lets_in_there_and_here(self):
        self.passwd("-c", "-b", self.users, "ann", "ann's")
        self.passwd("-H", "sha512", "-b", self.users, "bob", "bob's")
        self.passwd("-H", "sha512-pbkdf2", "-I", "77", "-b", self.users, "carl", "carl's")
        self.assertRegex(self.text(), r"^ann:\$7\$10000\$.*\nbob:\$6\$.*\ncarl:\$7\$77\$.*\n$")
        for program in filter(None, (self.MOSQUITTO, BROKER)):
            self.start_program(program)
            for user in ("ann", "bob", "carl"):
                self.assertEqual(self.try_to_connect(user, f"{user}'s".encode())[1], SUCCESS)
                self.assertEqual(self.try_to_connect(user, b"x")[1], NOT_AUTHORIZED)

    def test_edits_what_mosquitto_passwd_has_written(self):
        subprocess.run([MOSQUITTO_PASSWD, "-c", "-b", self.users, "ann", "x"], check=True)
        self.passwd("-b", self.users, "bob", "y")
        self.passwd("-D", self.users, "ann")
        subprocess.run([MOSQUITTO_PASSWD, "-b", self.users, "carl", "z"], check=True)
        self.assertEqual([line.split(":")[0] for line in self.text().split()], ["bob", "carl"])
        self.assertEqual(stat.S_IMODE(os.stat(self.users).st_mode) & 0o077, 0)

    def test_upgrades_plain_passwords_and_leaves_the_rest(self):
        self.passwd("-c", "-b", self.users, "ann", "x")
        hashed = self.text()
        with open(self.users, "a", encoding="utf-8") as file:
            file.write("# plain\nbob:b:c\n")
        self.passwd("-U", "-I", "5", self.users)
        self.assertRegex(self.text(), "^" + re.escape(hashed) + r"# plain\nbob:\$7\$5\$.*\n$")
        self.start_program(BROKER)
        self.assertEqual(self.try_to_connect("bob", b"b:c")[1], SUCCESS)

    def test_says_what_is_wrong_and_leaves_the_file(self):
        before = "ann:secret\nbob\n"
        with open(self.users, "w", encoding="utf-8") as file:
            file.write(before)
        for arguments, want in (
                (["-U", self.users], "users:2: Error: not a user, a colon and a password"),
                (["-b", self.users, "carl", "x"], "users:1: Error: what user 'ann' has is not"),
                (["-c", "-b", self.users, "a:b", "x"], "no colon"),
                (["-c", "-b", self.users, "ann", ""], "a password is not empty"),
                (["-U", "-c", self.users], "-U goes with none of"),
                (["-D", self.users, "dan"], "there is no user 'dan'"),
                (["-I", "0", "-b", self.users, "dan", "x"], "must be 1 to 10000000, not 0"),
                (["-H", "md5", "-b", self.users, "dan", "x"], "Unknown hash type 'md5'")):
            self.assertIn(want, self.passwd(*arguments, want=1))
        self.assertEqual(self.text(), before)

    def test_prints_the_line_of_a_file_called_dash(self):
        self.assertRegex(self.passwd("-c", "-b", "-", "ann", "x"), r"^ann:\$7\$10000\$.*\n$")


class Rules(FileScenario):
    def test_what_reaches_whom(self):
        self.start(config="allow_anonymous true")
        subscribers = {name: self.client(user, client_id) for name, user, client_id in (
            ("ann", "ann", "a1"), ("bob", "bob", "b1"), ("anonymous", None, "n1"))}
        for subscriber in subscribers.values():
            subscriber.subscribe("#")
        ann, bob = self.client("ann", "a2"), self.client("bob", "b2")
        anonymous = self.client(None, "n2")
        for publisher, topic, readers in (
                (ann, "ann/x", {"ann"}), (ann, "ann/secret", set()), (ann, "shared/x", set()),
                (ann, "dev/a2/x", set()), (ann, "dev/a1/x", set()), (ann, "ann", {"ann"}),
                (bob, "ann/in", {"ann"}), (bob, "ann/x", set()), (bob, "dev/b2/x", set()),
                (anonymous, "anon/x", set()), (anonymous, "dev/n2", set())):
            publisher.publish(topic, b"1", qos=1)
            for name, subscriber in subscribers.items():
                got = [packet.topic for packet in subscriber.ping()]
                self.assertEqual(got, [topic] if name in readers else [], (topic, name))

    def test_a_mount_point_is_part_of_the_topics_that_rules_name(self):
        self.start("topic readwrite mnt/m/#\ntopic readwrite a/#\n", listener="mount_point mnt/",
                   config="allow_anonymous true")
        client, other = self.client(None, "c"), self.client(None, "d")
        client.subscribe("#")
        for topic, is_allowed in (("m/1", True), ("a/1", False)):
            answer = other.publish(topic, b"1", qos=1)
            self.assertEqual(answer.reason, SUCCESS if is_allowed else NOT_AUTHORIZED)
            self.assertEqual(len(client.ping()), 1 if is_allowed else 0)

    @nightjar_only("Mosquitto takes an empty file for none")
    def test_an_empty_file_denies(self):
        """Fault 40."""
        self.start("")
        ann = self.client("ann")
        self.assertEqual(ann.publish("ann/x", b"1", qos=1).reason, NOT_AUTHORIZED)
        self.broker.wait_log(r"Denied PUBLISH from of-ann \(user 'ann', .*\): "
                             r"topic 'ann/x' \(no rule of .*rules\)")

    def test_names_with_wildcards_widen_no_pattern(self):
        """Fault 40, CVE-2017-7650."""
        self.start("pattern readwrite dev/%c/#\npattern readwrite of/%u\n",
                   config="allow_anonymous true", users=("ann", "+", "a#"))
        owner = self.client("ann", "ann")
        spies = [self.client("ann", "+"), self.client("ann", "#"), self.client("+", "x"),
                 self.client("a#", "y")]
        for spy in spies:
            spy.subscribe("#")
        for topic in ("dev/ann/x", "of/ann"):
            self.assertLess(owner.publish(topic, b"1", qos=1).reason, NOT_AUTHORIZED)
        for spy in spies:
            self.assertEqual(spy.ping(), [])

    def test_a_reload_revokes_rights_of_subscriptions_that_there_are(self):
        """Fault 40: revoked rights count for live subscriptions, and for what is retained."""
        self.start("user ann\ntopic readwrite a/#\nuser bob\ntopic readwrite a/#\n")
        ann, bob = self.client("ann"), self.client("bob")
        ann.subscribe("a/#")
        bob.publish("a/1", b"1", qos=1, retain=True)
        self.assertEqual([packet.topic for packet in ann.ping()], ["a/1"])
        self.write_rules("user bob\ntopic readwrite a/#\n")
        self.reload()

        def is_revoked():
            bob.publish("a/2", b"2", qos=1)
            return ann.ping() == []
        wait_until(is_revoked, "the reload")
        again = self.client("ann", "again")
        again.subscribe("a/#")
        self.assertEqual(again.ping(), [])

    @nightjar_only("Mosquitto's check_retain_source has no effect")
    def test_who_may_not_publish_any_more_has_nothing_retained(self):
        """Fault 40, and check_retain_source, after a restart as well."""
        self.start("user bob\ntopic readwrite a/#\nuser ann\ntopic read a/#\n",
                   config="persistence true")
        self.client("bob").publish("a/1", b"1", qos=1, retain=True)
        self.broker.stop()
        self.broker.start()
        ann = self.client("ann")
        ann.subscribe("a/1")
        self.assertEqual([packet.topic for packet in ann.ping()], ["a/1"])
        self.write_rules("user ann\ntopic read a/#\n")
        self.reload()

        def is_withheld():
            ann.subscribe("a/#")
            return ann.ping() == []
        wait_until(is_withheld, "the reload")
        self.broker.wait_log(r"Retained message of of-bob \(user 'bob'\) not sent to of-ann: .*"
                             r"\(no rule of .*rules\)")

    @nightjar_only("Mosquitto 2.0 goes on with the lines before it")
    def test_a_malformed_rule_changes_nothing_at_a_reload(self):
        self.start()
        self.write_rules("user ann\ntopic reed ann/#\n")
        self.reload()
        self.broker.wait_log(r"rules:2: Error: 'reed' is none of read, write, readwrite and deny")
        ann = self.client("ann")
        self.assertNotEqual(ann.publish("ann/x", b"1", qos=1).reason, NOT_AUTHORIZED)

    def test_per_listener_settings_tell_users_and_rules_apart(self):
        self.start()
        self.broker.stop()
        other = ReservedPort()
        self.addCleanup(other.close)
        inner_rules = os.path.join(self.broker.folder, "inner")
        with open(inner_rules, "w", encoding="utf-8") as file:
            file.write("topic readwrite inner/#\n")
        self.broker.write_config("# Each says its own allow_anonymous.\n"
                                 "per_listener_settings true", f"allow_anonymous false\n"
                                 f"password_file {self.users}\nacl_file {self.rules}\n"
                                 f"listener {other.number} {HOST}\nallow_anonymous true\n"
                                 f"acl_file {inner_rules}")
        self.broker.start()
        self.assertEqual(self.try_to_connect()[1], NOT_AUTHORIZED)
        outer = self.client("ann")
        inner = wire.Client(other.number, "inner", version=V5)
        self.addCleanup(inner.close)
        for client, topic, is_allowed in ((outer, "ann/x", True), (outer, "inner/x", False),
                                          (inner, "inner/x", True), (inner, "ann/x", False)):
            reason = client.publish(topic, b"1", qos=1).reason
            self.assertEqual(reason < 0x80, is_allowed, topic)


if __name__ == "__main__":
    main()
