"""Starts the broker, runs a client program with "HOST PORT" added to its arguments, stops both.

Exits with the status of the program, or 1 if the broker did not end well.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenarios"))
sys.dont_write_bytecode = True

from harness import HOST, Broker, spawn  # pylint: disable=wrong-import-position


def run(arguments):
    broker = Broker("max_queued_messages 0")
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
