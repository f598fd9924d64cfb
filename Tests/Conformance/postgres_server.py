"""A PostgreSQL server of its own in a temporary folder, and the queries of the tests by psql."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import uuid

import pytest

from local_service import free_port


def find_program(name):
    """Finds a program of the newest PostgreSQL server that is installed; None if there is none."""
    folders = pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    found = max(folders, key=lambda path: int(path.parts[-3].partition(".")[0]), default=None)
    return found or shutil.which(name)


class PostgresServer:
    """A server on a free port of loopback; its superuser is `tests`, who needs no password."""

    def __init__(self, *settings):
        if not find_program("initdb"):
            pytest.fail("PostgreSQL is not installed: run `make conformance`, which installs it.")
        self.port = free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postgres-"))
        # The server refuses to run as root.
        self.user = {"user": "postgres"} if os.geteuid() == 0 else {}
        if self.user:
            shutil.chown(self.folder, "postgres")
        self.data = self.folder / "data"
        self.call("initdb", "-D", self.data, "-A", "trust", "-U", "tests", "-E", "UTF8", "--no-sync")
        lines = [f"port = {self.port}", "listen_addresses = '127.0.0.1'", f"unix_socket_directories = '{self.folder}'"]
        with open(self.data / "postgresql.conf", "a") as file:
            file.write("\n".join([*lines, *settings, ""]))
        self.start()

    def call(self, name, *arguments):
        """Executes a program of the server as its user."""
        subprocess.run(
            [find_program(name), *arguments], check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self.user
        )

    def start(self):
        """Starts the server and waits until it accepts connections."""
        self.call("pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "-t", "60", "start")

    def stop(self, mode="immediate"):
        """Stops the server; `immediate` ends it without a checkpoint, as a crash of its host would."""
        self.call("pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", "60", "stop")

    def close(self):
        """Stops the server, if it runs, and deletes its folder."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.folder)

    def database(self):
        """Creates a database."""
        name = f"d{uuid.uuid4().hex[:12]}"
        PostgresDatabase(self, "postgres").sql(f"CREATE DATABASE {name}")
        return PostgresDatabase(self, name)


class PostgresDatabase:
    """A database of a server."""

    runs = "cloud_jobs.runs"

    def __init__(self, server, name):
        self.server, self.name = server, name

    def url(self, port=None, host="127.0.0.1", options=""):
        """The connection string of libpq."""
        return f"postgres://tests@{host}:{port or self.server.port}/{self.name}{options}"

    @property
    def store(self):
        """The store as the test programs take it."""
        return self.url()

    def session(self, **streams):
        """Starts psql, which executes what is written to its standard input."""
        command = ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", self.url()]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **streams
        )

    def sql(self, statements):
        """Executes statements in one session; returns the rows of texts."""
        session = self.session()
        output, errors = session.communicate(statements, timeout=120)
        assert session.returncode == 0, errors
        return [line.split("\t") for line in output.splitlines()]

    def check_integrity(self):
        """Checks that each index holds exactly the rows of its table."""
        if find_program("pg_amcheck"):
            arguments = ["--install-missing", "--heapallindexed", "--parent-check", "-h", "127.0.0.1"]
            self.server.call(
                "pg_amcheck", *arguments, "-p", str(self.server.port), "-U", "tests", "-d", self.name, "--jobs=2"
            )
        else:
            self.sql("REINDEX SCHEMA cloud_jobs")
