"""Databases that a test starts for itself: each with a folder of its own, below the test's."""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile

from harness import HOST, ReservedPort, spawn, wait_until

TABLES = (
    "CREATE TABLE mqtt_user (username VARCHAR(255) PRIMARY KEY, password_hash VARCHAR(255),"
    " salt VARCHAR(255), is_superuser INTEGER, enabled INTEGER, clientid VARCHAR(255))",
    "CREATE TABLE mqtt_acl (username VARCHAR(255), clientid VARCHAR(255), ipaddress VARCHAR(64),"
    " permission VARCHAR(8), action VARCHAR(16), topic VARCHAR(512))",
)


_running = {}


def running(kind):
    """The one of its kind that all tests of this process share, since it takes seconds to make."""
    if kind not in _running:
        _running[kind] = kind()
    return _running[kind]


def close_all():
    while _running:
        _running.popitem()[1].close()


class Database:
    """`option` is the prefix of its options; config() are those that lead to it."""

    option = ""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sql-")

    def fill(self, *statements):
        """The tables with these rows, in place of what was there."""
        dropped = [f"DROP TABLE IF EXISTS {name}" for name in ("mqtt_user", "mqtt_acl")]
        self.run(*dropped, *TABLES, *statements)

    def config(self, **more):
        options = {**self.place(), **more}
        return "\n".join(f"auth_{self.option}_{key} {value}" for key, value in options.items())

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Sqlite(Database):
    option = "sqlite"

    def __init__(self):
        super().__init__()
        self.path = os.path.join(self.folder, "users.db")

    def place(self):
        return {"database": self.path}

    def run(self, *statements):
        connection = sqlite3.connect(self.path)
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()


class Server(Database):
    """One that is a process. It is not asked to sync: what it keeps dies with the test."""

    user = ""

    def __init__(self):
        super().__init__()
        self.reserved = ReservedPort()
        self.port = self.reserved.number
        self.process = None
        # The servers do not run as root.
        self.identity = []
        if os.geteuid() == 0:
            account = pwd.getpwnam(self.user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self.identity = ["setpriv", f"--reuid={self.user}", f"--regid={account.pw_gid}",
                             "--clear-groups"]
        self.log_path = os.path.join(self.folder, "log")
        self.make()
        self.start()

    def call(self, *command, check=True, **options):
        return subprocess.run([*self.identity, *command], check=check, cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = spawn([*self.identity, *self.command()], stdout=log, stderr=log,
                                 cwd=self.folder)
        wait_until(self.answers, f"{self.option} to answer; its log is {self.log_path}")

    def answers(self):
        if self.process.poll() is not None:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                raise AssertionError("the database ended: " + log.read())
        return self.try_to_run("SELECT 1")

    def run(self, *statements):
        output = self.try_to_run("; ".join(statements), explain=True)
        if output is not True:
            raise AssertionError(output)

    def freeze(self):
        self.signal_all(signal.SIGSTOP)

    def thaw(self):
        self.signal_all(signal.SIGCONT)

    def signal_all(self, number):
        """PostgreSQL has a process a connection."""
        for child in subprocess.run(["pgrep", "-P", str(self.process.pid)], check=False,
                                    stdout=subprocess.PIPE).stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), number)
        os.kill(self.process.pid, number)

    def kill(self):
        self.signal_all(signal.SIGKILL)
        self.process.wait()

    def close(self):
        self.thaw_and_kill()
        self.reserved.close()
        super().close()

    def thaw_and_kill(self):
        if self.process.poll() is None:
            self.thaw()
            self.kill()


class MariaDb(Server):
    option = "mysql"
    user = "mysql"
    program = shutil.which("mariadbd", path="/usr/sbin:/usr/bin")
    needs = "mariadbd (mariadb-server)"

    def make(self):
        self.data = os.path.join(self.folder, "data")
        self.socket = os.path.join(self.folder, "socket")
        self.call("mariadb-install-db", "--no-defaults", f"--datadir={self.data}",
                  "--auth-root-authentication-method=normal", "--skip-test-db",
                  "--innodb-log-file-size=4M", "--innodb-buffer-pool-size=8M")

    def start(self):
        super().start()
        self.run("CREATE DATABASE IF NOT EXISTS users",
                 "CREATE USER IF NOT EXISTS 'broker'@'%' IDENTIFIED BY 'it''s \"s\\\\3cret'",
                 "GRANT ALL ON users.* TO 'broker'@'%'")

    def command(self):
        return [self.program, "--no-defaults", f"--datadir={self.data}", f"--socket={self.socket}",
                f"--port={self.port}", f"--bind-address={HOST}", "--skip-name-resolve",
                "--innodb-log-file-size=4M", "--innodb-buffer-pool-size=8M",
                "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin",
                f"--pid-file={self.folder}/pid"]

    def try_to_run(self, text, explain=False):
        done = self.call("mariadb", "--no-defaults", f"--socket={self.socket}", "-uroot", "-e",
                         "CREATE DATABASE IF NOT EXISTS users; USE users; " + text, check=False)
        return done.returncode == 0 or (explain and done.stdout.decode())

    def rows(self, query):
        """Their columns, as text."""
        done = self.call("mariadb", "--no-defaults", f"--socket={self.socket}", "-uroot", "-NBr",
                         "-e", query, "users")
        return [line.split("\t") for line in done.stdout.decode().splitlines()]

    def place(self):
        return {"server": f"{HOST}:{self.port}", "database": "users", "user": "broker",
                "password": "it's \"s\\3cret"}


class PostgreSql(Server):
    option = "postgresql"
    user = "postgres"
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    program = os.path.join(folders[-1], "postgres") if folders else None
    needs = "postgres (postgresql)"

    def make(self):
        self.data = os.path.join(self.folder, "data")
        self.call(os.path.join(self.folders[-1], "initdb"), "-D", self.data, "-U", "broker",
                  "--auth=trust", "--no-sync", "-E", "UTF8", "--no-locale")

    def command(self):
        return [self.program, "-D", self.data, "-p", str(self.port), "-h", HOST, "-k", self.folder,
                "-F", "-c", "max_connections=30", "-c", "shared_buffers=4MB"]

    def try_to_run(self, text, explain=False):
        done = self.call("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.folder,
                         "-p", str(self.port), "-U", "broker", "-d", "postgres", "-c", text,
                         check=False)
        return done.returncode == 0 or (explain and done.stdout.decode())

    def place(self):
        return {"server": f"{HOST}:{self.port}", "database": "postgres", "user": "broker",
                "password": "unasked"}
