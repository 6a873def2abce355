"""Compiled SQL on every engine = the stock executor = a naive evaluator of SEMANTICS that reads all rows.

Each round makes a company: documents with every field type, roles, rows. Members with several sets of roles ask
generated operations of it; all answers must be one, and what they show must be what the naive reader finds.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import orjson

from access.actor import Actor
from base.errors import BadInput
from records.binds import clock_of
from schema.request import Reply
from tests.campaigns.budget import Budget, read_budget
from tests.campaigns.catalogs import Documents
from tests.campaigns.interference import check_interference
from tests.campaigns.meaning import Reader
from tests.campaigns.names import check_names
from tests.campaigns.questions import Questioner
from tests.campaigns.rendering import Renderer, Request
from tests.campaigns.walks import check_walk
from tests.campaigns.worlds import Seat, World, seats, world
from tests.records.naive_data import Data
from tests.records.naive_values import without_cursors

OPERATIONS = 15
"""Operations that each set of roles asks of one company."""

MEMBERS = 4
"""Members with the same roles that ask each operation: they share its plans."""

SIZE = 16
"""About so many rows has an entity."""


def reader(here: World, actor: Actor, data: Data) -> Reader:
    """The naive reader of an actor."""
    made = Reader(here.catalog, actor, data, clock_of(here.catalog.app), page_size=50)
    made.version = here.version
    return made


def canonical(value: Any) -> Any:
    """An answer in a form in which equality is equality as JSON, and `true` is not `1`."""
    if isinstance(value, dict):
        return {key: _rough(item) if key[0] == "f" else canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    return ("boolean", value) if isinstance(value, bool) else value


_OFF_BORDERS = 1.0471975511965976  # no short decimal times this lies where rounding to ten digits goes either way


def _rough(value: Any) -> Any:
    """A sum of doubles, whose last digits depend on the order of summing."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return canonical(value)
    return float(f"{value * _OFF_BORDERS:.9e}")


def keys_in_order(value: Any) -> Any:
    """The response keys of an answer in their order (those of generated selections begin with f, k or t)."""
    if isinstance(value, dict):
        return [(key, keys_in_order(item)) for key, item in value.items() if key[0] in "fkt"]
    return [keys_in_order(item) for item in value] if isinstance(value, list) else None


async def check_operation(budget: Budget, here: World, actor: Actor, data: Data, random: Random) -> None:
    """One generated operation, asked of everybody by two members with the same roles."""
    asker = Questioner(here.catalog, here.surface(actor), data, random)
    selection = asker.selection()
    renderer = Renderer(here.schema(actor), here.catalog, random, asker.variables)
    request = renderer.request(selection)
    # the stock executor writes its SQL anew for every list: one engine and half of the members are enough
    stock = frozenset({random.choice(here.seats).name})
    for place, index in enumerate(random.sample(range(5), MEMBERS)):
        if place == MEMBERS // 2 and asker.vary(renderer.written):
            request = replace(request, variables=renderer.variables())
            budget.note("documents asked again with other values")
        who = here.actor(actor.roles, index)
        replies = await here.answers(who, request, stock if place % 2 else frozenset())
        budget.checked += 1
        try:
            expected: Any = reader(here, who, data).answer(selection, asker.variables)
        except (BadInput, ValueError):
            expected = None
        compare(budget, here, who, request, replies, expected)


def compare(
    budget: Budget, here: World, actor: Actor, request: Request, replies: dict[str, Reply], expected: Any
) -> Any:
    """All replies are one and show what is expected; the common answer, or None where it is a refusal."""
    context = (here.namespace, f"roles {actor.roles}, member {actor.member_id}", request.text, request.variables)
    codes = {name: reply.code for name, reply in replies.items()}
    shallow = [name for name, code in codes.items() if code == "LIMIT_EXCEEDED" and name.startswith("sqlite")]
    if shallow and len(shallow) < len(codes):  # its parser takes less than PostgreSQL's
        budget.note("too deep for SQLite")
        codes = {name: code for name, code in codes.items() if name not in shallow}
        replies = {name: replies[name] for name in codes}
    if len(set(codes.values())) != 1 or "INTERNAL" in codes.values():
        bodies = {name: reply.body.decode()[:300] for name, reply in replies.items()}
        budget.fault("different codes", codes, budget.unexpected(), *context, bodies)
        return None
    if next(iter(codes.values())) is not None:
        budget.note(f"refused {next(iter(codes.values()))}")
        if expected is not None:
            budget.fault("refused what is right", next(iter(replies.values())).body.decode(), *context)
        return None
    answers = {name: orjson.loads(reply.body)["data"] for name, reply in replies.items()}
    first_name, first = next(iter(answers.items()))
    for name, answer in answers.items():
        if canonical(answer) != canonical(first):
            budget.fault(f"{name} differs from {first_name}", difference(first, answer), *context)
            return None
        if keys_in_order(answer) != keys_in_order(first):
            budget.fault(f"{name} orders keys otherwise than {first_name}", *context)
            return None
    if expected is None:
        budget.fault("answered what the naive reader refuses", *context)
        return None
    wanted = orjson.loads(orjson.dumps(expected))
    if canonical(without_cursors(first)) != canonical(without_cursors(wanted)):
        budget.fault(
            "not what the naive reader finds", difference(without_cursors(wanted), without_cursors(first)), *context
        )
    elif keys_in_order(first) != keys_in_order(wanted):
        budget.fault("response keys out of order", *context)
    return first


def difference(wanted: Any, found: Any, path: str = "") -> str:
    """The first place where two answers differ."""
    if isinstance(wanted, dict) and isinstance(found, dict) and wanted.keys() == found.keys():
        places = [(key, wanted[key], found[key]) for key in wanted]
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        places = [(str(index), *pair) for index, pair in enumerate(zip(wanted, found, strict=True))]
    else:
        return f"at {path or '/'}: {str(wanted)[:800]} against {str(found)[:800]}"
    for key, one, other in places:
        if canonical(one) != canonical(other):
            return difference(one, other, f"{path}/{key}")
    return "nowhere"


async def round_of(budget: Budget, found: list[Seat], documents: Documents, random: Random, operations: int) -> None:
    """One company, asked by all its sets of roles."""
    async with world(found, documents, random, SIZE) as here:
        data = here.company.data()
        for index, roles in enumerate(here.role_sets):
            actor = here.actor(roles, index)
            if not here.surface(actor).entities:
                continue
            await check_names(budget, here, actor, random)
            for count in range(operations):
                if not budget.left:
                    return
                if count % 6 == 5:
                    await check_walk(budget, here, actor, data, random, compare, reader)
                else:
                    await check_operation(budget, here, actor, data, random)
        if budget.left:
            await check_interference(budget, here, random)


async def campaign(budget: Budget, folder: Path, operations: int = OPERATIONS) -> None:
    """Rounds until the time is over."""
    random = Random(budget.seed)
    documents = Documents(random)
    with budget.listening("schema.reply"):
        async with seats(budget.engines, folder) as found:
            await _rounds(budget, found, random, documents, operations)


async def _rounds(budget: Budget, found: list[Seat], random: Random, documents: Documents, operations: int) -> None:
    budget.start()
    rounds = 0
    while budget.left:
        rounds += 1
        await round_of(budget, found, documents, Random(random.getrandbits(64)), operations)
        budget.note("companies")
        if rounds % 5 == 0:
            print(f"{budget.checked} operations, {budget.faults} faults so far", flush=True)


def main() -> int:
    """The campaign as a command."""
    budget = read_budget()
    with tempfile.TemporaryDirectory(prefix="campaign") as folder:
        asyncio.run(campaign(budget, Path(folder)))
    return budget.finish()


if __name__ == "__main__":
    sys.exit(main())
