"""`pliant demo`: a company with an example application and generated records, served in the foreground."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.status import Status

from base.errors import NotFound
from base.json import Json, JsonInvalid, dump, parse
from pliant.commands.serve import (
    Address,
    LogKind,
    host_option,
    log_option,
    origins_option,
    port_option,
    serve_house,
)
from pliant.house import House
from pliant.secret import with_secret_key, write_private
from pliant.settings import Settings, read_settings
from pliant.terminal import guarded
from server.serving import run
from sources.demo import OPPORTUNITIES, generate
from sources.template import CRM, read_template, template_application, template_queries

STATE_FILE = "demo.json"
FOLDER = Path("demo-data")
SEED = 20261123
OWNER = "owner"
_ASKS = {"2-my-open-deals": "seller"}
"""Whose token stands in a query to try; the owner's in all others."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo keeps between runs: its company and its tokens, the owner's first. `filled`: with all its rows."""

    company: str
    tokens: dict[str, str]
    filled: bool


@click.command()
@host_option
@port_option
@log_option(LogKind.ERRORS)
@origins_option
@click.option(
    "--rows", type=click.IntRange(0), default=OPPORTUNITIES, show_default=True, help="Opportunities to generate."
)
def demo(host: str, port: int, log: str, origins: tuple[str, ...], rows: int) -> None:
    """A company with an example application and generated data, on embedded SQLite in PLIANT_DATA_DIR (demo-data).

    Prints its URL, a token for each role, and queries to try. Run again it continues with the same company.
    """
    guarded(False, partial(run, _demo(Address(host, port, LogKind(log), origins), rows)))


async def _demo(address: Address, rows: int) -> None:
    settings = _settings()
    house = await House.open(settings)
    try:
        known = await _known(house)
        if known is None:
            with _progress(f"making a company with {rows:,} opportunities"):
                known = await _make(house, rows)
    except BaseException:
        await house.close()
        raise
    await serve_house(house, address, lambda url: _tell(url, known))


def _settings() -> Settings:
    """The settings of the environment, on SQLite whatever database they name: a demo is no guest in production."""
    settings = read_settings()
    chosen = settings.data_dir if os.environ.get("PLIANT_DATA_DIR") else FOLDER
    return with_secret_key(replace(settings, data_dir=chosen, database=None))


async def _known(house: House) -> Demo | None:
    """The demo of an earlier run; what an interrupted run left half filled is removed."""
    try:
        kept = parse((house.settings.data_dir / STATE_FILE).read_bytes())
    except (FileNotFoundError, JsonInvalid):
        return None
    if not isinstance(kept, dict):
        return None
    found = Demo(kept["company"], kept["tokens"], kept["filled"])
    try:
        await house.company(found.company)
    except NotFound:
        return None
    if found.filled:
        return found
    await house.delete_company(found.company)
    return None


async def _make(house: House, rows: int) -> Demo:
    founded = await house.create_company(
        "Demo", "Demo Owner", "owner@demo.example", read_template(CRM), application=template_application(CRM)
    )
    company = founded.company
    begun = Demo(company.id, {OWNER: founded.token}, False)
    _keep(house, begun)
    seat = await house.seat(company.id, founded.owner_id)
    made = await generate(seat, SEED, rows)
    tokens = dict(begun.tokens)
    for role, member_id in made.members.items():
        tokens[role] = await house.create_token(company.id, member_id, "demo", [role])
    filled = Demo(company.id, tokens, True)
    _keep(house, filled)
    return filled


def _keep(house: House, known: Demo) -> None:
    value: dict[str, Json] = {"company": known.company, "tokens": known.tokens, "filled": known.filled}
    write_private(house.settings.data_dir / STATE_FILE, dump(value).decode() + "\n")


def _tell(url: str, known: Demo) -> None:
    owner = known.tokens[OWNER]
    lines = [f"url: {url}", f"token: {owner}"]
    lines += [f"{role} token: {text}" for role, text in known.tokens.items() if role != OWNER]
    lines += ["", "queries to try:"]
    for name, text in template_queries(CRM):
        body = dump({"query": _one_line(text)}).decode().replace("'", "\\u0027")
        token = known.tokens[_ASKS.get(name, OWNER)]
        lines += [f"# {_comment(text)}"]
        lines.append(
            f"curl -s {url}/graphql -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' -d '{body}'"
        )
    lines += ["", f"in a browser: {url}/explore", "stop with Ctrl-C; run again to continue with the same company", ""]
    sys.stdout.write("\n".join(lines))
    sys.stdout.flush()


def _comment(query: str) -> str:
    return query.partition("\n")[0].lstrip("# ")


def _one_line(query: str) -> str:
    """A query without its comments and line breaks."""
    return " ".join(word for line in query.splitlines() if not line.lstrip().startswith("#") for word in line.split())


def _progress(text: str) -> Status:
    """A spinner on terminals; nothing elsewhere."""
    return Console(stderr=True, quiet=not sys.stderr.isatty()).status(text)
