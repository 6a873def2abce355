"""`make conformance`: every client against a server on SQLite, the cheap ones on PostgreSQL too where one answers.

What needs Node.js or a browser is told as not run where there is none, and has failed when `PLIANT_TEST_REQUIRE` names
`node`, `browser` or `postgresql`. Ends with the line `N passed, N failed`.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.conformance.differences import write_pairs
from tests.conformance.fuzz import MIN_CASES, ROUNDS, fuzz
from tests.conformance.installation import (
    build_assets,
    find_browser,
    find_node,
    install_node_packages,
    install_python_packages,
)
from tests.conformance.outcome import Check, Tally
from tests.conformance.scripts import run_script
from tests.conformance.server import Running, running
from tests.engines import REQUIRED, reachable

INSPECTED = "inspector"
"""Judges schemas, not a server: it runs once."""

JAVASCRIPT = ("audits", "introspection", "urql", "apollo", "relay", "codegen")


def main() -> int:
    """Run everything; gives the exit code."""
    tally = Tally()
    node = find_node()
    browser = find_browser() if node is not None else None
    tally.begin("installation")
    with_node = node is not None and _installed(tally, "npm packages", install_node_packages)
    commands = _python_commands(tally)
    if node is None:
        tally.skip("JavaScript clients", "there is no node", "node" in REQUIRED)
    if browser is None:
        tally.skip("/explore in a browser", "there is no node or no chromium", "browser" in REQUIRED)
    with tempfile.TemporaryDirectory(prefix="pliant-conformance-") as name:
        folder = Path(name)
        with running("sqlite", folder / "sqlite") as server:
            if with_node:
                _javascript(tally, "SQLite", server, folder / "scratch")
                write_pairs(folder / "pairs.json")
                pairs = {"PLIANT_SCHEMA_PAIRS": str(folder / "pairs.json")}
                run_script(tally, ["node"], f"js/{INSPECTED}.mjs", server, folder / "scratch", pairs)
            if with_node and browser is not None and _installed(tally, "files of /explore", build_assets):
                tally.begin("/explore in a browser")
                run_script(tally, ["node"], "js/explore.mjs", server, folder / "scratch", {"PLIANT_BROWSER": browser})
            if commands is not None:
                _python(tally, "SQLite", server, commands, folder / "scratch")
                cases = _fuzz(tally, "SQLite", server, commands, folder / "scratch")
                tally.add(Check(f"schemathesis sent at least {MIN_CASES} operations ({cases})", cases >= MIN_CASES))
            _log(tally, "SQLite", server)
        if reachable():
            with running("postgresql", folder / "postgresql") as server:
                if with_node:
                    _javascript(tally, "PostgreSQL", server, folder / "scratch-postgresql")
                if commands is not None:
                    _python(tally, "PostgreSQL", server, commands, folder / "scratch-postgresql")
                    _fuzz(tally, "PostgreSQL", server, commands, folder / "scratch-postgresql")
                _log(tally, "PostgreSQL", server)
        else:
            tally.skip("clients on PostgreSQL", "no server answers", "postgresql" in REQUIRED)
    return tally.close()


def _installed(tally: Tally, what: str, install: Callable[[], object]) -> bool:
    try:
        install()
    except (OSError, subprocess.CalledProcessError) as error:
        tally.add(Check(what, False, str(error)))
        return False
    return True


def _python_commands(tally: Tally) -> Path | None:
    try:
        return install_python_packages()
    except (OSError, subprocess.CalledProcessError) as error:
        tally.add(Check("Python packages", False, str(error)))
        return None


def _javascript(tally: Tally, engine: str, server: Running, scratch: Path) -> None:
    tally.begin(f"JavaScript clients on {engine}")
    for script in JAVASCRIPT:
        run_script(tally, ["node"], f"js/{script}.mjs", server, scratch)


def _python(tally: Tally, engine: str, server: Running, commands: Path, scratch: Path) -> None:
    tally.begin(f"Python client on {engine}")
    run_script(tally, [str(commands / "python")], "python/gql_client.py", server, scratch)


def _fuzz(tally: Tally, engine: str, server: Running, commands: Path, scratch: Path) -> int:
    tally.begin(f"schemathesis on {engine}")
    return sum(fuzz(tally, commands, server, wanted, scratch) for wanted in ROUNDS[engine])


def _log(tally: Tally, engine: str, server: Running) -> None:
    faults = server.faults()
    tally.add(Check(f"the server on {engine} logged no fault of its own", not faults, "\n".join(faults[:20])))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and databases go with us
    sys.exit(main())
