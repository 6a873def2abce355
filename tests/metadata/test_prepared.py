"""Publications that are prepared: fills beside writers, refusals that leave nothing, and a death at every step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from base.clock import now, timestamp
from base.errors import Conflict, DocumentsInvalid
from base.ids import new_id
from base.limits import DEFAULTS
from metadata.catalog import Catalog
from metadata.faults import LOSS, ROWS
from metadata.field import FieldType
from metadata.fields.registry import FIELD_TYPES
from metadata.publishing.jobs import drop_trashed
from metadata.publishing.publication import Publication, State, find_publication, move
from metadata.store import catalog_row, load_head
from metadata.trash import load_trash
from storage.batch import Applied, Batch, Cause, ChangeRow, Execute, Sql
from storage.engine import Engine
from tests.metadata.conftest import Company
from tests.metadata.documents import Documents, entity

TEXT = {"size": {"type": "string"}}
NUMBER = {"size": {"type": "integer"}}


async def write(company: Company, catalog: Catalog, **values: Any) -> str:
    """A new thing, written with its event as the door does; its id."""
    key = new_id(catalog.entities["thing"].number)
    await company.put(catalog, "thing", id=key, **values)
    await noted(company, key, "CREATED")
    return key


async def noted(company: Company, key: str, op: str) -> None:
    """The event of a write."""
    row = ChangeRow(new_id(), "thing", key, op, 1, (), None, {})
    batch = Batch(timestamp(now()), new_id(), Cause(None, "test"), None, changes=(row,))
    assert await company.engine.apply(company.namespace, batch) == Applied()


async def changed(company: Company, key: str, column: str, value: str) -> None:
    """Change a cell as a writer of the version before does."""
    mark = "?" if company.engine.dialect == "sqlite" else "$1"
    key_mark = "?" if company.engine.dialect == "sqlite" else "$2::uuid"
    text = f"UPDATE __ns__.thing SET {column} = {mark} WHERE id = {key_mark}"
    batch = Batch(timestamp(now()), new_id(), Cause(None, "test"), None, statements=(Execute(Sql(text), (value, key)),))
    assert await company.engine.apply(company.namespace, batch) == Applied()
    await noted(company, key, "UPDATED")


async def sizes(company: Company, catalog: Catalog) -> list[tuple[Any, ...]]:
    """Names and sizes, by name."""
    column = catalog.entities["thing"].fields["size"].column.name
    return await company.rows(f"SELECT name, {column} FROM __ns__.thing ORDER BY name")


def things(**properties: Any) -> Documents:
    """The entity `thing` with a name and other properties."""
    return entity(properties={"name": {"type": "string"}, **properties})


async def test_values_go_to_their_new_type(company: Company) -> None:
    first = await company.publish(things(**TEXT))
    for name, size in (("a", "7"), ("b", " 12 "), ("c", None), ("d", "3.0")):
        await write(company, first.catalog, name=name, **({} if size is None else {"size": size}))
    done = await company.publish(things(**NUMBER))
    assert done.publication is not None
    assert done.publication.state is State.ACTIVE
    assert await sizes(company, done.catalog) == [("a", 7), ("b", 12), ("c", None), ("d", 3)]
    assert await load_head(company.engine, company.namespace) == 2


@pytest.mark.parametrize("kind", [kind for kind in FIELD_TYPES if kind.examples], ids=lambda kind: kind.name)
async def test_values_of_any_type_go_to_json_and_back(company: Company, kind: FieldType) -> None:
    assert isinstance(kind.sample, dict)
    if kind.name == "json" or "x-entity" in kind.sample or kind.generated:
        return
    first = await company.publish(things(size=kind.sample))
    item = first.catalog.entities["thing"].fields["size"]
    if item.relation is not None:
        return
    for number, value in enumerate(kind.examples):
        await company.put(first.catalog, "thing", name=f"n{number:02}", size=value)
    before = await cells(company, first.catalog)
    second = await company.publish(things(size={"x-type": "json"}))
    images = [item.type.image(item.options, value) for value in before]
    assert await cells(company, second.catalog) == images
    (left,) = (await load_trash(company.engine, company.namespace)).items
    assert await drop_trashed(company.engine, company.namespace, left, None), "nothing comes back from the trash"
    third = await company.publish(things(size=kind.sample))
    assert await cells(company, third.catalog) == before


async def cells(company: Company, catalog: Catalog) -> list[Any]:
    """The logical values of all sizes, by name."""
    column = catalog.entities["thing"].fields["size"].column
    rows = await company.engine.fetch(company.namespace, Sql(f'SELECT "{column.name}" FROM __ns__.thing ORDER BY name'))
    decode = column.type.decoder(company.engine.dialect)
    return [decode(row[0]) for row in rows]


async def test_what_does_not_convert_is_told_and_lost_only_with_leave(company: Company) -> None:
    first = await company.publish(things(**TEXT))
    large = await write(company, first.catalog, name="a", size="large")
    await write(company, first.catalog, name="b", size="2")
    with pytest.raises(DocumentsInvalid) as error:
        await company.publish(things(**NUMBER))
    (fault,) = error.value.faults
    assert (fault.code, fault.details) == (LOSS, {"allowLoss": "thing.size", "count": 1, "sample": [large]})
    done = await company.publish(things(**NUMBER), allow_loss=["thing.size"])
    assert await sizes(company, done.catalog) == [("a", None), ("b", 2)]


async def test_going_back_brings_back_what_was_lost_and_keeps_what_is_new(company: Company) -> None:
    first = await company.publish(things(**TEXT))
    await write(company, first.catalog, name="a", size="large")
    await write(company, first.catalog, name="b", size="02")
    kept = await write(company, first.catalog, name="c", size="3")
    second = await company.publish(things(**NUMBER), allow_loss=["thing.size"])
    column = second.catalog.entities["thing"].fields["size"].column.name
    await company.rows(f"SELECT {column} FROM __ns__.thing")
    text = f"UPDATE __ns__.thing SET {column} = 33 WHERE name = 'c'"
    batch = Batch(timestamp(now()), new_id(), Cause(None, "test"), None, statements=(Execute(Sql(text), ()),))
    await company.engine.apply(company.namespace, batch)
    await noted(company, kept, "UPDATED")
    third = await company.publish(things(**TEXT))
    assert await sizes(company, third.catalog) == [("a", "large"), ("b", "02"), ("c", "33")]


async def test_writers_of_the_version_before_go_on(company: Company) -> None:
    first = await company.publish(things(**TEXT))
    key = await write(company, first.catalog, name="a", size="1")
    begun = await company.begin(things(**NUMBER))

    async def meanwhile(call: str) -> None:
        if call == "migrate":  # it has expanded
            await changed(company, key, "size", "10")
            await write(company, first.catalog, name="b", size="2")
        if call == "exclusively":
            await changed(company, key, "size", "100")
            await write(company, first.catalog, name="c", size="3")

    await company.work(Meddled(company.engine, meanwhile, before="exclusively"))
    found = await find_publication(company.engine, company.namespace, begun.id)
    assert found is not None
    assert found.state is State.ACTIVE
    catalog = await company.catalogs.get(company.namespace, 2)
    assert await sizes(company, catalog) == [("a", 100), ("b", 2), ("c", 3)]


async def test_a_renamed_entity_is_followed_by_its_table(company: Company) -> None:
    await company.publish(things(**TEXT))
    renamed = entity("part", properties={"name": {"type": "string"}, **TEXT}, **{"x-was": ["thing"]})
    second = await company.publish(renamed)
    key = new_id(second.catalog.entities["part"].number)
    await company.put(second.catalog, "part", id=key, name="a", size="1")
    begun = await company.begin(
        entity("part", properties={"name": {"type": "string"}, **NUMBER}, **{"x-was": ["thing"]})
    )

    async def meanwhile(call: str) -> None:
        await changed(company, key, "size", "5")

    await company.work(Meddled(company.engine, meanwhile, before="exclusively"))
    found = await find_publication(company.engine, company.namespace, begun.id)
    assert found is not None
    assert found.state is State.ACTIVE
    column = (await company.catalogs.get(company.namespace, 3)).entities["part"].fields["size"].column.name
    assert await company.rows(f"SELECT name, {column} FROM __ns__.thing") == [("a", 5)]


async def test_a_head_moved_by_a_release_that_knows_no_publications_ends_it(company: Company) -> None:
    first = await company.publish(things(**TEXT))
    await write(company, first.catalog, name="a", size="1")
    begun = await company.begin(things(**NUMBER))

    async def meanwhile(call: str) -> None:
        if call == "exclusively":
            moved = Batch(timestamp(now()), new_id(), Cause(None, "old"), 1, new_catalog_version=2)
            at, row = now(), first.catalog
            version = catalog_row(2, row, at, None, False, company.engine.dialect)
            await company.engine.migrate(company.namespace, (), replace(moved, statements=(version,)))

    await company.work(Meddled(company.engine, meanwhile, before="exclusively"))
    found = await find_publication(company.engine, company.namespace, begun.id)
    assert found is not None
    assert (found.state, [fault.code for fault in found.faults]) == (State.FAILED, ["CONFLICT"])
    assert await columns(company) == await columns_of(first.catalog)


async def test_a_writer_can_still_stand_against_it(company: Company) -> None:
    first = await company.publish(things(**TEXT))
    key = await write(company, first.catalog, name="a", size="1")
    begun = await company.begin(things(**NUMBER))

    async def meanwhile(call: str) -> None:
        if call == "exclusively":
            await changed(company, key, "size", "large")

    await company.work(Meddled(company.engine, meanwhile, before="exclusively"))
    found = await find_publication(company.engine, company.namespace, begun.id)
    assert found is not None
    assert (found.state, [fault.code for fault in found.faults]) == (State.FAILED, [LOSS])
    assert await load_head(company.engine, company.namespace) == 1
    assert await columns(company) == await columns_of(first.catalog)
    mended = await company.publish(things(size={"type": "integer"}), allow_loss=["thing.size"])
    assert mended.version == 2


async def test_a_required_field_of_a_large_table_gets_its_default(company: Company) -> None:
    company.limits = replace(DEFAULTS, publish_at_once_rows=2, publish_chunk_rows=2)
    first = await company.publish(things(size={"type": "string"}, stage={"enum": ["A", "B"]}))
    for number in range(5):
        await write(company, first.catalog, name=f"n{number}", stage="A" if number % 2 else "B")
    stage = {"enum": ["C", "B"], "x-choices": [{"value": "C", "x-was": ["A"]}]}
    size = {"type": "string", "default": "none"}
    weight = {"type": "integer", "default": 4}
    wanted = entity(
        properties={"name": {"type": "string"}, "size": size, "stage": stage, "weight": weight},
        required=["size", "weight"],
        **{"x-index": [["weight"]], "x-unique": [["name"]]},
    )
    done = await company.publish(wanted)
    assert done.publication is not None
    assert done.publication.progress.rows_total == 10, "the new column with a default is filled by the database"
    fields = done.catalog.entities["thing"].fields
    listed = ", ".join(fields[name].column.name for name in ("name", "size", "stage", "weight"))
    rows = await company.rows(f"SELECT {listed} FROM __ns__.thing ORDER BY name")
    assert rows == [(f"n{number}", "none", "C" if number % 2 else "B", 4) for number in range(5)]
    assert await company.rows("SELECT stage FROM __ns__.thing WHERE stage = 'A'"), "version 1 reads on what it knows"


async def test_duplicates_found_late_fail_it_and_leave_nothing(company: Company) -> None:
    company.limits = replace(DEFAULTS, publish_at_once_rows=0)
    first = await company.publish(things())
    await write(company, first.catalog, name="a")
    begun = await company.begin(entity(properties={"name": {"type": "string"}}, **{"x-unique": [["name"]]}))
    await write(company, first.catalog, name="a")
    await company.work()
    found = await find_publication(company.engine, company.namespace, begun.id)
    assert found is not None
    assert (found.state, [fault.code for fault in found.faults]) == (State.FAILED, [ROWS])
    await write(company, first.catalog, name="a")


async def test_one_at_a_time_and_it_can_be_cancelled(company: Company) -> None:
    first = await company.publish(things(**TEXT))
    await write(company, first.catalog, name="a", size="1")
    begun = await company.begin(things(**NUMBER))
    with pytest.raises(Conflict) as error:
        await company.publish(things(**TEXT, other={"type": "string"}))
    assert error.value.details["publication"] == begun.id
    assert begun.id in error.value.text.en

    async def meanwhile(call: str) -> None:
        if call == "exclusively":
            await cancel(company, begun)

    await company.work(Meddled(company.engine, meanwhile, before="exclusively"))
    found = await find_publication(company.engine, company.namespace, begun.id)
    assert found is not None
    assert found.state is State.CANCELLED
    assert await columns(company) == await columns_of(first.catalog)
    assert (await company.publish(things(**TEXT, other={"type": "string"}))).version == 2


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_death_at_any_step_loses_nothing(
    company: Company, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.limits = replace(DEFAULTS, publish_chunk_rows=2)
    monkeypatch.setattr("storage.jobs.BACKOFF_SECONDS", 0.0)
    documents = things(**TEXT)
    first = await company.publish(documents)
    for number in range(5):
        await write(company, first.catalog, name=f"n{number}", size=str(number))
    begun = await company.begin(entity(properties={"name": {"type": "string"}, **NUMBER}, **{"x-index": [["size"]]}))
    for calls in range(1, 200):
        found = await find_publication(company.engine, company.namespace, begun.id)
        assert found is not None
        if not found.open:
            break
        dying = Dying(company.engine, calls, after)
        try:
            await company.work(dying)
        except Died:
            assert await load_head(company.engine, company.namespace) == (
                2 if after and not await _open(company) else 1
            )
            await company.forget_leases()
    else:
        pytest.fail("it never came to an end")
    catalog = await company.catalogs.get(company.namespace, 2)
    assert await sizes(company, catalog) == [(f"n{number}", number) for number in range(5)]


async def test_the_trash_is_dropped_for_ever(company: Company) -> None:
    first = await company.publish({**things(**TEXT), **entity("other")})
    await write(company, first.catalog, name="a", size="1")
    await company.publish(things(), [("entity", "other")], allow_loss=["thing.size"])
    found = (await load_trash(company.engine, company.namespace)).items
    assert {item.path for item in found} == {"thing.size", "other"}
    for item in found:
        assert await drop_trashed(company.engine, company.namespace, item, None)
        assert not await drop_trashed(company.engine, company.namespace, item, None)
    assert "size" not in await columns(company)
    assert (await company.publish(things(**TEXT))).catalog.entities["thing"].fields["size"].column.name == "size_2"


async def _open(company: Company) -> bool:
    return bool(await company.rows("SELECT 1 FROM __ns__._publication WHERE slot IS NOT NULL"))


async def cancel(company: Company, begun: Publication) -> None:
    """Cancel a publication as its author would."""
    found = await find_publication(company.engine, company.namespace, begun.id)
    assert found is not None
    cancelling = replace(found, state=State.CANCELLING)
    statement = move(found, cancelling, company.engine.dialect)
    batch = Batch(timestamp(now()), new_id(), Cause(None, "test"), None, statements=(statement,))
    assert await company.engine.apply(company.namespace, batch) == Applied()


async def columns(company: Company) -> set[str]:
    """The columns of `thing` in the database."""
    if company.engine.dialect == "sqlite":
        return {row[0] for row in await company.rows("SELECT name FROM pragma_table_info('thing')")}
    text = (
        "SELECT attname FROM pg_attribute WHERE attrelid = '__ns__.thing'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    return {row[0] for row in await company.rows(text)}


async def columns_of(catalog: Catalog) -> set[str]:
    """The columns of `thing` in a catalog."""
    return {column.name for item in catalog.entities["thing"].fields.values() for column in item.columns}


class Died(BaseException):
    """The process is gone."""


class Meddled:
    """An engine that lets others do something around its writing calls."""

    def __init__(self, engine: Engine, meddle: Callable[[str], Awaitable[None]], before: str = "") -> None:
        self._engine = engine
        self._meddle = meddle
        self._before = before
        self._met: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        if name not in ("apply", "migrate", "exclusively", "build_index"):
            return found

        async def call(*arguments: Any) -> Any:
            if name == self._before and name not in self._met:
                self._met.add(name)
                await self._meddle(name)
            result = await found(*arguments)
            if name != self._before and name not in self._met:
                self._met.add(name)
                await self._meddle(name)
            return result

        return call


class Dying:
    """An engine whose process dies at its n-th writing call, before it or after."""

    def __init__(self, engine: Engine, calls: int, after: bool) -> None:
        self._engine = engine
        self._left = calls
        self._after = after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        if name not in ("apply", "migrate", "exclusively", "build_index"):
            return found

        async def call(*arguments: Sequence[Any]) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Died
            result = await found(*arguments)
            if self._left == 0:
                raise Died
            return result

        return call
