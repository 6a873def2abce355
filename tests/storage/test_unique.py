"""Which unique index was it? Also when several have the same columns, and when the rest of the Batch would fail too."""

from __future__ import annotations

import sqlalchemy as sa

from base.ids import new_id
from storage import ddl
from storage.batch import Applied, Execute, Insert, NotUnique, Sql
from storage.engine import Engine
from storage.types import INTEGER, TEXT, UUID
from tests.storage.shop import batch


def ticket(**values: object) -> Insert:
    """A row of `ticket`."""
    row = {"id": new_id(1), **values}
    kinds = tuple({"id": "uuid", "state": "integer"}.get(name, "text") for name in row)
    return Insert("ticket", tuple(row), kinds, (tuple(row.values()),))


async def create(engine: Engine) -> None:
    """`ticket` with two partial indexes over one column, and others that share columns."""
    dialect = engine.dialect
    columns = [("id", UUID, True), ("state", INTEGER, False), ("a", TEXT, False), ("b", TEXT, False)]
    state = sa.column("state", sa.Integer())
    texts = [
        *ddl.create_table("ticket", columns, ["id"], dialect),
        *ddl.create_index("u_open", "ticket", ["a"], dialect, unique=True, where=state == 1),
        *ddl.create_index("u_closed", "ticket", ["a"], dialect, unique=True, where=state == 2),
        *ddl.create_index("u_third", "ticket", ["a"], dialect, unique=True, where=state == 3),
        *ddl.create_index("u_pair", "ticket", ["a", "b"], dialect, unique=True, where=state == 4),
        *ddl.create_index("u_pair_fold", "ticket", ["a", ("fold", "b")], dialect, unique=True, where=state == 5),
    ]
    assert await engine.migrate("shop", texts, batch()) == Applied()


async def test_the_index_is_found_among_those_of_the_same_columns(engine: Engine) -> None:
    await create(engine)
    for state, index in ((1, "u_open"), (2, "u_closed"), (3, "u_third"), (4, "u_pair"), (5, "u_pair_fold")):
        assert await engine.apply("shop", batch(ticket(state=state, a="x", b="y"))) == Applied()
        twice = batch(ticket(state=0, a="new"), ticket(state=state, a="x", b="y"))
        assert await engine.apply("shop", twice) == NotUnique(index)
    # nothing of the search is left behind
    found = await engine.fetch("shop", Sql("SELECT count(*) FROM __ns__.ticket"))
    assert found[0][0] == 5
    assert await engine.apply("shop", batch(ticket(state=1, a="x"))) == NotUnique("u_open")


async def test_an_update_and_a_free_statement_find_it_too(engine: Engine) -> None:
    await create(engine)
    await engine.apply("shop", batch(ticket(state=2, a="x"), ticket(state=1, a="x")))
    move = Execute(Sql("UPDATE __ns__.ticket SET state = 2 WHERE state = 1"), ())
    assert await engine.apply("shop", batch(move)) == NotUnique("u_closed")
    impossible = Execute(Sql("UPDATE __ns__.ticket SET state = 9 WHERE state = 8"), (), 1, "never")
    assert await engine.apply("shop", batch(move, impossible)) == NotUnique("u_closed")


async def test_a_value_with_a_null_is_not_compared(engine: Engine) -> None:
    await create(engine)
    for _ in range(2):
        assert await engine.apply("shop", batch(ticket(state=4, a="x"))) == Applied()


async def test_a_migration_that_finds_duplicates_names_its_index(engine: Engine) -> None:
    await create(engine)
    await engine.apply("shop", batch(ticket(state=0, b="x"), ticket(state=0, b="x")))
    index = ddl.create_index("u_b", "ticket", ["b"], engine.dialect, unique=True)
    assert await engine.migrate("shop", index, batch()) == NotUnique("u_b")
