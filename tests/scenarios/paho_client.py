"""One Paho Python client whose callbacks land in queues, so that a test can wait for them."""

import queue

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from harness import DEADLINE_S, HOST, wait_until

__all__ = ["PahoClient", "PacketTypes", "SubscribeOptions", "paho", "props"]


def props(kind, **values):
    """Paho's Properties for a packet type; names are Paho's (ContentType, UserProperty ...)."""
    made = Properties(kind)
    for name, value in values.items():
        setattr(made, name, value)
    return made


class PahoClient:
    """Connected when the constructor returns. Never reconnects by itself."""

    def __init__(self, port, client_id="", version=paho.MQTTv311, clean=True, will=None, **options):
        self.version = version
        self.messages = queue.Queue()
        self.connacks = queue.Queue()
        self.disconnects = queue.Queue()
        self.published = set()
        self.subscribed = {}
        self.unsubscribed = set()
        arguments = {} if version == paho.MQTTv5 else {"clean_session": clean}
        self.client = paho.Client(
            client_id, protocol=version, reconnect_on_failure=False,
            transport=options.get("transport", "tcp"), **arguments
        )
        if "tls" in options:
            self.client.tls_set_context(options["tls"])
        self._set_callbacks()
        if "username" in options:
            self.client.username_pw_set(options["username"], options.get("password"))
        if will:
            self.client.will_set(**will)
        keepalive = options.get("keepalive", 60)
        if version == paho.MQTTv5:
            self.client.connect(
                HOST, port, keepalive, clean_start=clean, properties=options.get("properties")
            )
        else:
            self.client.connect(HOST, port, keepalive)
        self.client.loop_start()
        self.flags, self.reason, self.properties = self.connacks.get(timeout=DEADLINE_S)

    def _set_callbacks(self):
        client = self.client
        client.on_connect = lambda c, u, flags, reason, properties=None: self.connacks.put(
            (flags, reason, properties)
        )
        client.on_message = lambda c, u, message: self.messages.put(message)
        client.on_disconnect = lambda c, u, reason, properties=None: self.disconnects.put(reason)
        client.on_publish = lambda c, u, mid: self.published.add(mid)
        client.on_subscribe = lambda c, u, mid, codes, *rest: self.subscribed.update({mid: codes})
        client.on_unsubscribe = lambda c, u, mid, *rest: self.unsubscribed.add(mid)

    def subscribe(self, *arguments, **options):
        """Waits for the SUBACK and returns its codes."""
        error, mid = self.client.subscribe(*arguments, **options)
        assert error == 0, error
        wait_until(lambda: mid in self.subscribed, "the SUBACK")
        return [int(getattr(code, "value", code)) for code in self.subscribed[mid]]

    def unsubscribe(self, *arguments):
        error, mid = self.client.unsubscribe(*arguments)
        assert error == 0, error
        wait_until(lambda: mid in self.unsubscribed, "the UNSUBACK")

    def publish(self, *arguments, **options):
        """Waits until the handshake of the message's QoS is complete."""
        sent = self.client.publish(*arguments, **options)
        assert sent.rc == 0, sent
        wait_until(lambda: sent.mid in self.published, "the message to be published")

    def message(self):
        """The next message."""
        try:
            return self.messages.get(timeout=DEADLINE_S)
        except queue.Empty:
            raise AssertionError("no message came within the deadline") from None

    def payloads(self, count):
        """The payloads of the next messages, as texts."""
        return [self.message().payload.decode() for _ in range(count)]

    def wait_disconnected(self):
        self.disconnects.get(timeout=DEADLINE_S)

    def disconnect(self):
        """A clean end."""
        self.client.disconnect()
        self.disconnects.get(timeout=DEADLINE_S)
        self.client.loop_stop()

    def crash(self):
        """Closes the socket without a DISCONNECT."""
        self.client.loop_stop()
        self.client._sock_close()

    def close(self):
        """For cleanup; any state will do."""
        self.client.disconnect()
        self.client.loop_stop()
