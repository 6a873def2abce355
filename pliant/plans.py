"""What commands that publish have in common: a plan that is told, a question before something goes, a result."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import click

from base.errors import Text
from base.json import Json
from metadata.merging import same
from metadata.publishing.diff import ChangeKind
from metadata.publishing.publish import Published
from metadata.store import Head
from pliant import blast
from pliant.changes import change_json, change_line
from pliant.house import House
from pliant.terminal import asks, locale
from resolvers.preview import Preview
from resolvers.publishing import Proposal
from schema.preview import preview_of

NOTHING = Text("nothing changes", "没有变化")

_GOING = frozenset({ChangeKind.REMOVED, ChangeKind.RETYPED})

yes_option = click.option("--yes", is_flag=True, help="Do not ask, even where something is removed.")
"""The option of every command that would ask."""


async def planned(house: House, company: str, head: Head, proposal: Proposal) -> Preview:
    """What publishing would do, for an owner of the company."""
    return await preview_of(house.runtime, await house.owner(company), head, proposal)


def changes_something(head: Head, proposal: Proposal) -> bool:
    """Whether publishing would make a new version: a document is another one, even where nothing comes of it."""
    now = head.catalog.documents
    return bool(proposal.removals) or any(
        key not in now or not same(document, now[key]) for key, document in proposal.documents.items()
    )


def plan_json(found: Preview, language: str) -> Mapping[str, Json]:
    """A plan for programs."""
    return blast.as_json(found, language)


def plan_lines(found: Preview, language: str) -> Sequence[str]:
    """A plan for people, a line each, in colour on a terminal."""
    return blast.lines(found, language, colour=sys.stdout.isatty())


async def agreed(house: House, company: str, head: Head, proposal: Proposal, yes: bool) -> int | None:
    """Ask whoever is at the terminal when something would be removed or lose its values; ends the program on a no.

    Gives the version that he has seen, which is then the one to publish over; None when nobody was asked.
    """
    if yes or not asks():
        return None
    found = await planned(house, company, head, proposal)
    if found.faults or not any(change.kind in _GOING for change in found.changes):
        return None
    language = locale()
    for line in plan_lines(found, language):
        click.echo(line, err=True)
    question = Text("Something is removed. Publish this?", "将有内容被删除，确认发布？")
    with _interruptible():
        click.confirm(question.localized(language), abort=True, err=True)
    return head.version


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends a question at once: within a loop that runs, Python would only note it for later."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def published_json(published: Published) -> Mapping[str, Json]:
    """What was published, for programs."""
    return {"version": published.version, "changes": [change_json(change) for change in published.changes]}


def published_lines(published: Published, language: str) -> Sequence[str]:
    """What was published, for people."""
    lines = [*map(change_line, published.changes)] or [NOTHING.localized(language)]
    return [*lines, f"version: {published.version}"]
