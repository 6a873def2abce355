"""Waiting for a publication that is being prepared: a bar on terminals, a line for each step elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from base.errors import Conflict, Text
from metadata.publishing.publication import Publication
from metadata.publishing.publish import Published
from pliant.house import House
from pliant.terminal import locale
from resolvers.publishing import waited

_LOOK_SECONDS: Final = 0.2

_LEFT = Text(
    "the publication goes on by itself while a server runs; see pliant publications",
    "发布将在服务器运行时继续进行，可用 pliant publications 查看",
)
_CANCELLED = Text("somebody has cancelled the publication: nothing has changed", "该发布已被取消，未作任何更改")


async def followed(house: House, company_id: str, published: Published, quiet: bool) -> Published:
    """A publish once it is served; one that needs no preparation at once. Ctrl-C leaves it running and says so.

    Raises `DocumentsInvalid` when rows stood against it, `Conflict` when somebody has cancelled it.
    """
    namespace = (await house.company(company_id)).namespace
    with _progress(quiet or published.publication is None) as tell:
        try:
            while published.publication is not None and published.publication.open:
                tell(published.publication)
                published = await waited(house.runtime, namespace, published, _LOOK_SECONDS)
        except asyncio.CancelledError:
            click.echo(_LEFT.localized(locale()), err=True)
            raise
    if published.publication is not None and published.publication.version is None:
        raise Conflict(_CANCELLED, {"publication": published.publication.id})
    return published


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[Publication], None]]:
    console = Console(stderr=True)
    drawn = console.is_terminal and not quiet
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, disable=not drawn)
    task = bar.add_task("", total=None)
    steps: list[str] = []

    def tell(item: Publication) -> None:
        """Show how far a publication is."""
        progress = item.progress
        bar.update(task, description=progress.step, completed=progress.rows_done, total=progress.rows_total or None)
        if not (drawn or quiet) and progress.step and progress.step not in steps[-1:]:
            steps.append(progress.step)
            click.echo(f"{progress.step} ({progress.rows_done:,}/{progress.rows_total:,})", err=True)

    with bar:
        yield tell
