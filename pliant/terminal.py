"""What commands have in common: a house to work in, results for people or (`--json`) programs, faults, exit codes."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from enum import IntEnum
from functools import partial
from typing import TypeVar

import click

from base.errors import DocumentsInvalid, Fault, PliantError, Text
from base.json import Json, dump
from pliant.house import House
from pliant.secret import passing_keys
from pliant.settings import read_settings
from server.serving import AddressTaken, run
from storage.errors import Busy, Damaged, StorageError, StorageFull, Unreachable

T = TypeVar("T")

_ERRNO = re.compile(r"^\[Errno -?\d+\] ")


class Exit(IntEnum):
    """Exit codes of every command."""

    OK = 0
    FAULTS = 1  # the input has mistakes, or what it names does not exist
    USAGE = 2  # click's: the command line itself is wrong
    CHANGES = 2  # of `plan --detailed-exit-code`: something would change
    UNREACHABLE = 3  # the database does not answer, is full or damaged


json_option = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON value on standard output.")
"""The option that every command has."""

company_option = click.option(
    "--company", "company_id", envvar="PLIANT_COMPANY", help="Public id of the company; not needed while there is one."
)
"""Which company a command is about."""


def locale() -> str:
    """The language of messages: Chinese where the environment is (`LC_ALL`, `LC_MESSAGES`, `LANG`), else English."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable)
        if value:
            return "zh-Hans" if value.lower().startswith("zh") else "en"
    return "en"


def show(as_json: bool, value: Json, lines: Iterable[str]) -> None:
    """Print a result: the JSON value for programs, the lines for people."""
    if as_json:
        click.echo(dump(value).decode())
        return
    for line in lines:
        click.echo(line)


def in_house(as_json: bool, work: Callable[[House], Awaitable[T]]) -> T:
    """Open the house of the settings, work in it, close it. Every `PliantError` ends the program with its exit code."""
    return guarded(as_json, partial(run, _within(work)))


def guarded(as_json: bool, work: Callable[[], T]) -> T:
    """Work whose errors are told to whoever typed the command; ends the program after one."""
    try:
        return work()
    except PliantError as error:
        tell(as_json, error)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(130)


def exit_code(error: PliantError) -> Exit:
    """What the program ends with after an error."""
    return Exit.UNREACHABLE if isinstance(error, Unreachable | Damaged | StorageFull | Busy) else Exit.FAULTS


def tell(as_json: bool, error: PliantError) -> None:
    """Print an error: to standard error for people, as JSON to standard output for programs."""
    language = locale()
    faults = error.faults if isinstance(error, DocumentsInvalid) else ()
    text = with_cause(error)
    if as_json:
        told: dict[str, Json] = {"code": error.code, "message": text.localized(language)}
        if error.details:
            told["details"] = error.details
        if faults:
            told["faults"] = [fault_json(fault, language) for fault in faults]
        click.echo(dump({"error": told}).decode())
        return
    word = Text("error", "错误").localized(language)
    for fault in faults:
        click.echo(f"{word}: {fault_line(fault, language)}", err=True)
    if not faults:
        click.echo(f"{word}: {text.localized(language)}", err=True)


def with_cause(error: PliantError) -> Text:
    """What is wrong with what the operator set up, with what the system or the database said about it.

    Clients are never told the second half; whoever types commands here may know addresses, paths and names of users.
    """
    cause = error.__cause__
    if cause is None or not isinstance(error, StorageError | AddressTaken):
        return error.text
    said = _ERRNO.sub("", " ".join(str(cause).split()))[:300] or type(cause).__name__
    return Text(f"{error.text.en} ({said})", f"{error.text.zh}（{said}）")


def fault_json(fault: Fault, language: str) -> Mapping[str, Json]:
    """A fault for programs."""
    return {
        "path": list(fault.path),
        "code": fault.code,
        "message": fault.text.localized(language),
        "details": dict(fault.details),
    }


def fault_line(fault: Fault, language: str) -> str:
    """A fault for people; texts that already begin with file, line and column need no path."""
    text = fault.text.localized(language)
    return text if "file" in fault.details else f"{'/'.join(fault.path)}: {text}"


def asks() -> bool:
    """Whether there is somebody at a terminal who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


async def chosen_company(house: House, company_id: str | None) -> str:
    """The id of the company that a command is about. Raises `BadInput` or `NotFound` with what to do."""
    if company_id is not None:
        return (await house.company(company_id)).id
    found = await house.companies()
    if len(found) == 1:
        return found[0].id
    if not found:
        raise _choice(
            "There is no company here yet: pliant company create NAME, or name another folder or database "
            "(PLIANT_DATA_DIR, the demo's is demo-data; PLIANT_DATABASE_URL)",
            "此处尚无公司：pliant company create 名称，或指定其他目录或数据库"
            "（PLIANT_DATA_DIR，演示数据位于 demo-data；PLIANT_DATABASE_URL）",
        )
    raise _choice(
        f"There are {len(found)} companies: name one with --company (pliant company list)",
        f"共有 {len(found)} 家公司：请用 --company 指定（pliant company list）",
    )


class ChoiceNeeded(PliantError):
    """A command that can be about several things: name the one that is meant."""

    code = "BAD_USER_INPUT"


def _choice(en: str, zh: str) -> ChoiceNeeded:
    return ChoiceNeeded(Text(en, zh))


async def _within(work: Callable[[House], Awaitable[T]]) -> T:
    chosen = read_settings()
    house = await House.open(replace(chosen, secret_keys=chosen.secret_keys or passing_keys()))
    try:
        return await work(house)
    finally:
        await house.close()
