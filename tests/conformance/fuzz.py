"""schemathesis: operations generated from our own schema. The server may refuse them, and must never break."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.installation import HERE
from tests.conformance.outcome import Check, Tally
from tests.conformance.server import Running

SEED = 20261123
MIN_CASES = 500
SECONDS = 300
"""The longest that one door may take."""

_CASES = re.compile(r"(\d[\d,]*) (?:test cases? )?generated")


@dataclass(frozen=True, slots=True)
class Round:
    """One run of schemathesis: a door, what is drawn (`positive`: as the schema allows), how much per root field."""

    path: str
    mode: str
    examples: int


ROUNDS = {
    "SQLite": (
        Round("/graphql", "positive", 14),
        Round("/graphql", "negative", 4),
        Round("/graphql/admin", "all", 8),
    ),
    "PostgreSQL": (Round("/graphql", "positive", 8),),
}
"""What is sent to a server on each engine."""


def fuzz(tally: Tally, commands: Path, server: Running, wanted: Round, scratch: Path) -> int:
    """Fuzz one door, with `scratch` for what schemathesis keeps; gives how many operations were sent."""
    name = f"schemathesis {wanted.path} ({wanted.mode})"
    command = [
        str(commands / "schemathesis"), "run", server.url + wanted.path, "--seed", str(SEED),
        "--header", f"Authorization: Bearer {server.token}", "--max-examples", str(wanted.examples),
        "--phases", "fuzzing", "--checks", "refusals_are_told", "--mode", wanted.mode,
        "--suppress-health-check", "all", "--continue-on-failure", "--request-timeout", "20", "--warnings", "off",
        "--generation-database", "none", "--no-color",
    ]  # fmt: skip
    hooks = {"SCHEMATHESIS_HOOKS": "fuzzing", "PYTHONPATH": str(HERE / "python")}
    try:
        done = subprocess.run(
            command, env=server.environment(scratch) | hooks, cwd=scratch, capture_output=True, text=True,
            timeout=SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        tally.add(Check(name, False, f"not done after {SECONDS} s"))
        return 0
    found = _CASES.search(done.stdout)
    cases = int(found[1].replace(",", "")) if found else 0
    detail = f"{done.stdout[done.stdout.find('= FAILURES ') :][:8000]}\n{done.stderr[-2000:]}"
    tally.add(Check(f"{name}: no 5xx in {cases} operations", done.returncode == 0 and cases > 0, detail))
    return cases
