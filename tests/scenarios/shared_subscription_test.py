"""Shared subscriptions across the threads of the real program."""

import contextlib
import multiprocessing
import multiprocessing.connection
import signal
import socket
import threading

import harness
import wire
from harness import DEADLINE_S, Scenario, main, nightjar_only, wait_until
from wire import PUBACK, PUBLISH, V5

THREADS = 4
FILTER = "$share/workers/jobs/#"


class Worker:
    """A connected member of the group that acknowledges what it gets, in a thread of its own."""

    def __init__(self, port, client_id):
        self.client = wire.Client(port, client_id, V5)
        self.client.subscribe((FILTER, 1))
        self.got = []
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self):
        try:
            while True:
                self.got.append(self.client.take().payload)
        except (wire.Closed, OSError, AssertionError):
            pass  # stop() has closed the connection.

    def stop(self):
        with contextlib.suppress(OSError):
            self.client.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(DEADLINE_S)
        self.client.close()


def work_until_killed(port, client_id, pipe):
    """A member in a process: what it says in the pipe it has seen, then it acknowledges."""
    harness._die_with_parent()
    client = wire.Client(port, client_id, V5)
    client.subscribe((FILTER, 1))
    pipe.send(b"ready")
    while True:
        message = client.expect(PUBLISH)
        pipe.send(message.payload)
        client.send(wire.ack(PUBACK, message.id))


class SharedSubscriptions(Scenario):
    def workers(self, count):
        workers = [Worker(self.broker.port, f"worker-{number}") for number in range(count)]
        for worker in workers:
            self.addCleanup(worker.stop)
        return workers

    def publish(self, client_id, numbers):
        with wire.Client(self.broker.port, client_id, V5) as publisher:
            for number in numbers:
                topic = f"jobs/{number % 7}"
                self.assertEqual(publisher.publish(topic, str(number), qos=1).reason, 0)

    def test_members_get_equal_shares_whoever_publishes(self):
        self.start_broker(threads=THREADS)
        workers = self.workers(5)
        for number in range(6):  # Client ids fall to all threads.
            self.publish(f"publisher-{number}", range(number * 100, number * 100 + 100))
        wait_until(lambda: sum(len(each.got) for each in workers) >= 600, "all messages")
        got = [len(each.got) for each in workers]
        self.assertEqual(sum(got), 600)
        self.assertGreaterEqual(min(got), 108, got)
        self.assertLessEqual(max(got), 132, got)

    @nightjar_only("Mosquitto keeps them for the member that is gone")
    def test_a_member_that_is_killed_loses_nothing(self):
        self.start_broker(threads=THREADS)
        fork = multiprocessing.get_context("fork")
        pipes, members = [], []
        for number in range(3):
            ours, theirs = fork.Pipe(duplex=False)
            member = fork.Process(
                target=work_until_killed,
                args=(self.broker.port, f"member-{number}", theirs),
                daemon=True,
            )
            member.start()
            self.addCleanup(member.kill)
            theirs.close()
            self.assertTrue(ours.poll(DEADLINE_S))
            self.assertEqual(ours.recv(), b"ready")
            pipes.append(ours)
            members.append(member)
        for part in range(3):
            if part > 0:
                members[part].kill()
            self.publish(f"publisher-{part}", range(part * 200, part * 200 + 200))
        self.assertEqual(self.seen_by(pipes, 600), {str(n).encode() for n in range(600)})

    @staticmethod
    def seen_by(pipes, count):
        """What the members have seen, until that are so many or nothing comes any more."""
        seen = set()
        while pipes and len(seen) < count:
            ready = multiprocessing.connection.wait(pipes, DEADLINE_S)
            if not ready:
                break
            for pipe in ready:
                try:
                    seen.add(pipe.recv())
                except EOFError:
                    pipes.remove(pipe)
        return seen

    @nightjar_only("the strategy is an option of nightjar")
    def test_the_strategy_is_an_option_and_a_reload_changes_it(self):
        self.start_broker("shared_subscription_strategy sticky", threads=THREADS)
        workers = self.workers(3)
        self.publish("publisher", range(30))
        wait_until(lambda: sum(len(each.got) for each in workers) == 30, "all messages")
        self.assertEqual(sorted(len(each.got) for each in workers), [0, 0, 30])
        self.broker.write_config("shared_subscription_strategy round_robin")
        self.broker.signal(signal.SIGHUP)
        self.broker.wait_log("Reloading config")

        def everybody_works():
            self.publish("publisher", range(3))
            return all(each.got for each in workers)

        wait_until(everybody_works, "members to take turns")


if __name__ == "__main__":
    main()
