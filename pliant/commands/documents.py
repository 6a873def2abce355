"""`pliant adopt`, `plan`, `apply` and `export`: a company's documents as files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from base.errors import DocumentsInvalid, PliantError, Text
from base.json import Json, JsonInvalid, parse, pretty
from metadata.adopting.adopt import adopt as adopt_schema
from metadata.folder import Folder, read_folder, write_folder
from metadata.layers import parse_application, shipped_by
from metadata.publishing.publish import Published
from pliant.adopted import adopted_lines, entity_name, output_file
from pliant.changes import placed, pruned
from pliant.following import followed
from pliant.house import House
from pliant.plans import (
    agreed,
    changes_something,
    plan_json,
    plan_lines,
    planned,
    published_json,
    published_lines,
    yes_option,
)
from pliant.settings import read_settings
from pliant.terminal import (
    Exit,
    chosen_company,
    company_option,
    guarded,
    in_house,
    json_option,
    locale,
    show,
)
from resolvers.publishing import Proposal

folder_argument = click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
prune_option = click.option("--prune", is_flag=True, help="Also remove documents that the folder does not hold.")
loss_option = click.option(
    "--allow-loss", multiple=True, metavar="NAME", help="Let the values of entity or entity.field go; may be repeated."
)


class FileUnusable(PliantError):
    """A file that cannot be read or written, or is not what the command needs."""

    code = "BAD_USER_INPUT"


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option("--name", help="Name of the entity; made from --output or the schema's title when absent.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="File or folder to write; standard output when absent."
)
@click.option("--force", is_flag=True, help="Write over a document that says something else by now.")
@json_option
def adopt(file: Path, name: str | None, output: Path | None, force: bool, as_json: bool) -> None:
    """Make an entity document of any JSON Schema in FILE, and show what each property became. Needs no database.

    With --output entities/NAME.json in a folder of documents the entity is called NAME, and `pliant apply`
    publishes it.
    """

    def work() -> None:
        adopted = adopt_schema(_parsed(file), name or entity_name(output), read_settings().limits)
        language = locale()
        if output is not None:
            _write(output_file(output, adopted), pretty(adopted.document), force)
        elif not as_json:
            click.echo(pretty(adopted.document), nl=False)
        if as_json:
            notes = [
                {"path": list(note.path), "what": note.what, "message": note.text.localized(language)}
                for note in adopted.notes
            ]
            show(True, {"document": adopted.document, "notes": notes}, ())
            return
        for line in adopted_lines(adopted, language):
            click.echo(line, err=True)

    guarded(as_json, work)


@click.command()
@folder_argument
@prune_option
@loss_option
@click.option("--detailed-exit-code", "detailed", is_flag=True, help="End with 0 when nothing changes, 2 when it does.")
@company_option
@json_option
def plan(
    folder: Path, prune: bool, allow_loss: Sequence[str], detailed: bool, company_id: str | None, as_json: bool
) -> None:
    """Show what `apply FOLDER` would change, and what stands against it. Exit code 1 when it could not be applied."""

    async def work(house: House) -> Exit:
        wanted = read_folder(folder, house.settings.limits)
        company = await chosen_company(house, company_id)
        head = await house.head(company)
        proposal = Proposal(
            wanted.documents, pruned(head.catalog.documents, wanted.documents, prune), tuple(allow_loss)
        )
        found = await planned(house, company, head, proposal)
        found = replace(found, faults=wanted.placed(found.faults))
        show(as_json, plan_json(found, locale()), plan_lines(found, locale()))
        if found.faults:
            return Exit.FAULTS
        return Exit.CHANGES if detailed and changes_something(head, proposal) else Exit.OK

    code = in_house(as_json, work)
    if code:
        sys.exit(code)


@click.command()
@folder_argument
@prune_option
@loss_option
@click.option("--expect", "expected", type=int, help="Fail unless the company is at this version (see plan).")
@click.option("--application", metavar="NAME@VERSION", help="Mark the documents as shipped by this application.")
@yes_option
@company_option
@json_option
def apply(
    folder: Path,
    prune: bool,
    allow_loss: Sequence[str],
    expected: int | None,
    application: str | None,
    yes: bool,
    company_id: str | None,
    as_json: bool,
) -> None:
    """Publish the documents of FOLDER: tables, types and rules of the company change at once, without a restart.

    On a terminal it shows what would go and asks, unless --yes is given.
    """

    async def work(house: House) -> None:
        wanted = read_folder(folder, house.settings.limits)
        shipped = None if application is None else shipped_by(parse_application(application), wanted.documents)
        company = await chosen_company(house, company_id)
        head = await house.head(company)
        removals = pruned(head.catalog.documents, wanted.documents, prune)
        proposal = Proposal(wanted.documents, removals, tuple(allow_loss))
        seen = await agreed(house, company, head, proposal, yes or as_json)
        published = await _publish(house, company, wanted, removals, seen if expected is None else expected, allow_loss)
        published = await followed(house, company, published, as_json)
        await house.record_layers(company, wanted.layers if shipped is None else shipped)
        show(as_json, published_json(published), published_lines(published, locale()))

    in_house(as_json, work)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@company_option
@json_option
def export(folder: Path, company_id: str | None, as_json: bool) -> None:
    """Write the company's documents into FOLDER; files of documents that are gone are removed."""

    async def work(house: House) -> None:
        company = await chosen_company(house, company_id)
        head = await house.head(company)
        documents, layers = await house.authored(company, head.version), await house.layers(company)
        try:
            written = write_folder(folder, documents, layers)
        except OSError as error:
            raise _unusable(folder, error) from error
        names = [path.relative_to(folder).as_posix() for path in written]
        show(as_json, {"version": head.version, "files": names}, [*names, f"version: {head.version}"])

    in_house(as_json, work)


async def _publish(
    house: House,
    company_id: str,
    wanted: Folder,
    removals: Sequence[tuple[str, str]],
    expected: int | None,
    allow_loss: Sequence[str],
) -> Published:
    try:
        return await house.publish(
            company_id,
            list(wanted.documents.values()),
            removals,
            expected_version=expected,
            allow_loss=allow_loss,
            wait_seconds=0,
        )
    except DocumentsInvalid as error:
        raise placed(wanted, error) from error


def _parsed(file: Path) -> Json:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return parse(data)
    except OSError as error:
        raise _unusable(file, error) from error
    except JsonInvalid as error:
        raise FileUnusable(Text(f"{file}: not JSON: {error}", f"{file}：不是合法的 JSON：{error}")) from error


def _write(output: Path, text: str, force: bool) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        if not force and output.exists() and output.read_bytes() != text.encode():
            raise FileUnusable(
                Text(
                    f"{output}: is there and says something else; name another, or write over it with --force",
                    f"{output}：文件已存在且内容不同；请另行命名，或用 --force 覆盖",
                )
            )
        output.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise _unusable(output, error) from error


def _unusable(path: Path, error: OSError) -> FileUnusable:
    return FileUnusable(Text(f"{path}: {error.strerror}", f"{path}：{error.strerror}"))
