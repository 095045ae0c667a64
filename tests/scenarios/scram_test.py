"""SCRAM-SHA-256: `nightjar passwd` writes the users, an independent client proves to be one."""

import os
import pty
import signal
import stat
import subprocess

import wire
from harness import BROKER, DEADLINE_S, IS_NIGHTJAR, Scenario, main, wait_until
from scram_client import METHOD, ScramClient
from wire import AUTH, CONNACK, DISCONNECT, V5, V311

CONTINUE, AGAIN = 0x18, 0x19
SUCCESS, NOT_AUTHORIZED, BAD_METHOD, BAD_PASSWORD = 0, 0x87, 0x8C, 0x86


def has_scram():
    if not IS_NIGHTJAR:
        return False
    done = subprocess.run([BROKER, "--version"], stdout=subprocess.PIPE, check=True)
    return b"with SCRAM-SHA-256" in done.stdout


class ScramScenario(Scenario):
    def setUp(self):
        if not has_scram():
            self.skipTest("no SCRAM-SHA-256 in " + BROKER)

    def passwd(self, *arguments, want=0):
        return self.run_program([BROKER, "passwd", "-H", "scram-sha-256", *arguments], want)

    def start_with_users(self, users=(("alice", "pencil"),), config="allow_anonymous false"):
        """A broker whose users are in the file `self.users`."""
        self.start_broker("allow_anonymous true")  # Makes the folder; it is not asked anything.
        self.broker.stop()
        self.users = os.path.join(self.broker.folder, "users")
        self.passwd("-c", "-I", "4096", "-b", self.users, *users[0])
        for user, password in users[1:]:
            self.passwd("-I", "4096", "-b", self.users, user, password)
        self.broker.write_config(f"{config}\nscram_file {self.users}")
        self.broker.start()

    def begin(self, scram, client_id="c", data=None, **options):
        """Sends CONNECT; returns the client and the AUTH that answers."""
        client = wire.Client(self.broker.port, connect=False, version=V5)
        self.addCleanup(client.close)
        props = {"authentication_method": METHOD}
        data = scram.first() if data is None else data
        if data:
            props["authentication_data"] = data
        client.send(wire.connect(V5, client_id, props=props, **options))
        return client, client.receive()

    def login(self, user, password, client_id="c", **options):
        """The whole exchange: (client, CONNACK, the client's half)."""
        scram = ScramClient(user, password)
        client, asked = self.begin(scram, client_id, **options)
        self.assertEqual((asked.kind, asked.reason), (AUTH, CONTINUE))
        self.assertEqual(asked.props["authentication_method"], METHOD)
        final = scram.final(asked.props["authentication_data"])
        client.send(wire.auth(CONTINUE, METHOD, final))
        return client, client.expect(CONNACK), scram


class Login(ScramScenario):
    def test_with_the_right_password(self):
        self.start_with_users((("alice", "pencil"), ("b=o,b", "pässword")))
        for user, password in (("alice", "pencil"), ("b=o,b", "pässword")):
            client, connack, scram = self.login(user, password)
            self.assertEqual(connack.reason, SUCCESS)
            self.assertEqual(connack.props["authentication_method"], METHOD)
            self.assertTrue(scram.is_server(connack.props["authentication_data"]))
            self.assertEqual(client.ping(), [])
            self.broker.wait_log(rf" as c \(p5, c1, k60, u'{user}'\)")

    def test_with_connects_first_message_left_out(self):
        self.start_with_users()
        scram = ScramClient("alice", "pencil")
        client, asked = self.begin(scram, data=b"")
        self.assertEqual((asked.reason, asked.props.get("authentication_data")), (CONTINUE, None))
        client.send(wire.auth(CONTINUE, METHOD, scram.first()))
        asked = client.expect(AUTH)
        client.send(wire.auth(CONTINUE, METHOD, scram.final(asked.props["authentication_data"])))
        self.assertEqual(client.expect(CONNACK).reason, SUCCESS)

    def test_fails_alike_with_a_wrong_password_and_an_unknown_user(self):
        self.start_with_users()
        salts = set()
        for user, password in (("alice", "pen"), ("mallory", "pencil"), ("mallory", "")):
            client, connack, scram = self.login(user, password)
            self.assertEqual((connack.reason, connack.props), (NOT_AUTHORIZED, {}))
            self.assertEqual(client.wait_closed(), [])
            self.assertEqual((len(scram.salt), scram.iterations), (16, 4096))
            salts.add(scram.salt)
        self.assertEqual(len(salts), 2)  # The same each time, as a real user's.
        self.broker.wait_log(r"refused: SCRAM-SHA-256: user name or password is wrong \(user 'm")

    def test_unknown_users_keep_their_salt_over_a_restart(self):
        self.start_with_users()
        before = self.login("mallory", "x")[2].salt
        self.broker.stop()
        self.broker.start()
        self.assertEqual(self.login("mallory", "x")[2].salt, before)

    def test_channel_binding_is_refused_with_words(self):
        self.start_with_users()
        client, answer = self.begin(ScramClient("alice", "pencil", head="p=tls-unique,,"))
        self.assertEqual((answer.kind, answer.reason), (CONNACK, NOT_AUTHORIZED))
        self.assertEqual(client.wait_closed(), [])
        self.broker.wait_log("channel binding is not supported")

    def test_another_method_is_not_known(self):
        self.start_with_users()
        client = wire.Client(self.broker.port, connect=False, version=V5)
        self.addCleanup(client.close)
        client.send(wire.connect(V5, "c", props={"authentication_method": "SCRAM-SHA-1"}))
        self.assertEqual(client.expect(CONNACK).reason, BAD_METHOD)

    def test_clients_without_method_are_judged_by_allow_anonymous(self):
        for anonymous, want in (("true", SUCCESS), ("false", NOT_AUTHORIZED)):
            self.start_with_users(config=f"allow_anonymous {anonymous}")
            client = wire.Client(self.broker.port, connect=False, version=V5)
            self.addCleanup(client.close)
            client.send(wire.connect(V5, "c"))
            self.assertEqual(client.expect(CONNACK).reason, want)
        # Nobody is somebody by saying so.
        client = wire.Client(self.broker.port, connect=False)
        self.addCleanup(client.close)
        client.send(wire.connect(V311, "c", username="alice", password="pencil"))
        self.assertEqual(client.expect(CONNACK).reason, 4)

    def test_a_will_waits_for_the_login(self):
        self.start_with_users(config="allow_anonymous true")
        watcher = wire.Client(self.broker.port, "watcher")
        self.addCleanup(watcher.close)
        watcher.subscribe("will")
        self.login("alice", "pen", will=("will", "wrong", 0, False))
        self.login("alice", "pencil", will=("will", "right", 0, False))[0].close()
        self.assertEqual(watcher.take().payload, b"right")


class Reauthentication(ScramScenario):
    def again(self, client, user, password):
        scram = ScramClient(user, password)
        client.send(wire.auth(AGAIN, METHOD, scram.first()))
        asked = client.expect(AUTH)
        self.assertEqual(asked.reason, CONTINUE)
        self.assertEqual(client.ping(), [])  # Other packets flow.
        client.send(wire.auth(CONTINUE, METHOD, scram.final(asked.props["authentication_data"])))
        return scram

    def test_succeeds_and_fails(self):
        self.start_with_users((("alice", "pencil"), ("bob", "pencil")))
        client = self.login("alice", "pencil")[0]
        scram = self.again(client, "alice", "pencil")
        answer = client.expect(AUTH)
        self.assertEqual(answer.reason, SUCCESS)
        self.assertTrue(scram.is_server(answer.props["authentication_data"]))
        self.again(client, "alice", "pen")
        self.assertEqual(client.expect(DISCONNECT).reason, NOT_AUTHORIZED)
        self.assertEqual(client.wait_closed(), [])

    def test_may_not_change_the_user(self):
        self.start_with_users((("alice", "pencil"), ("bob", "pencil")))
        client = self.login("alice", "pencil")[0]
        self.again(client, "bob", "pencil")
        self.assertEqual(client.expect(DISCONNECT).reason, NOT_AUTHORIZED)


class Reload(ScramScenario):
    def reload(self, pattern):
        seen = len(self.broker.log())
        self.broker.signal(signal.SIGHUP)
        self.broker.wait_log(rf"(?s)\A.{{{seen},}}{pattern}")

    def test_sighup_reads_the_users_again(self):
        self.start_with_users()
        stays = self.login("alice", "pencil", "stays")[0]
        half, asked = self.begin(scram := ScramClient("alice", "pencil"), "half")
        self.passwd("-b", self.users, "alice", "crayon")
        self.passwd("-b", self.users, "bob", "pen")
        self.broker.signal(signal.SIGHUP)
        wait_until(lambda: self.login("bob", "pen")[1].reason == SUCCESS, "bob to be known")
        self.assertEqual(self.login("alice", "pencil")[1].reason, NOT_AUTHORIZED)
        self.assertEqual(self.login("alice", "crayon")[1].reason, SUCCESS)
        # Who was in stays in, and who had begun ends with the old password.
        self.assertEqual(stays.ping(), [])
        half.send(wire.auth(CONTINUE, METHOD, scram.final(asked.props["authentication_data"])))
        self.assertEqual(half.expect(CONNACK).reason, SUCCESS)

    def test_a_bad_file_changes_nothing(self):
        self.start_with_users()
        with open(self.users, "a", encoding="utf-8") as file:
            file.write("bob:pen\n")
        os.chmod(self.users, 0o644)
        self.reload("the old one stays")
        self.broker.wait_log(r"users:2: Error: the user's keys do not begin with SCRAM-SHA-256\$")
        self.assertEqual(self.login("alice", "pencil")[1].reason, SUCCESS)

    def test_a_bad_file_at_the_start_is_the_end(self):
        self.start_with_users()
        self.broker.stop()
        os.remove(self.users)
        output = self.run_program([BROKER, "-c", self.broker.config_path], want=1)
        self.assertIn(f"Unable to read scram_file '{self.users}'", output)

    def test_a_file_for_everybody_to_read_is_warned_about(self):
        self.start_with_users()
        os.chmod(self.users, 0o644)
        self.reload("world readable permissions")


class Passwd(ScramScenario):
    def setUp(self):
        super().setUp()
        self.start_broker()  # For its folder.
        self.users = os.path.join(self.broker.folder, "users")

    def text(self):
        with open(self.users, encoding="utf-8") as file:
            return file.read()

    def test_creates_changes_and_removes(self):
        self.passwd("-c", "-b", self.users, "alice", "one")
        self.assertRegex(self.text(), r"\Aalice:SCRAM-SHA-256\$15000:[\w+/=]{24}\$[^:]{44}:.{44}\n")
        self.assertEqual(stat.S_IMODE(os.stat(self.users).st_mode), 0o600)
        alice = self.text()
        self.passwd("-b", "-I", "4096", self.users, "bob", "two")
        self.assertTrue(self.text().startswith(alice + "bob:SCRAM-SHA-256$4096:"))
        self.passwd("-b", self.users, "alice", "one")
        self.assertNotIn(alice, self.text())  # Another salt.
        self.passwd("-D", self.users, "alice")
        self.assertRegex(self.text(), r"\Abob:.*\n\Z")
        self.passwd("-c", "-b", self.users, "carol", "three")
        self.assertRegex(self.text(), r"\Acarol:.*\n\Z")
        self.assertEqual(os.listdir(self.broker.folder).count("users"), 1)

    def test_asks_twice_and_shows_nothing(self):
        leader, follower = pty.openpty()
        with subprocess.Popen(
            [BROKER, "passwd", "-H", "scram-sha-256", "-c", self.users, "alice"],
            stdin=follower, stdout=follower, stderr=follower,
        ) as process:
            shown = b""
            for prompt in (b"Password: ", b"Reenter password: "):
                while not shown.endswith(prompt):
                    shown += os.read(leader, 1000)
                os.write(leader, b"secret\n")
            self.assertEqual(process.wait(DEADLINE_S), 0)
        os.close(follower)
        self.assertNotIn(b"secret", shown)
        self.assertTrue(self.text().startswith("alice:"))

    def test_asks_twice_by_a_pipe_too(self):
        for answer, want in ((b"a\na\n", 0), (b"a\nb\n", 1), (b"", 1), (b"\n\n", 1)):
            done = subprocess.run(
                [BROKER, "passwd", "-H", "scram-sha-256", "-c", self.users, "alice"],
                input=answer, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
            )
            self.assertEqual(done.returncode, want, answer)

    def test_says_what_is_wrong_and_leaves_the_file(self):
        with open(self.users, "w", encoding="utf-8") as file:
            file.write("alice:$7$101$abcd$efgh\n")
        rows = [
            (["-b", self.users, "bob", "x"], "users:1: Error: the user's keys"),
            (["-b", self.users, "bob"], "needs a file, a user and a password"),
            ([self.users, "bob", "x"], "a password only with -b"),
            (["-b", self.users, "a:b", "x"], "no colon"),
            (["-c", "-b", self.users, "bob", "x\ty"], "without control characters"),
            (["-I", "1000", "-b", self.users, "bob", "x"], "must be 4096 to"),
            (["-c", "-D", self.users, "bob"], "cannot be used together"),
            (["-b", self.users + ".none", "bob", "x"], "Unable to read"),
            (["-c", "-b", "/nowhere/users", "bob", "x"], "Unable to write"),
            (["-H", "sha512", "-b", self.users, "bob", "x"], "users:1: Error: the hash of"),
            (["-H", "md5", "-b", self.users, "bob", "x"], "Unknown hash type 'md5'"),
            (["-U", self.users], "-U goes with none of"),
            (["-X", self.users], "Unknown option '-X'"),
        ]
        for arguments, want in rows:
            with self.subTest(arguments=arguments):
                self.assertIn(want, self.passwd(*arguments, want=1))
        self.assertEqual(self.text(), "alice:$7$101$abcd$efgh\n")

    def test_removing_nobody_is_an_error(self):
        self.passwd("-c", "-b", self.users, "alice", "x")
        self.assertIn("there is no user 'bob'", self.passwd("-D", self.users, "bob", want=1))


if __name__ == "__main__":
    main()
