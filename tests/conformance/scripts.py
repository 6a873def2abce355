"""Clients in processes of their own, JavaScript under js/, Python under python/: each prints its checks as JSON."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.conformance.installation import HERE
from tests.conformance.outcome import Check, Tally
from tests.conformance.server import Running

SECONDS = 240
"""The longest that one script may take."""

MANY = 20
"""More checks than this are told in one line, but for those that failed."""


def run_script(
    tally: Tally,
    command: Sequence[str],
    script: str,
    server: Running,
    scratch: Path,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Run one script against a server and count its checks; a script that breaks or checks nothing has failed."""
    scratch.mkdir(parents=True, exist_ok=True)
    environment = {**server.environment(scratch), **(variables or {})}
    try:
        done = subprocess.run(
            [*command, str(HERE / script)], env=environment, cwd=HERE, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired as error:
        tally.add(Check(script, False, f"not done after {SECONDS} s\n{error.stdout!r}"))
        return
    checks = [_check(line) for line in done.stdout.splitlines() if line.startswith("{")]
    many = len(checks) > MANY
    for check in checks:
        tally.add(check, quiet=many)
    if many:
        print(f"  ok    {sum(check.passed for check in checks)} of {len(checks)} checks of {script}", flush=True)
    if done.returncode != 0 or not checks:
        tally.add(Check(script, False, f"exit code {done.returncode}\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}"))


def _check(line: str) -> Check:
    found = json.loads(line)
    return Check(found["name"], found["passed"], found.get("detail", ""))
