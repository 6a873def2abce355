"""A PostgreSQL cluster of one's own in a temporary folder: one that may be stopped, and set as a benchmark needs it."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path


class NoPrograms(Exception):
    """PostgreSQL's own programs are not on this machine."""


class Cluster:
    """A server over a data folder, with one database. It runs as `postgres` where the caller is root."""

    def __init__(self, programs: Path, folder: Path, database: str, settings: Mapping[str, str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{port}/{database}"
        self._programs, self._folder, self._database = programs, folder, database
        self._owner = pwd.getpwnam("postgres").pw_uid if os.getuid() == 0 else None
        given = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": str(folder), **settings}
        self._settings = "\n".join(f"{name} = '{value}'" for name, value in given.items())

    def make(self) -> None:
        """Make the data folder with the database, and start."""
        if self._owner is not None:
            os.chown(self._folder, self._owner, -1)
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        with (self._folder / "data/postgresql.conf").open("a") as config:
            config.write(f"\n{self._settings}\n")
        self._run("postgres", "postgres", text=f'CREATE DATABASE "{self._database}"\n', first=("--single",))
        self.start()

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        self._run("pg_ctl", "start", "-w", "-l", str(self._folder / "log"))

    def stop(self, *, crash: bool = False) -> None:
        """Stop it: connections end, transactions are rolled back. `crash`: without a last word, so that it recovers."""
        self._run("pg_ctl", "stop", "-w", "-m", "immediate" if crash else "fast")

    def _run(self, program: str, *arguments: str, first: tuple[str, ...] = (), text: str = "") -> None:
        command: list[str | Path] = [self._programs / program, *first, "-D", self._folder / "data", *arguments]
        subprocess.run(command, check=True, capture_output=True, user=self._owner, input=text.encode())


@contextmanager
def private_cluster(database: str = "test", settings: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """A running cluster, which is gone afterwards. Raises `NoPrograms`."""
    programs = _programs()
    with tempfile.TemporaryDirectory(prefix="pliant-cluster-") as folder:
        cluster = Cluster(programs, Path(folder), database, settings or {})
        cluster.make()
        try:
            yield cluster
        finally:
            with suppress(subprocess.CalledProcessError):  # it was stopped, and never started again
                cluster.stop()


def _programs() -> Path:
    found = shutil.which("initdb")
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin")), *([Path(found).resolve().parent] if found else [])]
    folders = [folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()]
    if not folders:
        raise NoPrograms("PostgreSQL's programs (initdb, pg_ctl) are not there")
    return folders[-1]
