"""`pliant publications` and `pliant trash`: what is being published, and what is kept of what was removed."""

from __future__ import annotations

import click

from base.clock import timestamp
from base.errors import Text
from base.json import Json
from metadata.publishing.publication import list_publications
from metadata.trash import load_trash
from pliant.house import House
from pliant.terminal import chosen_company, company_option, fault_line, in_house, json_option, locale, show

_NONE = Text("nothing", "无")


@click.command()
@click.option("--first", type=click.IntRange(1, 1_000), default=20, show_default=True, help="So many, newest first.")
@company_option
@json_option
def publications(first: int, company_id: str | None, as_json: bool) -> None:
    """List publishes that had to be prepared, newest first: state, step, rows done, and what they failed by."""

    async def work(house: House) -> None:
        company = await house.company(await chosen_company(house, company_id))
        found = await list_publications(house.engine, company.namespace, first)
        value: list[Json] = [
            {
                "id": item.id,
                "state": str(item.state),
                "baseVersion": item.base_version,
                "version": item.version,
                "step": item.progress.step,
                "rowsDone": item.progress.rows_done,
                "rowsTotal": item.progress.rows_total,
                "at": timestamp(item.updated_at),
            }
            for item in found
        ]
        lines = []
        for item in found:
            rows = f"{item.progress.rows_done:,}/{item.progress.rows_total:,} rows"
            became = f" -> {item.version}" if item.version is not None else ""
            lines.append(f"{item.id}  {item.state:<10}  {item.base_version}{became}  {item.progress.step}  {rows}")
            lines += [f"  ! {fault_line(fault, locale())}" for fault in item.faults]
        show(as_json, value, lines or [_NONE.localized(locale())])

    in_house(as_json, work)


@click.command()
@company_option
@json_option
def trash(company_id: str | None, as_json: bool) -> None:
    """List removed entities and fields whose values are still there; apply or rollback brings them back."""

    async def work(house: House) -> None:
        company = await house.company(await chosen_company(house, company_id))
        found = (await load_trash(house.engine, company.namespace)).items
        value: list[Json] = [
            {
                "id": item.id,
                "kind": str(item.kind),
                "path": item.path,
                "removedVersion": item.removed_version,
                "removedAt": timestamp(item.removed_at),
                "dropAfter": timestamp(item.drop_after),
            }
            for item in found
        ]
        lines = [
            f"{item.kind:<6}  {item.path}  version {item.removed_version}  until {timestamp(item.drop_after)[:10]}"
            for item in found
        ]
        show(as_json, value, lines or [_NONE.localized(locale())])

    in_house(as_json, work)
