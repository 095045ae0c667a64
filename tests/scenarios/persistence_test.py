"""`persistence true`: what the store of the real program keeps, and how `nightjar db` shows it."""

import json
import os
import unittest

import wire
from harness import BROKER, IS_NIGHTJAR, Scenario, has_persistence, main
from wire import V5


class PersistenceScenario(Scenario):
    def start_store(self, config=""):
        self.start_broker("persistence true\n" + config, threads=1)
        self.store = os.path.join(self.broker.folder, "nightjar.store")

    def client(self, client_id):
        client = wire.Client(
            self.broker.port, client_id, V5, clean=False, props={"session_expiry": 1000}
        )
        self.addCleanup(client.close)
        return client

    def keep_a_message(self, text="kept"):
        keeper = self.client("keeper")
        keeper.subscribe(("t", 1))
        keeper.disconnect()
        self.client("publisher").publish("t", text, qos=1)


@unittest.skipUnless(IS_NIGHTJAR and has_persistence(), "no persistence in " + BROKER)
class Store(PersistenceScenario):
    def test_kill_9_loses_nothing_at_both_levels(self):
        for level in ("process", "disk"):
            with self.subTest(level):
                self.start_store(f"durability {level}")
                self.keep_a_message(level)
                self.broker.kill()
                self.broker.start()
                self.assertEqual(self.client("keeper").take().payload, level.encode())
                self.broker.close()

    def test_level_memory_keeps_nothing(self):
        self.start_store("durability memory")
        self.keep_a_message()
        self.broker.stop()
        self.assertFalse(os.path.exists(self.store))

    def test_a_second_broker_is_refused(self):
        self.start_store()
        config = os.path.join(self.broker.folder, "second.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"persistence true\npersistence_location {self.broker.folder}\n")
            file.write("user root\n")
        output = self.run_program([BROKER, "-c", config], want=1)
        self.assertIn(f"Error: store {self.store} is in use by another process", output)

    def test_a_place_that_is_not_there_is_named(self):
        self.start_store()
        self.broker.stop()
        config = os.path.join(self.broker.folder, "nowhere.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write("persistence true\npersistence_location /no/where\nuser root\n")
        output = self.run_program([BROKER, "-c", config], want=1)
        self.assertIn("Error: store /no/where/nightjar.store cannot be made: No such", output)

    def test_unneeded_options_are_told(self):
        self.start_store("autosave_interval 7")
        self.broker.wait_log("'autosave_interval' option is not needed")


@unittest.skipUnless(IS_NIGHTJAR and has_persistence(), "no persistence in " + BROKER)
class Db(PersistenceScenario):
    def db(self, *arguments, want=0):
        return self.run_program([BROKER, "db", *arguments], want)

    def test_dump_stats_and_verify_of_a_running_broker(self):
        self.start_store()
        self.keep_a_message("a payload")
        self.assertRegex(self.db("dump", self.store),
                         r'message 1/1 .*payload="a payload" .*"queued"')
        records = [json.loads(line) for line in self.db("dump", self.store, "--json").split("\n")
                   if line]
        messages = [each for each in records if each["record"] == "message 1/1"]
        self.assertEqual(messages[0]["payload"], "a payload")
        self.assertRegex(self.db("stats", self.store), r"(?m)^session records=2 bytes=\d+$")
        self.assertIn("restored=4 damaged=0 set_aside_earlier=0", self.db("verify", self.store))

    def test_wrong_use_is_told(self):
        self.assertIn("a store is needed", self.db("dump", want=3))
        self.assertIn("dump, stats or verify", self.db("eat", "x", want=3))
        self.assertIn("Unknown option '--x'", self.db("dump", "x", "--x", want=3))
        output = self.db("dump", "/no/where", want=1)
        self.assertIn("Error: store /no/where cannot be opened", output)
        self.assertIn("Usage: nightjar db", self.db("--help"))


@unittest.skipUnless(IS_NIGHTJAR and not has_persistence(), "persistence is in " + BROKER)
class WithoutRocksDb(PersistenceScenario):
    def test_persistence_is_refused_and_not_lost_in_silence(self):
        self.start_broker()
        self.broker.stop()
        self.broker.write_config("persistence true")
        output = self.run_program([BROKER, "-c", self.broker.config_path], want=1)
        self.assertIn("Error: 'persistence true' cannot be kept: this build has no RocksDB", output)


MOSQUITTO = os.environ.get("MOSQUITTO", "/usr/sbin/mosquitto")


@unittest.skipUnless(IS_NIGHTJAR and has_persistence(), "no persistence in " + BROKER)
@unittest.skipUnless(os.path.exists(MOSQUITTO), "no " + MOSQUITTO)
class FirstStart(PersistenceScenario):
    def setUp(self):
        self.start_broker("persistence true", program=MOSQUITTO)
        self.keep_a_message("owed")
        self.client("publisher").publish("r", "retained", qos=1, retain=True)
        self.broker.stop()
        self.broker.program = BROKER
        self.broker.write_config(f"persistence true\npersistence_location {self.broker.folder}")

    def contents(self):
        with open(os.path.join(self.broker.folder, "mosquitto.db"), "rb") as file:
            return file.read()

    def test_what_a_mosquitto_owed_comes_over_once(self):
        before = self.contents()
        self.broker.start()
        self.broker.wait_log("mosquitto.db, which stays as it is, came over: 2 sessions")
        keeper = self.client("keeper")
        self.assertEqual(keeper.take().payload, b"owed")
        keeper.subscribe(("other", 0))  # Answered once all before it is safe, its PUBACK included.
        self.broker.kill()
        self.broker.start()
        keeper = self.client("keeper")
        keeper.subscribe(("r", 0))
        self.assertEqual(keeper.take().payload, b"retained")
        self.assertEqual(self.broker.log().count("came over"), 1)
        self.assertEqual(self.contents(), before)

    def test_a_file_that_is_none_stops_the_start_until_it_is_moved(self):
        path = os.path.join(self.broker.folder, "mosquitto.db")
        with open(path, "wb") as file:
            file.write(b"not a database at all")
        for _ in range(2):
            output = self.run_program([BROKER, "-c", self.broker.config_path], want=1)
            self.assertIn(f"Error: {path}: ", output)
            self.assertIn(". Move it away to start without what it holds.", output)
        os.remove(path)
        self.broker.start()


if __name__ == "__main__":
    main()
