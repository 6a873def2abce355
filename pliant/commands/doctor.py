"""`pliant doctor`: is everything here that the server needs, and is it really ours?"""

from __future__ import annotations

import sys

import click

from base.json import Json
from pliant.checks import CHECKS, Finding, Verdict
from pliant.settings import Settings, read_settings
from pliant.terminal import Exit, guarded, json_option, locale, show
from server.serving import run


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check Python, packages, settings, data folder, key and database. Exit code 1 when something is wrong."""

    found = guarded(as_json, lambda: run(_examine(read_settings())))
    language = locale()
    value: list[Json] = [
        {"check": item.check, "verdict": item.verdict.value, "message": item.text.localized(language)} for item in found
    ]
    show(
        as_json,
        {"findings": value},
        [f"{item.verdict.value:<5}  {item.check}: {item.text.localized(language)}" for item in found],
    )
    if any(item.verdict is Verdict.WRONG for item in found):
        sys.exit(Exit.UNREACHABLE if any(item.unreachable for item in found) else Exit.FAULTS)


async def _examine(settings: Settings) -> list[Finding]:
    return [finding for check in CHECKS for finding in await check(settings)]
