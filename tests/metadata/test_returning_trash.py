"""What comes back out of the trash is what it was: type, target, choices; and meets what is asked of rows."""

from __future__ import annotations

from typing import Any

import pytest

from base.errors import Conflict, DocumentsInvalid
from metadata.faults import ROWS
from metadata.publishing.publication import State, find_publication
from metadata.publishing.publish import publish
from tests.metadata.conftest import Company
from tests.metadata.documents import Documents, entity
from tests.metadata.test_prepared import NUMBER, TEXT, Meddled, things, write

NOTE: dict[str, Any] = {"type": "string"}


def both(**properties: Any) -> Documents:
    """Things with these fields, and two entities to refer to."""
    named = {"name": {"type": "string"}}
    return {**things(**properties), **entity("one", properties=named), **entity("two", properties=named)}


async def column(company: Company, documents: Documents, field: str, gone: str | None = None) -> Any:
    """Publish, and the physical names that a field of the things has got."""
    done = await company.publish(documents, allow_loss=[] if gone is None else [gone])
    item = done.catalog.entities["thing"].fields.get(field)
    return None if item is None else ([part.name for part in item.columns], item.relation and item.relation.link)


@pytest.mark.parametrize(
    ("before", "other"),
    [
        (NOTE, {"enum": ["A", "B"]}),
        (NOTE, {"type": "string", "format": "email"}),
        ({"x-type": "reference", "x-entity": "one"}, {"x-type": "reference", "x-entity": "two"}),
        ({"x-type": "references", "x-entity": "one"}, {"x-type": "references", "x-entity": "two"}),
        ({"x-type": "reference", "x-entity": "one"}, {"type": "string", "format": "uuid"}),
    ],
)
async def test_values_of_another_type_stay_in_the_trash(company: Company, before: Any, other: Any) -> None:
    first = await column(company, both(note=before), "note")
    head = await company.catalogs.head(company.namespace)
    assert head is not None
    await company.put(head.catalog, "thing", name="a")
    assert await column(company, both(), "note", "thing.note") is None
    assert await column(company, both(note=other), "note") != first
    assert await column(company, both(), "note", "thing.note") is None
    assert await column(company, both(note=before), "note") == first, "the same is found again"


async def test_a_target_that_was_renamed_is_the_same(company: Company) -> None:
    first = await column(company, both(note={"x-type": "reference", "x-entity": "one"}), "note")
    await column(company, both(), "note", "thing.note")
    renamed = {**things(note={"x-type": "reference", "x-entity": "uno"}), **entity("uno", **{"x-was": ["one"]})}
    assert await column(company, renamed, "note") == first


@pytest.mark.parametrize("many", [False, True])
async def test_values_that_are_no_choice_any_more_are_told(company: Company, many: bool) -> None:
    def choice(*values: str) -> dict[str, Any]:
        return {"x-type": "choices", "items": {"enum": [*values]}} if many else {"enum": [*values]}

    first = await company.publish(things(note=choice("A", "B")))
    await write(company, first.catalog, name="a", note=["A", "B"] if many else "B")
    await write(company, first.catalog, name="b", note=["A"] if many else "A")
    await company.publish(things(), allow_loss=["thing.note"])
    with pytest.raises(DocumentsInvalid) as caught:
        await company.publish(things(note=choice("A")))
    (fault,) = caught.value.faults
    assert (fault.code, fault.path[-2:], fault.details["count"]) == (ROWS, ("note", "enum"), 1)
    kept = choice("A", "B")
    kept["x-choices"] = [{"value": "B", "retired": True}]
    await company.publish(things(note=kept))
    shown = '["A","B"]' if many else "B"
    rows = await company.rows("SELECT note FROM __ns__.thing ORDER BY name")
    assert rows[0][0] in (shown, ["A", "B"])


async def test_an_entity_that_comes_back_meets_what_is_asked(company: Company) -> None:
    first = await company.publish(things(size={"type": "integer"}))
    await write(company, first.catalog, name="a", size=1)
    await write(company, first.catalog, name="b")
    keeper = entity("keeper", properties={"name": {"type": "string"}})
    await company.publish(keeper, [("entity", "thing")], allow_loss=["thing"])
    sized = {"name": {"type": "string"}, "size": {"type": "integer"}}
    rule = {"name": "r", "check": "size != null", "message": "m", "enforce": "now"}
    for asked in (
        entity(properties=sized, required=["size"]),
        entity(properties=sized, **{"x-rules": [rule]}),
    ):
        with pytest.raises(DocumentsInvalid) as caught:
            await company.publish(asked)
        assert [(fault.code, fault.details["count"]) for fault in caught.value.faults] == [(ROWS, 1)]
    filled = {**sized, "size": {"type": "integer", "default": 7}, "level": {"type": "integer", "default": 3}}
    await company.publish(entity(properties=filled, required=["size", "level"]))
    assert await company.rows("SELECT name, size, level FROM __ns__.thing ORDER BY name") == [("a", 1, 3), ("b", 7, 3)]


@pytest.mark.parametrize("prepared", [False, True])
async def test_a_row_that_comes_into_an_empty_table_is_not_retyped_where_it_is(
    company: Company, prepared: bool
) -> None:
    first = await company.publish({**things(**TEXT), **entity("other", properties={"note": NOTE})})
    await write(company, first.catalog, name="a", size="1")
    chosen = {**things(**(NUMBER if prepared else TEXT)), **entity("other", properties={"note": {"enum": ["A"]}})}
    moment = "exclusively" if prepared else "migrate"

    async def meanwhile(call: str) -> None:
        if call == moment:
            await company.put(first.catalog, "other", note='he said "hi"')

    engine = Meddled(company.engine, meanwhile, before=moment)
    if not prepared:
        head = await company.catalogs.head(company.namespace)
        with pytest.raises(Conflict):
            await publish(engine, company.namespace, head, chosen)
        return
    begun = await company.begin(chosen)
    await company.work(engine)
    found = await find_publication(company.engine, company.namespace, begun.id)
    assert found is not None
    assert (found.state, [fault.code for fault in found.faults]) == (State.FAILED, ["CONFLICT"])
