"""`listener 0 PATH`: a unix socket."""

import contextlib
import os
import socket

from harness import Scenario, main, nightjar_only, wait_until


class UnixSockets(Scenario):
    def start_with_socket(self, **options):
        self.start_broker(**options)  # Makes the folder.
        self.broker.stop()
        self.path = os.path.join(self.broker.folder, "socket")
        self.broker.write_config(listener_config=f"listener 0 {self.path}")
        self.restart()

    def restart(self):
        """The port, which the harness waits for, opens before the socket does."""
        self.broker.start()
        wait_until(self.accepts, f"the broker to listen at {self.path}")

    def accepts(self):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(self.path)
            return True
        return False

    def test_clients_of_both_kinds_talk(self):
        self.start_with_socket(threads=2)
        by_socket = self.subscriber("-t", "a", "-i", "one", "--unix", self.path)
        by_port = self.subscriber("-t", "a", "-i", "two")
        for i in range(4):  # By client id they belong to either thread.
            self.run_program(["mosquitto_pub", "--unix", self.path, "-t", "a", "-m", str(i), "-i",
                              f"pub{i}", "-q", "1"])
        want = [f"a 0 0 {i}" for i in range(4)]
        self.assertEqual((by_socket.messages(4), by_port.messages(4)), (want, want))

    @nightjar_only("Mosquitto 2.0 takes the path from whoever listens there")
    def test_a_path_in_use_is_left_alone(self):
        self.start_with_socket()
        self.broker.kill()
        self.assertTrue(os.path.exists(self.path))
        self.restart()  # What was left behind is replaced.
        second = os.path.join(self.broker.folder, "second.conf")
        with open(second, "w", encoding="utf-8") as file:
            file.write(f"user root\nlistener 0 {self.path}\n")
        output = self.run_program([self.broker.program, "-c", second], want=1)
        self.assertIn(f"{self.path}: Address already in use", output)

    def test_it_is_gone_after_the_end(self):
        self.start_with_socket()
        self.assertTrue(os.path.exists(self.path))
        self.broker.stop()
        self.assertFalse(os.path.exists(self.path))


if __name__ == "__main__":
    main()
