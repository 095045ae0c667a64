"""Starts the real broker program on a free port, and other people's clients against it.

A scenario is a unittest.TestCase that derives from Scenario and calls start_broker(). The program
under test is named by the environment:

    BROKER          path of the broker; any broker that takes `-c mosquitto.conf` will do
    BROKER_THREADS  adds `threads N` to the configuration (nightjar only)
    MOSQUITTO_PUB, MOSQUITTO_SUB   the command-line clients, if not those in PATH

Every scenario without @nightjar_only must also pass on Mosquitto 2.0: that is what tests the tests.
A broker ends with its test: it is stopped by SIGTERM, must then exit with 0, and gets SIGKILL from
the kernel when this process dies first.
"""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

HOST = "127.0.0.1"
BROKER = os.environ.get("BROKER", "/usr/sbin/mosquitto")


def is_nightjar(program):
    return "mosquitto" not in os.path.basename(program)


IS_NIGHTJAR = is_nightjar(BROKER)
PUB = os.environ.get("MOSQUITTO_PUB", "mosquitto_pub")
SUB = os.environ.get("MOSQUITTO_SUB", "mosquitto_sub")

# How long anything that should happen at once may take. Long, since sanitizer builds share a slow
# machine with other tests; a passing test never waits this long.
DEADLINE_S = float(os.environ.get("SCENARIO_DEADLINE_S", "20"))

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def nightjar_only(reason):
    """Marks a scenario whose outcome Mosquitto 2.0 does not share, and says why."""
    return unittest.skipUnless(IS_NIGHTJAR, "nightjar only: " + reason)


def has_persistence():
    """False for a nightjar that was built without it."""
    if not IS_NIGHTJAR:
        return True
    done = subprocess.run([BROKER, "--version"], stdout=subprocess.PIPE, check=True)
    return b"with persistence" in done.stdout


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(arguments, **options):
    """subprocess.Popen, but the child dies with this process. Call it from the main thread: the
    kernel's signal is for the death of the thread that started the child."""
    return subprocess.Popen(arguments, preexec_fn=_die_with_parent, **options)


def wait_until(condition, what, deadline_s=None):
    """Polls until condition() is true and returns its value; fails with `what` at the deadline."""
    end = time.monotonic() + (DEADLINE_S if deadline_s is None else deadline_s)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("gave up waiting for " + what)
        time.sleep(0.005)


def let_pass(seconds):
    """For outcomes that depend on the clock only (expiry, delays). Never to wait for an event."""
    time.sleep(seconds)


class ReservedPort:
    """A port number that no other test gets, and no outgoing connection, while this object lives.

    The socket is bound but never listens, and shares its address, so the broker can listen on the
    port. A bare "bind to 0 and close" would not do: two brokers that use SO_REUSEPORT could then
    listen on one port, and share the connections of two tests, without an error.
    """

    def __init__(self):
        self._socket = socket.socket()
        self._socket.bind((HOST, 0))
        # Only now: with these set before bind(), the kernel may hand out a port twice.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.number = self._socket.getsockname()[1]

    def close(self):
        self._socket.close()


class Broker:
    """One broker process. `config` is appended to a configuration with one anonymous listener."""

    def __init__(self, config="", listener_config="", threads=None, verbose=False, program=BROKER):
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="scenario-")
        self.reserved = ReservedPort()
        self.port = self.reserved.number
        self.config_path = os.path.join(self.folder, "broker.conf")
        self.log_path = os.path.join(self.folder, "broker.log")
        self.threads = threads or os.environ.get("BROKER_THREADS")
        self.verbose = verbose
        self.environment = {}  # Beside this process's own.
        self.process = None
        self.write_config(config, listener_config)

    def write_config(self, config="", listener_config=""):
        lines = [] if "allow_anonymous" in config else ["allow_anonymous true"]
        if os.geteuid() == 0:
            # Changing the user would make the kernel forget that the broker dies with us.
            lines.append("user root")
        if self.threads and is_nightjar(self.program):
            lines.append(f"threads {self.threads}")
        lines += [config.strip(), f"listener {self.port} {HOST}", listener_config.strip()]
        # At once: the broker may be reading the one before.
        with open(self.config_path + ".new", "w", encoding="utf-8") as file:
            file.write("\n".join(line for line in lines if line) + "\n")
        os.replace(self.config_path + ".new", self.config_path)

    def start(self):
        command = [self.program, "-c", self.config_path] + (["-v"] if self.verbose else [])
        with open(self.log_path, "ab") as log:
            self.process = spawn(command, stdout=log, stderr=log, cwd=self.folder,
                                 env={**os.environ, **self.environment})
        wait_until(self._accepts, f"{self.program} to accept connections; its log:\n" + self.log())
        return self

    def _accepts(self):
        if self.process.poll() is not None:
            status = self.process.returncode
            raise AssertionError(f"{self.program} ended with {status}:\n{self.log()}")
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), 1):
            return True
        return False

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, check=True):
        """SIGTERM, and an exit status of 0 before the deadline; leaves the files for a restart."""
        if self.process is None:
            return
        process, self.process = self.process, None
        already_dead = process.poll() is not None
        status = self._terminate(process)
        if status is None:
            process.kill()
            process.wait()
            raise AssertionError(f"{self.program} ignored SIGTERM; its log:\n{self.log()}")
        if check and (already_dead or status != 0):
            when = "by itself" if already_dead else "on SIGTERM"
            message = f"{self.program} ended {when} with {status}; its log:\n{self.log()}"
            raise AssertionError(message)

    def _terminate(self, process):
        """Its exit status, or None at the deadline. One SIGTERM is enough, but for Mosquitto, which
        forgets one that comes when it listens already and its loop has not begun."""
        patience = DEADLINE_S if is_nightjar(self.program) else 0.5
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(patience)
        return None

    def kill(self):
        """kill -9: what a crash looks like to the clients and to the files."""
        process, self.process = self.process, None
        process.kill()
        process.wait()

    def close(self):
        try:
            self.stop()
        finally:
            self.reserved.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_log(self, pattern, deadline_s=None):
        """Waits for a line of the log that matches the regular expression; returns the match."""
        compiled = re.compile(pattern, re.MULTILINE)
        end = time.monotonic() + (DEADLINE_S if deadline_s is None else deadline_s)
        while time.monotonic() < end:
            match = compiled.search(self.log())
            if match:
                return match
            time.sleep(0.01)
        raise AssertionError(f"no line matches {pattern!r} in the log:\n{self.log()}")


class Process:
    """A client program whose output is read line by line while it runs."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.process = spawn(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.lines = []
        self._changed = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_line(self, pattern, count=1):
        """Waits until `count` lines match; returns those lines."""
        compiled = re.compile(pattern)

        def found():
            return [line for line in self.lines if compiled.search(line)]

        with self._changed:
            self._changed.wait_for(lambda: self._ended or len(found()) >= count, DEADLINE_S)
            if len(found()) < count:
                raise AssertionError(
                    f"{self.arguments} did not print {pattern!r} {count} times:\n"
                    + "\n".join(self.lines)
                )
            return found()

    def wait(self):
        status = self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self._reader.join(DEADLINE_S)
        self.process.stdout.close()


class Subscriber(Process):
    """A mosquitto_sub that has been granted its subscription when the constructor returns.

    messages() are the lines that `form` (mosquitto_sub -F) made.
    """

    MARK = "message:"

    def __init__(self, port, *options, form="%t %q %r %p"):
        # -d prints "Subscribed"; stdbuf, since debug lines are not flushed when piped.
        command = ["stdbuf", "-oL", SUB, "-h", HOST, "-p", str(port), "-d"]
        super().__init__(command + list(options) + ["-F", self.MARK + form])
        self.wait_line("^Subscribed ")

    def messages(self, count=0):
        """The messages so far, once there are `count` of them."""
        if count:
            self.wait_line("^" + self.MARK, count)
        found = [line for line in list(self.lines) if line.startswith(self.MARK)]
        return [line[len(self.MARK):] for line in found]


class Scenario(unittest.TestCase):
    """Base of all scenarios: what it starts, it ends."""

    maxDiff = None

    def start_broker(self, config="", listener_config="", **options):
        broker = Broker(config, listener_config, **options)
        self.addCleanup(broker.close)
        self.broker = broker.start()
        return broker

    def run_program(self, arguments, want=0):
        """Runs a client to its end; its exit status must be `want`. Returns stdout + stderr."""
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=DEADLINE_S * 2,
            preexec_fn=_die_with_parent,
            check=False,
        )
        output = done.stdout.decode("utf-8", "replace")
        if want is not None:
            self.assertEqual(done.returncode, want, f"{arguments}:\n{output}")
        return output

    def pub(self, *options, want=0):
        return self.run_program([PUB, "-h", HOST, "-p", str(self.broker.port), *options], want)

    def sub(self, *options, want=0):
        return self.run_program([SUB, "-h", HOST, "-p", str(self.broker.port), *options], want)

    def subscriber(self, *options, **named):
        subscriber = Subscriber(self.broker.port, *options, **named)
        self.addCleanup(subscriber.kill)
        return subscriber


def main():
    unittest.main(verbosity=2)
