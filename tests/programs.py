"""Running the program itself: commands, and servers as processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from pliant.cli import main

ROOT = Path(__file__).parent.parent
PROGRAM = (sys.executable, "-W", "error", "-c", "from pliant.cli import main; main()")


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


@dataclass
class Served:
    """A running server: where it listens, a token of its company's owner, its process."""

    host: str
    port: int
    token: str
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self.host}:{self.port}"


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a program that keeps its data in a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PLIANT_", "LC_", "LANG"))}
    return {**kept, "PYTHONPATH": str(ROOT), "PLIANT_DATA_DIR": str(folder), **more}


def pliant(folder: Path, *arguments: str, **more: str) -> Ran:
    """Run a command to its end, in this process: starting another one takes a second."""
    wanted: dict[str, str | None] = {name: None for name in os.environ if name not in environment(folder)}
    result = CliRunner().invoke(main, list(arguments), env={**wanted, **environment(folder, **more)})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def program(folder: Path, *arguments: str, **more: str) -> Ran:
    """Run a command to its end, as a process of its own."""
    done = subprocess.run(
        [*PROGRAM, *arguments], env=environment(folder, **more), cwd=folder, capture_output=True, text=True, timeout=180
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@contextmanager
def started(folder: Path, *arguments: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program in the background; it is stopped in the end."""
    err = (folder / "stderr").open("wb")
    process = subprocess.Popen(
        [*PROGRAM, *arguments], env=environment(folder, **more), cwd=folder, stdout=subprocess.PIPE, stderr=err
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        finally:
            process.kill()
            process.wait()
            err.close()
            if process.stdout is not None:
                process.stdout.close()


@contextmanager
def served(folder: Path, documents: Sequence[str] = (), **more: str) -> Iterator[Served]:
    """A server on a free port with one company."""
    made = pliant(folder, "company", "create", "Acme", "--json", *documents)
    assert made.code == 0, made.err
    with started(folder, "serve", "--port", "0", **more) as process:
        assert process.stdout is not None
        url = process.stdout.readline().decode().removeprefix("url: ").strip()
        host, _, port = url.removeprefix("http://").partition(":")
        yield Served(host, int(port), made.json["token"], process, folder)


def wait_until(condition: Any, seconds: float = 60) -> None:
    """Wait for a condition; fails after some seconds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)
