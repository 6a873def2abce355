"""`pliant import`: rows of a CSV file become records of an entity."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from base.errors import Text
from pliant.house import House
from pliant.terminal import Exit, chosen_company, company_option, in_house, json_option, locale, show
from sources import (
    CRM,
    DEFAULT_BATCH,
    ENCODINGS,
    NO_MAPPING,
    Mapping,
    Options,
    Progress,
    Seat,
    Step,
    Summary,
    default_state_path,
    import_file,
    read_mapping,
    survey,
    template_mapping,
)

_DELIMITERS = {"tab": "\t", "\\t": "\t"}


@click.command("import")
@click.argument("entity")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--mapping", "mapping_file", metavar="FILE", help="Mapping file, or crm:NAME for one of the template's.")
@click.option(
    "--by", multiple=True, metavar="FIELD", help="Update the record with this value; repeat for keys of several."
)
@click.option("--dry-run", is_flag=True, help="Read, look up and validate everything, write nothing.")
@click.option(
    "--batch", type=click.IntRange(1), default=DEFAULT_BATCH, show_default=True, help="Rows of a transaction."
)
@click.option("--faults", type=click.Path(path_type=Path, dir_okay=False), help="CSV file for rows that are refused.")
@click.option("--state", type=click.Path(path_type=Path, dir_okay=False), help="File that remembers how far it is.")
@click.option("--resume", is_flag=True, help="Fail unless there is an unfinished import of this file to continue.")
@click.option("--restart", is_flag=True, help="Forget an unfinished import of this file and begin anew.")
@click.option("--encoding", help=f"Encoding of the file: {', '.join(ENCODINGS)} ...  [default: UTF-8]")
@click.option("--delimiter", help="What stands between cells; `tab` for a tabulator.  [default: found by the header]")
@click.option(
    "--as", "member", metavar="MEMBER", help="Member (id or e-mail address) whose rights hold.  [default: owner]"
)
@company_option
@json_option
def import_(
    entity: str,
    file: Path,
    mapping_file: str | None,
    by: Sequence[str],
    dry_run: bool,
    batch: int,
    faults: Path | None,
    state: Path | None,
    resume: bool,
    restart: bool,
    encoding: str | None,
    delimiter: str | None,
    member: str | None,
    company_id: str | None,
    as_json: bool,
) -> None:
    """Import the rows of the CSV file FILE as records of ENTITY.

    Good rows are kept, refused ones are told of (--faults). A killed import goes on where it stopped when the same
    command is given again. Exit code 1 when rows were refused. docs/import.md has the form of mapping files.
    """

    async def work(house: House) -> bool:
        mapping = _mapping(mapping_file, house).keyed(tuple(by))
        found = survey(
            file, encoding or mapping.encoding, _DELIMITERS.get(delimiter or "", delimiter or mapping.delimiter)
        )
        seat = await _seat(house, company_id, member)
        place = state or default_state_path(house.settings.data_dir, seat.company.id, entity, file)
        options = Options(batch, dry_run, faults, place, resume, restart, locale())
        with _progress(not as_json) as progress:
            summary = await import_file(seat, entity, found, mapping, options, progress)
        language = locale()
        show(as_json, summary.as_json(language), _lines(summary, faults, language))
        return bool(summary.counts.failed)

    if in_house(as_json, work):
        sys.exit(Exit.FAULTS)


def _mapping(name: str | None, house: House) -> Mapping:
    if name is None:
        return NO_MAPPING
    template, colon, mapping = name.partition(":")
    path = template_mapping(template, mapping) if colon and template == CRM else Path(name)
    return read_mapping(path, house.settings.limits)


async def _seat(house: House, company_id: str | None, member: str | None) -> Seat:
    company = await chosen_company(house, company_id)
    member_id = (await house.owner(company)).member_id if member is None else await house.member_id(company, member)
    return await house.seat(company, member_id)


@contextmanager
def _progress(shown: bool) -> Iterator[Progress]:
    """A bar on standard error where that is a terminal."""
    console = Console(stderr=True)
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not (shown and console.is_terminal),
    )
    tasks = {}

    def report(step: Step) -> None:
        if step.name not in tasks:
            tasks[step.name] = bar.add_task(step.name, total=step.total)
        bar.update(tasks[step.name], completed=step.done)

    with bar:
        yield report


def _lines(summary: Summary, faults: Path | None, language: str) -> Iterable[str]:
    counts = summary.counts.as_json()
    yield "  ".join(f"{name}: {count:,}" for name, count in counts.items()) + f"  seconds: {summary.seconds:.1f}"
    if summary.dry_run:
        yield Text("dry run: nothing was written", "试运行：未写入任何数据").localized(language)
    if summary.resumed:
        en, zh = f"continued behind row {summary.resumed}", f"从第 {summary.resumed} 行之后继续"
        yield Text(en, zh).localized(language)
    for fault in summary.first:
        _, codes, messages = fault.texts(language)
        yield Text(f"row {fault.row}: {codes}: {messages}", f"第 {fault.row} 行：{codes}：{messages}").localized(
            language
        )
    rest = summary.counts.failed - len(summary.first)
    if rest > 0:
        yield Text(f"... and {rest:,} more rows", f"……另有 {rest:,} 行").localized(language)
    if summary.counts.failed:
        where = (
            Text(f"refused rows are in {faults}: mend and import them", f"被拒绝的行已写入 {faults}：修正后可再次导入")
            if faults
            else Text("name a file with --faults to have refused rows in it", "用 --faults 指定文件可保存被拒绝的行")
        )
        yield where.localized(language)
