"""Any sequence of Batches, however grouped, leaves the state that a dictionary would have, on every engine."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base.ids import new_id
from storage.batch import (
    Applied,
    Batch,
    CatalogMoved,
    Execute,
    Expect,
    Guard,
    GuardFailed,
    IdempotencyRow,
    Insert,
    NotUnique,
    Outcome,
    Replayed,
    Sql,
    Update,
)
from storage.engine import Engine
from storage.sqlite import fused
from tests.engines import ENGINES, opened, place_of
from tests.examples import examples
from tests.storage.shop import MIGRATIONS, batch, change, customer, exists, log, renamed

IDS = [new_id(1) for _ in range(4)]


@dataclass(frozen=True)
class Write:
    """One Batch in short: rows to create, one to rename, a guard, a key, and which form it takes."""

    creates: tuple[tuple[int, str], ...]
    rename: tuple[int, int, str] | None
    guard: tuple[int, bool] | None
    key: str | None
    version: int
    alone: bool


WRITES = st.builds(
    Write,
    creates=st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc")), max_size=2).map(tuple),
    rename=st.none() | st.tuples(st.integers(0, 3), st.integers(1, 2), st.sampled_from("abc")),
    guard=st.none() | st.tuples(st.integers(0, 3), st.booleans()),
    key=st.none() | st.sampled_from("kl"),
    version=st.sampled_from([0, 0, 0, 0, 1]),
    alone=st.booleans(),
)


@dataclass
class Model:
    """What the state should be: rows by id, keys, and the versions written to the log."""

    rows: dict[str, tuple[int, str]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    events: list[tuple[str, int]] = field(default_factory=list)

    def apply(self, write: Write) -> str:
        """Apply a write; the name of its outcome. A violated index and a failed guard are told apart, not which."""
        if write.key in self.keys:
            return "Replayed"
        if write.version != 0:
            return "CatalogMoved"
        if write.guard is not None and (IDS[write.guard[0]] in self.rows) is not write.guard[1]:
            return "GuardFailed"
        rows, events = dict(self.rows), list(self.events)
        # The row to be renamed must be there before anything is written, and is: a Batch renames what it read.
        for number, name in write.creates:
            if IDS[number] in rows or any(name == other for _, other in rows.values()):
                return "NotUnique"
            rows[IDS[number]] = (1, name)
            events.append((IDS[number], 1))
        if write.rename is not None:
            number, version, name = write.rename
            if rows.get(IDS[number], (0, ""))[0] != version:
                return "GuardFailed"
            if any(name == other for key, (_, other) in rows.items() if key != IDS[number]):
                return "NotUnique"
            rows[IDS[number]] = (version + 1, name)
            events.append((IDS[number], version + 1))
        self.rows, self.events = rows, events
        self.keys |= {write.key} if write.key else set()
        return "Applied"


def made(engine: Engine, write: Write) -> Batch:
    """The Batch of a write."""
    statements: list[Insert | Update | Execute] = []
    changes = []
    for number, name in write.creates:
        statements.append(customer(engine, id=IDS[number], name=name)[1])
        changes.append(change(IDS[number], 1))
    if write.rename is not None:
        number, version, name = write.rename
        statements.append(renamed(IDS[number], version, name))
        changes.append(change(IDS[number], version + 1))
    if write.alone:
        statements.append(Execute(Sql("UPDATE __ns__.customer SET name = 'x' WHERE 1 = 0"), ()))
    guards: tuple[Guard, ...] = ()
    if write.guard is not None:
        expect = Expect.ROW if write.guard[1] else Expect.NO_ROW
        guards = (exists(engine, IDS[write.guard[0]], "guard", expect),)
    key = None if write.key is None else IdempotencyRow(write.key, "h", {}, "2100-01-01T00:00:00+00:00")
    return batch(*statements, guards=guards, changes=tuple(changes), idempotency=key, catalog_version=write.version)


async def state(engine: Engine, namespace: str = "shop") -> tuple[dict[str, tuple[int, str]], list[tuple[str, int]]]:
    """Rows and events as the model keeps them."""
    rows = await engine.fetch(namespace, Sql("SELECT id, version, name FROM __ns__.customer"))
    return {str(row[0]): (row[1], row[2]) for row in rows}, [row[2:4] for row in await log(engine, namespace)]


EXAMPLES = {"sqlite": 30, "postgresql": 20}


@pytest.fixture(params=[False, True], ids=["", "alike"])
def alike(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite makes a view for what it meets for the first time too, and none is pardoned."""
    if request.param:
        ready = fused.Views.ready

        def at_once(self: fused.Views, shape: fused.Shape) -> bool:
            self._met[shape] = 1_000
            return ready(self, shape)

        monkeypatch.setattr(fused.Views, "ready", at_once)
        monkeypatch.setattr(fused, "_PARDON", 0)


@pytest.mark.usefixtures("alike")
@pytest.mark.parametrize("kind", ENGINES)
def test_one_after_the_other_is_as_the_model(kind: str, tmp_path: Path) -> None:
    """One engine, and a company for each example."""
    numbers = count()
    with asyncio.Runner() as runner, ExitStack() as stack:
        opening = opened(place_of(kind, tmp_path), MIGRATIONS)
        engine = runner.run(opening.__aenter__())
        stack.callback(lambda: runner.run(opening.__aexit__(None, None, None)))

        @settings(max_examples=examples(EXAMPLES[kind]), deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(WRITES, max_size=14))
        def check(writes: list[Write]) -> None:
            runner.run(compare(engine, f"shop{next(numbers)}", writes))

        check()


async def compare(engine: Engine, namespace: str, writes: list[Write]) -> None:
    """Play writes in a new company and in the model."""
    await engine.create(namespace)
    model = Model()
    for write in writes:
        outcome = await engine.apply(namespace, made(engine, write))
        assert type(outcome).__name__ == model.apply(write), write
    assert await state(engine, namespace) == (model.rows, model.events)
    await engine.drop(namespace)


@pytest.mark.usefixtures("alike")
@pytest.mark.parametrize("seed", range(3))
async def test_all_at_once_is_as_some_order_of_the_model(engine: Engine, seed: int) -> None:
    """In whatever order they were grouped: the log is an order in which the model comes to the same state."""
    writes = [
        Write(
            ((number % 4, "abc"[number % 3]),) if number % 2 else (),
            (number % 4, 1 + number % 2, f"n{number}"),
            None,
            None,
            0,
            bool(number % 5 == seed),
        )
        for number in range(40)
    ]
    batches = [made(engine, write) for write in writes]
    outcomes: list[Outcome] = list(await asyncio.gather(*(engine.apply("shop", one) for one in batches)))
    applied = {
        one.transaction_id: write
        for one, write, outcome in zip(batches, writes, outcomes, strict=True)
        if outcome == Applied()
    }
    assert all(isinstance(outcome, Applied | GuardFailed | NotUnique | Replayed | CatalogMoved) for outcome in outcomes)
    model = Model()
    for transaction in dict.fromkeys(event[1] for event in await log(engine, "shop")):
        assert model.apply(applied.pop(transaction)) == "Applied"
    assert applied == {}
    assert (await state(engine)) == (model.rows, model.events)
