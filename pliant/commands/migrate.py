"""`pliant migrate`: the fixed tables of every company brought up to this release, to the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from access.sweep import Report, Swept
from base.errors import Text
from base.json import Json
from pliant.house import House
from pliant.terminal import Exit, in_house, json_option, locale, show


@click.command()
@json_option
def migrate(as_json: bool) -> None:
    """Bring the tables of every company up to this release, and tell what failed.

    A server does the same in the background; this is for deploy scripts that want it done before. Each company is one
    transaction, so it may be stopped and run again, also while servers of this release and the one before are up.
    Exit code 1 when a company could not be migrated.
    """

    async def work(house: House) -> Swept:
        with _progress(not as_json) as report:
            return await house.sweep.run(report)

    swept = in_house(as_json, work)
    failed: list[Json] = [
        {"namespace": item.namespace, "migration": item.migration, "error": item.error} for item in swept.failed
    ]
    counts = {"companies": swept.companies, "behind": swept.behind, "migrated": swept.migrated}
    words = Text("failed", "失败").localized(locale())
    lines = ["  ".join(f"{name}: {count:,}" for name, count in counts.items()) + f"  failed: {len(failed):,}"]
    lines += [f"{words}: {item.namespace}: {item.migration}: {item.error}" for item in swept.failed]
    show(as_json, {**counts, "failed": failed}, lines)
    if swept.failed:
        sys.exit(Exit.FAULTS)


@contextmanager
def _progress(shown: bool) -> Iterator[Report]:
    """A bar on standard error where that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, disable=not (shown and console.is_terminal))
    task = bar.add_task(Text("companies", "公司").localized(locale()), total=None)
    with bar:
        yield lambda done, total: bar.update(task, completed=done, total=total)
