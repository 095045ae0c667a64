"""Starts the broker, runs a client program with "HOST PORT" added to its arguments, stops both.

CLIENT_PROTOCOL ws makes the listener one of WebSocket, wss also of TLS: then CLIENT_CA, for the
program, is the authority of its certificate. Exits with the status of the program, or 1 if the
broker did not end well.
"""

import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenarios"))
sys.dont_write_bytecode = True

from certificates import Authority  # pylint: disable=wrong-import-position
from harness import HOST, Broker, spawn  # pylint: disable=wrong-import-position


def listener_config(folder):
    protocol = os.environ.get("CLIENT_PROTOCOL", "mqtt")
    if protocol == "mqtt":
        return ""
    if protocol == "ws":
        return "protocol websockets"
    pki = Authority(folder)
    server = pki.issue("localhost")
    os.environ["CLIENT_CA"] = pki.certificate
    return f"protocol websockets\ncertfile {server.certificate}\nkeyfile {server.key}"


def run(arguments):
    with tempfile.TemporaryDirectory(prefix="certificates-") as folder:
        return run_beside(Broker("max_queued_messages 0", listener_config(folder)), arguments)


def run_beside(broker, arguments):
    try:
        broker.start()
        status = spawn(arguments + [HOST, str(broker.port)]).wait()
        if status != 0:
            print("The broker's log:\n" + broker.log())
        return status
    finally:
        broker.close()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
