"""Clients that send faster than their listener allows: slower, and nothing is lost."""

import os
import socket
import time

import web_socket
import wire
from harness import DEADLINE_S, Scenario, main, nightjar_only
from wire import V311


@nightjar_only("Mosquitto has no rates")
class RateLimits(Scenario):
    def test_messages(self):
        self.start_broker("threads 2", "max_message_rate 50")
        subscriber = self.subscriber("-t", "t")
        began = time.monotonic()
        self.pub("-t", "t", "-m", "x", "-q", "1", "--repeat", "90")
        self.assertEqual(len(subscriber.messages(90)), 90)
        self.assertGreater(time.monotonic() - began, 0.7)
        self.broker.wait_log(r"Client auto-\S+ at 127\.0\.0\.1:\d+ is read more slowly: "
                             rf"max_message_rate 50 of port {self.broker.port}\.$")

    def test_a_web_socket_that_says_goodbye_before_all_is_read(self):
        self.start_broker("threads 1\nlistener 0 ws.sock\nprotocol websockets\nmax_message_rate 50")
        subscriber = self.subscriber("-t", "t")
        client = web_socket.WebSocket(None, plain=self.connect_unix("ws.sock"))
        self.addCleanup(client.close)
        messages = b"".join(wire.publish(V311, "t", b"x") for _ in range(90))
        client.send(web_socket.frame(wire.connect(V311, "ws") + messages)
                    + web_socket.frame(b"", web_socket.CLOSE))
        self.assertEqual(len(subscriber.messages(90)), 90)

    def connect_unix(self, name):
        plain = socket.socket(socket.AF_UNIX)
        plain.settimeout(DEADLINE_S)
        plain.connect(os.path.join(self.broker.folder, name))
        return plain

    def test_bytes_and_a_keep_alive_that_is_shorter_than_the_wait(self):
        self.start_broker("sys_interval 1", "max_byte_rate 100000")
        client = wire.Client(self.broker.port, "big", V311, keep_alive=1)
        self.addCleanup(client.close)
        began = time.monotonic()
        client.publish("t", b"x" * 300_000, qos=1)
        client.ping()
        self.assertGreater(time.monotonic() - began, 1.9)
        counter = "$SYS/broker/nightjar/refused/byte_rate"
        self.assertEqual(self.sub("-t", counter, "-C", "1", "-W", "5").strip(), "1")


if __name__ == "__main__":
    main()
