"""Users in SQL databases: real servers, which the tests start, and what becomes of the broker when
they freeze, die and come back: fault 39."""

import hashlib
import os
import signal
import subprocess
import time

import wire
from harness import BROKER, HOST, IS_NIGHTJAR, Broker, ReservedPort, Scenario, main, wait_until
from sql_servers import MariaDb, PostgreSql, Sqlite, close_all, running
from swarm import Connection, Swarm
from wire import CONNACK, V5, V311

SUCCESS, NOT_AUTHORIZED, UNAVAILABLE = 0, 0x87, 0x88
PBKDF2 = "PBKDF2$sha256$901$nightsalt123$5a/v/IWhtw/tp4l44b105q6oT1duwhCS"  # Of "secret".
BCRYPT = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
INJECTIONS = (
    "x' OR '1'='1", "' OR 1=1 -- ", "ann'; DROP TABLE mqtt_user; -- ", "ann\\", "\\' OR 1=1#",
    '" OR ""="', "ann'/*", ":v1", "$1", "?", "%s", "ann\u00bf'", "ä' OR 'a'='a",
)


def has_sql():
    if not IS_NIGHTJAR:
        return False
    done = subprocess.run([BROKER, "--version"], stdout=subprocess.PIPE, check=True)
    return b"with users in SQL" in done.stdout


def user(name, password_hash, salt="", is_super=0, enabled=1, client="NULL"):
    return (f"INSERT INTO mqtt_user VALUES ('{name}', '{password_hash}', '{salt}', {is_super}, "
            f"{enabled}, {client})")


def rule(name, topic, permission="allow", action="all", client="NULL", address="NULL"):
    return (f"INSERT INTO mqtt_acl VALUES ('{name}', {client}, {address}, '{permission}', "
            f"'{action}', '{topic}')")


SALTED = hashlib.sha256(b"peppersecret").hexdigest()
ROWS = (
    user("ann", PBKDF2), user("bob", BCRYPT), user("carl", SALTED, "pepper"),
    user("root", BCRYPT, is_super=1), user("off", BCRYPT, enabled=0),
    user("tied", BCRYPT, client="'its-own'"), user("odd", "no hash at all"),
    rule("ann", "a/#"), rule("ann", "a/secret", "deny"), rule("ann", "u/%u/%c"),
    rule("bob", "b/+", action="subscribe"), rule("*", "all/#"),
    rule("bob", "local", address="'127.0.0.0/8'"), rule("bob", "far", address="'10.0.0.0/8'"),
)


def tearDownModule():
    close_all()


class SqlScenario(Scenario):
    def setUp(self):
        if not has_sql():
            self.skipTest("no users in SQL databases in " + BROKER)

    def start_with(self, database, config="", **options):
        self.database = database
        options = {"timeout": "1s", **options}
        self.start_broker("allow_anonymous false\n" + database.config(**options) + "\n" + config)

    def login(self, name, password="secret", client_id="c", want=SUCCESS):
        client = wire.Client(self.broker.port, connect=False, version=V5)
        self.addCleanup(client.close)
        client.send(wire.connect(V5, client_id, username=name, password=password))
        self.assertEqual(client.expect(CONNACK).reason, want, name)
        return client

    def may_subscribe(self, client, topic):
        return client.subscribe((topic, 1)).codes[0] < 0x80

    def may_publish(self, client, topic):
        client.send(wire.publish(V5, topic, b"x", 1, packet_id=client.next_id()))
        return client.until(wire.PUBACK)[-1].reason < 0x80


class EachDatabase:
    """What all of them are to do alike."""

    def start(self, **options):
        if self.kind is not Sqlite and not self.kind.program:
            self.skipTest(self.kind.needs + " is not installed")
        database = running(self.kind)
        database.fill(*ROWS)
        self.start_with(database, **options)

    def test_the_default_tables_and_no_query(self):
        self.start()
        for name in ("ann", "bob", "carl", "root"):
            self.login(name)
            self.login(name, "wrong", "d", NOT_AUTHORIZED)
        for name in ("nobody", "odd", *INJECTIONS):
            self.login(name, client_id="e", want=NOT_AUTHORIZED)
            self.login("ann", name, "e", want=NOT_AUTHORIZED)
            self.login("ann", client_id="id" + name).close()
        self.login("off", want=NOT_AUTHORIZED)
        self.login("tied", want=NOT_AUTHORIZED)
        self.login("tied", client_id="its-own")
        self.check_rights()

    def check_rights(self):
        ann = self.login("ann", client_id="dev")
        for topic, may in (("a/b", 1), ("a/secret", 0), ("u/ann/dev", 1), ("u/ann/x", 0),
                           ("b/c", 0), ("all/x", 1), *((name, 0) for name in INJECTIONS
                                                       if "#" not in name)):
            self.assertEqual(self.may_publish(ann, topic), bool(may), topic)
        for topic, may in (("a/#", 1), ("#", 0), ("a/+/c", 1), ("b/c", 0)):
            self.assertEqual(self.may_subscribe(ann, topic), bool(may), topic)
        bob = self.login("bob", client_id="dev2")
        self.assertTrue(self.may_subscribe(bob, "b/+"))
        self.assertFalse(self.may_publish(bob, "b/c"))
        self.assertTrue(self.may_publish(bob, "local"))
        self.assertFalse(self.may_publish(bob, "far"))
        self.assertTrue(self.may_publish(self.login("root", client_id="r"), "any/thing"))

    def test_rules_are_read_again(self):
        self.start(acl_cache="200ms")
        ann = self.login("ann")
        self.assertFalse(self.may_publish(ann, "new"))
        self.database.run(rule("ann", "new"))
        wait_until(lambda: self.may_publish(ann, "new"), "the new rule")
        self.database.run("DELETE FROM mqtt_user WHERE username = 'ann'")
        wait_until(lambda: not self.may_publish(ann, "new"), "the end of the rights")


class OnSqlite(EachDatabase, SqlScenario):
    kind = Sqlite

    def test_a_storm_of_logins_through_eight_connections(self):
        self.start(negative_cache="0s")
        swarm = Swarm()
        self.addCleanup(swarm.close)
        answers = []
        count = 500 if os.environ.get("SCENARIO_SANITIZED") else 5000
        for number in range(count):
            Connection(
                swarm, self.broker.port, V311, lambda _, packet: answers.append(packet.reason),
                lambda _: answers.append("closed"),
            ).send(wire.connect(V311, f"s{number}", username="carl", password="secret"))
        wait_until(lambda: swarm.poll() is not None and len(answers) == count, "all CONNACKs")
        self.assertEqual(answers, [0] * count)


    def test_each_listener_by_its_own_lines(self):
        database = running(Sqlite)
        database.fill(*ROWS)
        other = ReservedPort()
        self.addCleanup(other.close)
        own = "allow_anonymous false\n" + database.config()
        open_to_all = f"listener {other.number} {HOST}\nallow_anonymous true"
        broker = Broker("", own + "\n" + open_to_all)
        self.addCleanup(broker.close)
        with open(broker.config_path, encoding="utf-8") as file:
            lines = file.read().replace("allow_anonymous true\n", "per_listener_settings true\n", 1)
        with open(broker.config_path, "w", encoding="utf-8") as file:
            file.write(lines)
        self.broker = broker.start()
        self.assertFalse(self.may_publish(self.login("ann"), "else/where"))
        anybody = wire.Client(other.number, "anybody", V5)
        self.addCleanup(anybody.close)
        self.assertTrue(self.may_publish(anybody, "else/where"))

    def test_the_dialect_of_auth_plug(self):
        self.start_dialect("auth-plug.so", backends="sqlite", dbpath=running(Sqlite).path,
                           userquery="SELECT password_hash FROM mqtt_user WHERE username = '%s'",
                           superquery="SELECT IFNULL(COUNT(*), 0) FROM mqtt_user WHERE "
                           "username = '%s' AND is_superuser = 1",
                           aclquery="SELECT topic FROM plug WHERE username = '%s' AND rw >= %d")

    def test_the_dialect_of_go_auth(self):
        self.start_dialect("go-auth.so", backends="sqlite", sqlite_source=running(Sqlite).path,
                           sqlite_userquery="SELECT password_hash FROM mqtt_user "
                           "WHERE username = ?",
                           sqlite_superquery="SELECT count(*) FROM mqtt_user WHERE "
                           "username = ? AND is_superuser = 1",
                           sqlite_aclquery="SELECT topic FROM go WHERE username = ? AND rw = ?")

    def start_dialect(self, plugin, **options):
        database = running(Sqlite)
        database.fill(*ROWS, "DROP TABLE IF EXISTS plug", "DROP TABLE IF EXISTS go",
                      *(f"CREATE TABLE {name} (username TEXT, topic TEXT, rw INTEGER)"
                        for name in ("plug", "go")),
                      "INSERT INTO plug VALUES ('ann', 'read/%c', 1), ('ann', 'both/%u', 2)",
                      "INSERT INTO go VALUES ('ann', 'read/%c', 1), ('ann', 'read/%c', 4),"
                      " ('ann', 'both/%u', 1), ('ann', 'both/%u', 2), ('ann', 'both/%u', 4)")
        lines = [f"auth_opt_{key} {value}" for key, value in options.items()]
        self.start_broker("\n".join(["allow_anonymous false", f"auth_plugin /x/{plugin}", *lines]))
        self.login("ann", "wrong", want=NOT_AUTHORIZED)
        ann = self.login("ann", client_id="dev")
        self.assertTrue(self.may_subscribe(ann, "read/dev"))
        self.assertFalse(self.may_publish(ann, "read/dev"))
        self.assertTrue(self.may_publish(ann, "both/ann"))
        self.assertTrue(self.may_subscribe(ann, "both/ann"))
        self.assertTrue(self.may_publish(self.login("root", client_id="r"), "any/thing"))
        self.broker.wait_log("is not loaded: users in SQL databases are built in")


class OnMariaDb(EachDatabase, SqlScenario):
    kind = MariaDb

    def test_tls_is_not_given_up_for_a_server_without(self):
        self.start(tls="on", tls_ca="/etc/ssl/certs/ca-certificates.crt")
        self.login("ann", want=UNAVAILABLE)
        self.broker.wait_log("the server does not encrypt")


class OnPostgreSql(EachDatabase, SqlScenario):
    kind = PostgreSql


class Tool(SqlScenario):
    """nightjar sql."""

    def sql(self, *words, want=0):
        return self.run_program([BROKER, "sql", "-c", self.broker.config_path, *words], want)

    def use(self, kind):
        if kind is not Sqlite and not kind.program:
            self.skipTest(kind.needs + " is not installed")
        database = running(kind)
        database.fill()
        database.run("DROP TABLE mqtt_user", "DROP TABLE mqtt_acl")
        self.start_with(database)
        for _ in range(2):
            self.assertIn("are there", self.sql("init"))
        self.sql("add-user", "-b", "first", "Ann")
        self.sql("add-user", "-b", "secret", "Ann")
        self.sql("add-user", "-b", "secret", "--superuser", "o'root")
        self.sql("grant", "Ann", "publish", "a/%u/#")
        self.sql("grant", "--deny", "Ann", "all", "a/Ann/x")
        self.assertEqual(self.sql("test", "-b", "secret", "Ann"), "accepted\n")
        refused = self.sql("test", "-b", "first", "Ann", want=1)
        self.assertEqual(refused, "refused: wrong password\n")
        self.assertIn("no user", self.sql("test", "-b", "secret", "ann", want=1))
        self.assertIn("everything", self.sql("test", "-b", "secret", "o'root"))
        for topic, want in (("a/Ann/y", "allowed: allow a/Ann/#\n"),
                            ("b", "denied: none of 2 rows\n"),
                            ("a/Ann/x", "denied: deny a/Ann/x\n")):
            self.assertEqual(self.sql("explain", "Ann", "publish", topic), want)
        ann = self.login("Ann")
        self.assertTrue(self.may_publish(ann, "a/Ann/y"))
        self.login("ann", want=NOT_AUTHORIZED)

    def test_on_sqlite(self):
        self.use(Sqlite)

    def test_the_running_broker_explains_its_rows(self):
        database = running(Sqlite)
        database.fill(*ROWS)
        path = os.path.join(database.folder, "control.sock")
        self.start_with(database, f"control_socket {path}")

        def explain(name, address, want):
            return self.run_program([BROKER, "ctl", "--socket", path, "explain", "-u", name, "-a",
                                     address, "publish", "far"], want)

        self.assertRegex(explain("bob", "10.1.2.3", 0), r"login: allowed: user 'bob' of database "
                         r".*\npublish far: allowed: database .*: allow far\n")
        self.assertRegex(explain("bob", "127.0.0.1", 1), r"denied: database .*: none of 3 rows\n"
                         r" +would be allowed by: .*nightjar sql grant 'bob' publish 'far'\n")
        self.assertRegex(explain("nobody", "127.0.0.1", 1),
                         r"login: denied: user 'nobody' is not known to database ")

    def test_on_mariadb(self):
        self.use(MariaDb)

    def test_on_postgresql(self):
        self.use(PostgreSql)

    def test_wrong_use(self):
        self.start_broker()
        for words in (["fly"], [], ["init", "x"], ["test"], ["grant", "a", "b"]):
            self.assertIn("Error", self.sql(*words, want=1))
        self.assertIn("names no database of users", self.sql("init", want=1))
        self.assertIn("has no mysql_store", self.sql("init-store", want=1))
        self.assertIn("Unknown option '-x'", self.sql("-x", want=3))
        self.assertIn("Usage: nightjar sql", self.sql("--help"))


class Trouble(SqlScenario):
    def trouble(self, kind):
        if not kind.program:
            self.skipTest(kind.needs + " is not installed")
        database = running(kind)
        database.fill(*ROWS)
        self.start_with(database, cache="0s", acl_cache="0s", pool_size=2)
        known = self.login("ann", client_id="known")
        known.subscribe("a/x")
        for way in (database.freeze, database.kill):
            way()
            began = time.monotonic()
            self.login("bob", client_id="new", want=UNAVAILABLE)
            self.login("ann", "wrong", "known2", want=UNAVAILABLE)
            self.assertLess(time.monotonic() - began, 15)
            # Whom it let in before comes in, and who is in goes on.
            self.assertTrue(self.may_publish(known, "a/x"))
            known.close()
            known = self.login("ann", client_id="known")
            self.assertTrue(self.may_publish(known, "a/x"))
            if way == database.freeze:
                database.thaw()
            else:
                database.start()
            wait_until(lambda: self.comes_in("bob"), "the database to be asked again")
        self.broker.wait_log("is lost, and tried again from time to time")
        self.broker.wait_log("answers again")

    def comes_in(self, name):
        client = wire.Client(self.broker.port, connect=False, version=V5)
        client.send(wire.connect(V5, "again", username=name, password="secret"))
        reason = client.expect(CONNACK).reason
        client.close()
        return reason == SUCCESS

    def test_of_mariadb(self):
        self.trouble(MariaDb)

    def test_of_postgresql(self):
        self.trouble(PostgreSql)


class MysqlStore(SqlScenario):
    """Messages that become rows of a table."""

    def start(self, config="mysql_store a/# messages"):
        if not MariaDb.program:
            self.skipTest(MariaDb.needs + " is not installed")
        self.database = running(MariaDb)
        self.database.run("DROP TABLE IF EXISTS messages")
        place = [f"mysql_store_{key} {value}" for key, value in self.database.place().items()]
        self.start_broker("\n".join([config, "sys_interval 1", "mysql_store_timeout 1s", *place]))
        made = self.run_program([BROKER, "sql", "-c", self.broker.config_path, "init-store"])
        self.assertIn("The table messages is there.\n", made)

    def wait_rows(self, count):
        """By what the broker says, which costs less than asking the database again and again."""
        with wire.Client(self.broker.port) as client:
            client.subscribe("$SYS/broker/nightjar/mysql_store/stored")
            while int(client.take().payload) < count:
                pass
        self.assertEqual(self.count(), count)

    def count(self):
        return int(self.database.rows("SELECT COUNT(*) FROM messages")[0][0])

    def test_messages_arrive_as_they_were_published(self):
        self.start("mysql_store a/# messages\nmysql_store +/x messages\nmysql_store w messages")
        payloads = (bytes(range(256)), b"", b"'; DROP TABLE messages; -- ", b"\\", b"\xff\xfe:v1?")
        for qos, payload in enumerate(payloads):
            with wire.Client(self.broker.port, "sender", version=V5, username="ann") as client:
                client.publish("a/x", payload, min(qos, 2), retain=qos == 1)
                client.publish("b/y", b"of no filter")
                client.disconnect()
        client = wire.Client(self.broker.port, "dies", will=("w", b"bye", 1, False))
        client.close()
        self.wait_rows(len(payloads) + 1)
        rows = self.database.rows("SELECT topic, HEX(payload), qos, retain, clientid, username, "
                                  "ABS(TIMESTAMPDIFF(SECOND, published_at, UTC_TIMESTAMP)) < 60 "
                                  "FROM messages ORDER BY id")
        self.assertEqual(rows, [["a/x", payload.hex().upper(), str(min(qos, 2)), str(int(qos == 1)),
                                 "sender", "ann", "1"] for qos, payload in enumerate(payloads)] +
                         [["w", b"bye".hex(), "1", "0", "dies", "NULL", "1"]])

    def test_names_and_topics_inject_nothing(self):
        self.start()
        names = [name.replace("#", "") for name in INJECTIONS]
        for name in names:
            with wire.Client(self.broker.port, name, username=name) as client:
                client.publish("a/" + name, name.encode(), 1)
        self.wait_rows(len(names))
        self.assertEqual(self.database.rows("SELECT topic, payload, clientid, username "
                                            "FROM messages ORDER BY id"),
                         [["a/" + name, name, name, name] for name in names])

    def publish(self, count, first=0, topic="a/x"):
        with wire.Client(self.broker.port, "sender") as client:
            for number in range(first, first + count):
                client.publish(topic, b"%d" % number, 1)
            client.disconnect()

    def test_a_dead_database_loses_nothing_that_has_room(self):
        self.start("mysql_store a/# messages\nmysql_store_queue_messages 500")
        # What is committed is to survive the kill.
        self.database.run("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
        self.publish(10)
        self.wait_rows(10)
        self.database.kill()
        self.publish(600, 10)
        self.broker.wait_log("is lost, and tried again from time to time")
        self.broker.wait_log("a message to 'a/x' is not stored: too much waits")
        self.broker.signal(signal.SIGUSR1)
        self.broker.wait_log(r"mysql_store in mysql users@.*: 10 messages stored, 0 dropped, "
                             r"100 refused, 500 wait \(\d+ bytes\); ")
        self.assertIn("refused/mysql_store 100", self.sub(
            "-t", "$SYS/broker/nightjar/refused/mysql_store", "-C", "1", "-F", "%t %p"))
        self.database.start()
        self.wait_rows(510)
        self.assertEqual(self.database.rows("SELECT payload FROM messages ORDER BY id"),
                         [[str(number)] for number in range(510)])

    def test_what_a_table_refuses_stops_nothing_else(self):
        self.start("mysql_store a/# messages\nmysql_store b/# nowhere")
        self.database.run("ALTER TABLE messages MODIFY topic VARCHAR(8) NOT NULL",
                          "DROP TABLE nowhere", "SET GLOBAL max_allowed_packet = 1048576")
        self.addCleanup(self.database.run, "SET GLOBAL max_allowed_packet = 16777216")
        self.publish(1, topic="a/too/long/for/it")
        self.publish(1, topic="b/1")
        self.publish(100)
        with wire.Client(self.broker.port, "large") as client:
            client.publish("a/large", bytes(600_000), 1)
        self.publish(1, 100)
        self.wait_rows(101)
        self.broker.signal(signal.SIGUSR1)
        self.broker.wait_log("101 messages stored, 3 dropped, 0 refused, 0 wait")
        place = self.broker.config_path
        self.broker.wait_log(place + r":\d+: mysql_store: table messages refuses a message to "
                             "'a/too/long/for/it': Data too long")
        self.broker.wait_log(place + r":\d+: mysql_store: table nowhere refuses a message to 'b/1'")
        self.assertNotIn("gone away", self.broker.log())  # As the large one would have it.
        self.assertNotIn("INSERT", self.broker.log())

    def test_a_reload_changes_nothing_and_says_so(self):
        self.start()
        self.broker.write_config()
        self.broker.signal(signal.SIGHUP)
        self.broker.wait_log(r"Warning: mysql_store has changed, which needs a restart")
        self.broker.wait_log(r"Warning: mysql_store_\* has changed, which needs a restart")
        self.publish(1)
        self.broker.stop()
        self.assertEqual(self.count(), 1)
        self.broker.write_config("mysql_store a t\nmysql_store_database d\n"
                                 "mysql_store_password_file /none")
        self.assertRegex(self.run_program([BROKER, "-c", self.broker.config_path, "--test-config"],
                                          3), r"broker.conf:\d+: the password_file /none cannot")

    def test_the_end_writes_what_waits_or_says_what_is_lost(self):
        self.start()
        self.publish(50)
        self.broker.stop()
        self.assertEqual(self.count(), 50)
        self.broker.start()
        self.database.freeze()
        self.publish(5)
        self.broker.stop()
        self.database.thaw()
        self.broker.wait_log("mysql_store: 5 messages are not stored: the database did not take")


if __name__ == "__main__":
    main()
