"""What SIGHUP changes about users in databases and behind services, while clients are connected."""

import contextlib
import signal
import socket
import time

import wire
from harness import HOST, ReservedPort, main, wait_until
from http_service import Service
from http_users_test import HttpScenario
from sql_servers import Sqlite
from sql_test import BCRYPT, NOT_AUTHORIZED, SUCCESS, SqlScenario, rule, user
from wire import CONNACK, V5

BUSY = 0x89


class ByDatabases(SqlScenario):
    def database(self, *rows):
        database = Sqlite()
        self.addCleanup(database.close)
        database.fill(*rows, user("root", BCRYPT, is_super=1))
        return database

    def reload(self, *lines):
        self.broker.write_config("\n".join(("allow_anonymous false", *lines)))
        self.broker.signal(signal.SIGHUP)

    def comes_in(self, name, client_id="again", port=None):
        with contextlib.suppress(OSError, wire.Closed):
            client = wire.Client(port or self.broker.port, connect=False, version=V5)
            self.addCleanup(client.close)
            client.send(wire.connect(V5, client_id, username=name, password="secret"))
            return client.expect(CONNACK).reason == SUCCESS
        return False

    def start_with_two(self, **options):
        """ann may less in the other one, bob as much; carl is only here, dora only there."""
        here = self.database(*(user(name, BCRYPT) for name in ("ann", "bob", "carl")),
                             rule("ann", "a/#"), rule("ann", "both/#"), rule("bob", "both/#"))
        self.other = self.database(*(user(name, BCRYPT) for name in ("ann", "bob", "dora")),
                                   rule("ann", "both/#"), rule("bob", "both/#"))
        self.start_with(here, **options)
        return here

    def test_another_database(self):
        self.start_with_two()
        root, ann, bob = (self.login(name, client_id=name) for name in ("root", "ann", "bob"))
        carl = self.login("carl", client_id="carl")
        ann.subscribe(("a/x", 1), ("both/#", 1))
        self.assertFalse(self.comes_in("dora"))
        self.reload(self.other.config())
        # Whoever may as much as before notices nothing.
        while not self.comes_in("dora"):
            self.assertTrue(self.may_publish(bob, "both/x"))
        self.assertTrue(self.may_publish(bob, "both/x"))
        self.login("carl", want=NOT_AUTHORIZED)
        self.assertEqual(carl.ping(), [])
        ann.ping()

        def is_revoked():
            for topic in ("a/x", "both/y"):
                root.publish(topic, b"x", qos=1)
            return [packet.topic for packet in ann.ping()] == ["both/y"]

        wait_until(is_revoked, "the rights to be those of the other database")
        self.assertFalse(self.may_publish(ann, "a/x"))

    def test_what_waits_for_a_client_that_is_away(self):
        self.start_with_two()
        ann = wire.Client(self.broker.port, connect=False, version=V5)
        ann.send(wire.connect(V5, "ann", username="ann", password="secret",
                              props={"session_expiry": 100}))
        self.assertEqual(ann.expect(CONNACK).reason, SUCCESS)
        ann.subscribe(("a/x", 1), ("both/#", 1))
        ann.close()
        root = self.login("root", client_id="root")
        for topic in ("a/x", "both/1", "both/2"):
            root.publish(topic, b"x", qos=1)
        self.reload(self.other.config())
        wait_until(lambda: self.comes_in("dora"), "the other database")
        ann = wire.Client(self.broker.port, connect=False, version=V5)
        self.addCleanup(ann.close)
        ann.send(wire.connect(V5, "ann", username="ann", password="secret", clean=False,
                              props={"session_expiry": 100}))
        self.assertEqual(ann.expect(CONNACK).reason, SUCCESS)
        self.assertEqual([packet.topic for packet in ann.ping()], ["both/1", "both/2"])

    def test_all_or_nothing(self):
        self.start_with_two()
        ann = self.login("ann")
        for line, error in (
                ("auth_sqlite_aclquery SELECT 1; DROP TABLE mqtt_user", "the aclquery"),
                ("auth_sqlite_password ${NOWHERE_SET}", "which is not set")):
            self.reload(self.other.config(), line)
            self.broker.wait_log(f"broker.conf:[0-9]+: .*{error}")
        self.broker.wait_log("the old one stays")
        self.assertTrue(self.comes_in("carl", "x"))
        self.assertFalse(self.comes_in("dora", "y"))
        self.assertTrue(self.may_publish(ann, "a/x"))

    def reload_each(self, *lines):
        """With per_listener_settings, which have to come first."""
        self.broker.write_config("", "\n".join(lines))
        with open(self.broker.config_path, encoding="utf-8") as file:
            text = file.read()
        with open(self.broker.config_path, "w", encoding="utf-8") as file:
            file.write(text.replace("allow_anonymous true", "per_listener_settings true", 1))
        self.broker.signal(signal.SIGHUP)

    def test_a_new_listener_and_the_end_of_its_database(self):
        here = self.start_with_two()
        new = ReservedPort()
        self.addCleanup(new.close)
        first = f"allow_anonymous false\n{here.config()}"
        second = f"listener {new.number} {HOST}"
        self.reload_each(first, second, "allow_anonymous false", self.other.config())
        wait_until(lambda: self.comes_in("dora", port=new.number), "the new listener")
        self.assertFalse(self.comes_in("carl", port=new.number))
        self.assertTrue(self.comes_in("carl"))
        self.reload_each(first, second, "allow_anonymous true")
        wait_until(lambda: self.comes_in("carl", port=new.number), "the end of its users")


class ByServices(HttpScenario):
    def test_one_that_hangs_and_is_used_no_more_holds_up_nobody(self):
        self.start_with(Service(), timeout="60s", pool_size=1)
        local = self.local_user()
        self.service.hang()
        waiting = []
        for number in range(3):
            client = wire.Client(self.broker.port, connect=False, version=V5)
            self.addCleanup(client.close)
            client.send(wire.connect(V5, f"w{number}", username="ann", password="secret"))
            waiting.append(client)
        wait_until(self.two_wait, "all of them to have come")
        began = time.monotonic()
        self.broker.write_config(f"allow_anonymous false\n{local}")
        self.broker.signal(signal.SIGHUP)
        for client in waiting:
            self.assertEqual(client.expect(CONNACK).reason, BUSY)
        self.login("local", "own", "l")
        self.login("ann", want=NOT_AUTHORIZED)
        self.broker.stop()
        self.assertLess(time.monotonic() - began, 10)

    def two_wait(self):
        """And one is being asked for."""
        self.broker.signal(signal.SIGUSR1)
        return " 2 wait" in self.broker.log()

    def test_another_service_and_sessions_keep_what_came_with_their_logins(self):
        self.start_with(Service())
        ann = self.login("ann")
        other = Service()
        other.reply = lambda request: (204 if request["username"] == "bob" else 403, "")
        self.addCleanup(other.close)
        self.broker.write_config(f"allow_anonymous false\n{other.config()}")
        self.broker.signal(signal.SIGHUP)
        wait_until(lambda: not self.comes_in("ann"), "the other service")
        self.assertTrue(self.comes_in("bob"))
        self.assertTrue(self.may_publish(ann, "a"))


if __name__ == "__main__":
    main()
