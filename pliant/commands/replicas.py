"""`pliant replicas`: the processes that serve, and which version of a company each of them served last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from access.replica import Replica, list_replicas
from base.clock import timestamp
from base.json import Json
from pliant.house import House
from pliant.terminal import company_option, in_house, json_option, show


@click.command()
@company_option
@json_option
def replicas(company_id: str | None, as_json: bool) -> None:
    """List the processes that serve this database, with the release of each.

    With a company (or while there is only one) also the version of it that each served last.
    """

    async def work(house: House) -> tuple[Replica, ...]:
        known = [await house.company(company_id)] if company_id is not None else await house.companies()
        return await list_replicas(house.engine, known[0].namespace if len(known) == 1 else None)

    found = in_house(as_json, work)
    listed: list[Json] = [_json(item) for item in found]
    show(as_json, listed, _lines(found))


def _json(item: Replica) -> Json:
    return {
        "id": item.id,
        "host": item.host,
        "process": item.process,
        "release": item.release,
        "startedAt": timestamp(item.started_at),
        "seenAt": timestamp(item.seen_at),
        "version": item.version,
        "servedAt": None if item.served_at is None else timestamp(item.served_at),
    }


def _lines(found: Sequence[Replica]) -> Iterator[str]:
    for item in found:
        version = "-" if item.version is None else str(item.version)
        where = f"{item.host}:{item.process}"
        yield f"{item.id}  {where}  release: {item.release}  version: {version}  seen: {timestamp(item.seen_at)}"
