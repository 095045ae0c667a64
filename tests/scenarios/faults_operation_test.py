"""Faults 33 and 43: no descriptor is left, and reloads at the worst moment."""

import os
import resource
import signal
import unittest

import wire
from harness import DEADLINE_S, Scenario, let_pass, main, nightjar_only, wait_until
from wire import V5

CPU_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class FaultScenario(Scenario):
    def connect(self, client_id, **options):
        client = wire.Client(self.broker.port, client_id, version=V5, **options)
        self.addCleanup(client.close)
        return client

    def reload(self, config="", listener_config=""):
        self.broker.write_config(config, listener_config)
        self.broker.signal(signal.SIGHUP)

    def limit_of_a_new_client(self):
        with wire.Client(self.broker.port, "new", version=V5) as client:
            return client.connack.props["maximum_packet_size"]

    def count_log(self, text):
        return self.broker.log().count(text)


@nightjar_only("Mosquitto 2.0 does not say that it cannot accept")
class Descriptors(FaultScenario):
    """Fault 33, CVE-2017-7652."""

    def cpu_s(self):
        with open(f"/proc/{self.broker.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * CPU_TICK_S

    def limit_descriptors(self, more):
        pid = self.broker.process.pid
        limit = max(int(name) for name in os.listdir(f"/proc/{pid}/fd")) + 1 + more
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, limit))

    def knock(self):
        client = wire.Client(self.broker.port, connect=False, version=V5)
        self.addCleanup(client.close)
        client.send(wire.connect(V5, ""))
        return client

    def use_all_descriptors(self):
        clients = []

        def is_out():
            clients.append(self.knock())
            return "Unable to accept new connections" in self.broker.log()

        self.limit_descriptors(more=10)
        wait_until(is_out, "the last descriptor to be used")
        return clients

    @unittest.skipIf(os.environ.get("SCENARIO_SANITIZED"), "UBSan opens a pipe to read an object")
    def test_without_descriptors_the_broker_serves_whom_it_has_and_keeps_its_configuration(self):
        self.start_broker("max_packet_size 1000")
        here, sender = self.connect("here"), self.connect("sender")
        here.subscribe(("a", 1))
        waiting = self.use_all_descriptors()
        before = self.cpu_s()
        let_pass(0.5)
        self.assertLess(self.cpu_s() - before, 0.3, "it does not try again and again")
        self.reload("max_packet_size 100")
        self.broker.wait_log("Error: .*Too many open files")
        self.assertEqual(sender.publish("a", "x" * 500, qos=1).reason, 0)
        self.assertEqual(len(here.take().payload), 500)
        for client in waiting[:5]:
            client.close()
        for client in waiting[5:]:
            self.assertEqual(client.receive(DEADLINE_S).reason, 0)
        self.broker.signal(signal.SIGHUP)
        wait_until(lambda: self.limit_of_a_new_client() == 100, "the new configuration")


class Reloads(FaultScenario):
    """Fault 43."""

    @nightjar_only("Mosquitto 2.0 ends on a bad file")
    def test_reloads_under_load_good_and_bad_lose_nothing(self):
        self.start_broker()
        here, sender = self.connect("here"), self.connect("sender")
        here.subscribe(("a", 1))
        sent = 0

        def exchange_until(is_done):
            nonlocal sent
            while not is_done():
                sent += 1
                self.assertEqual(sender.publish("a", str(sent), qos=1).reason, 0)
                self.assertEqual(here.take().payload, str(sent).encode())

        for number in range(1, 11):
            self.reload("nonsense true")
            exchange_until(lambda: self.count_log("the configuration is not reloaded") == number)
            self.reload(f"max_packet_size {2000 + number}")
            exchange_until(lambda: self.limit_of_a_new_client() == 2000 + number)
        self.assertEqual((here.ping(), sender.ping()), ([], []))

    def test_a_log_file_that_is_gone_or_full_stops_nobody(self):
        folder = os.path.join(self.start_broker().folder, "logs")
        os.mkdir(folder)
        here = self.connect("here")
        log = os.path.join(folder, "broker.log")
        self.reload(f"log_dest file {log}")
        wait_until(lambda: os.path.exists(log), "the log file")
        os.rename(folder, folder + ".old")
        self.broker.signal(signal.SIGHUP)
        self.assertEqual(here.ping(), [])
        self.reload("log_dest file /dev/full")
        here.subscribe(("a", 1))
        self.connect("sender").publish("a", "x", qos=1)
        self.assertEqual(here.take().payload, b"x")
        os.mkdir(folder)
        self.reload(f"log_dest file {log}")

        def is_told():
            self.connect("logged").disconnect()
            with open(log, encoding="utf-8") as file:
                return "logged" in file.read()

        wait_until(lambda: os.path.exists(log), "the log file")
        wait_until(is_told, "the log to go on")


if __name__ == "__main__":
    main()
