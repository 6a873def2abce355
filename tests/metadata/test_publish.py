"""Publishing: tables, versions, events, renames, losses and rows that stand against a change."""

from __future__ import annotations

import asyncio

import pytest

from base.errors import Conflict, DocumentsInvalid
from metadata.faults import LOSS, ROWS
from metadata.field import FieldType
from metadata.fields.registry import FIELD_TYPES
from metadata.publishing.diff import ChangeKind
from metadata.publishing.publish import publish
from metadata.store import Catalogs, Head, load_head
from storage.batch import NotUnique, Sql
from tests.metadata.conftest import Company
from tests.metadata.documents import Documents, entity, sales


def codes(error: DocumentsInvalid) -> set[str]:
    """The codes of all faults."""
    return {fault.code for fault in error.faults}


async def test_first_publish_makes_system_tables(company: Company) -> None:
    assert await load_head(company.engine, company.namespace) == 0
    done = await company.publish({})
    assert done.version == 1
    assert [entity.number for entity in done.catalog.entities.values()] == [1, 2]
    await company.put(done.catalog, "member", name="Ada", status="ACTIVE")
    assert await company.rows("SELECT name FROM __ns__.member") == [("Ada",)]


async def test_a_version_is_read_back_as_it_was_published(company: Company) -> None:
    done = await company.publish(sales())
    head = await Catalogs(company.engine).head(company.namespace)
    assert head is not None
    assert (head.version, head.catalog.hash) == (1, done.catalog.hash)
    assert head.catalog.documents == done.catalog.documents
    assert list(head.catalog.documents["entity", "account"]) == list(sales()["entity", "account"])


async def test_nothing_changed_publishes_nothing(company: Company) -> None:
    await company.publish(sales())
    again = await company.publish(sales())
    assert (again.version, again.changes) == (1, ())


async def test_events_tell_of_documents(company: Company) -> None:
    await company.publish(sales())
    documents = sales()
    documents["entity", "account"]["title"] = "Customer"
    await company.publish({("entity", "account"): documents["entity", "account"]}, [("role", "seller")])
    await company.engine.sequence(company.namespace)
    rows = await company.rows("SELECT record_id, op FROM __ns__._log WHERE entity = 'document' ORDER BY position")
    assert len([row for row in rows if row[1] == "CREATED"]) == 5
    assert {row for row in rows if row[1] != "CREATED"} == {("entity/account", "UPDATED"), ("role/seller", "DELETED")}


async def test_adding_a_field_keeps_rows(company: Company) -> None:
    first = await company.publish(sales())
    await company.put(first.catalog, "account", name="Acme")
    documents = sales()
    documents["entity", "account"]["properties"]["size"] = {"type": "integer"}
    second = await company.publish(documents)
    await company.put(second.catalog, "account", name="Bolt", size=7)
    assert await company.rows("SELECT name, size FROM __ns__.account ORDER BY name") == [("Acme", None), ("Bolt", 7)]


async def test_a_rename_keeps_table_and_columns(company: Company) -> None:
    first = await company.publish(sales())
    await company.put(first.catalog, "account", name="Acme")
    documents = sales()
    account = documents.pop(("entity", "account"))
    account.update({"name": "customer", "x-was": ["account"]})
    account["properties"]["label"] = {**account["properties"].pop("name"), "x-was": ["name"]}
    account["required"] = ["label"]
    for name in ("account", "partners"):
        documents["entity", "opportunity"]["properties"][name]["x-entity"] = "customer"
    done = await company.publish({**documents, ("entity", "customer"): account})
    customer = done.catalog.entities["customer"]
    assert (customer.table_name, customer.fields["label"].column.name, customer.number) == ("account", "name", 3)
    renamed = {(change.subject, change.was) for change in done.changes if change.kind is ChangeKind.RENAMED}
    assert renamed == {("entity", "account"), ("field", "name")}
    assert ("entity", "account") not in done.catalog.documents


async def test_an_old_x_was_takes_nobody_away(company: Company) -> None:
    renamed = entity("new", **{"x-was": ["old"]})
    await company.publish(entity("old"))
    await company.publish(renamed)
    await company.publish(entity("old", title="Another one"))
    again = entity("new", title="Again", **{"x-was": ["old"]})
    done = await company.publish(again)
    assert {"old", "new"} <= set(done.catalog.entities)


async def test_a_removal_needs_leave_only_where_there_are_rows(company: Company) -> None:
    documents = entity(properties={"name": {"type": "string"}, "note": {"type": "string"}})
    first = await company.publish(documents)
    without = entity(properties={"name": {"type": "string"}})
    await company.put(first.catalog, "thing", name="a", note="b")
    with pytest.raises(DocumentsInvalid) as error:
        await company.publish(without)
    assert codes(error.value) == {LOSS}
    assert error.value.faults[0].details == {"allowLoss": "thing.note"}
    done = await company.publish(without, allow_loss=["thing.note"])
    assert await company.rows("SELECT note FROM __ns__.thing") == [("b",)], "the column stays for version 1"
    await company.put(done.catalog, "thing", name="c")
    back = await company.publish(documents)
    assert back.catalog.entities["thing"].fields["note"].column.name == "note", "it comes back from the trash"
    assert await company.rows("SELECT note FROM __ns__.thing ORDER BY name") == [("b",), (None,)]
    with pytest.raises(DocumentsInvalid):
        await company.publish({}, [("entity", "thing")])
    gone = await company.publish({}, [("entity", "thing")], allow_loss=["thing"])
    assert "thing" not in gone.catalog.entities
    again = await company.publish(documents)
    assert again.catalog.entities["thing"].number == done.catalog.entities["thing"].number
    assert await company.rows("SELECT name FROM __ns__.thing ORDER BY name") == [("a",), ("c",)]


async def test_a_required_field_is_filled_or_refused(company: Company) -> None:
    first = await company.publish(entity(properties={"name": {"type": "string"}}))
    await company.put(first.catalog, "thing", name="a")
    size = {"type": "number", "multipleOf": 0.01}
    required = entity(properties={"name": {"type": "string"}, "size": size}, required=["size"])
    with pytest.raises(DocumentsInvalid) as error:
        await company.publish(required)
    assert codes(error.value) == {ROWS}
    required["entity", "thing"]["properties"]["size"] = {**size, "default": 1.5}
    done = await company.publish(required)
    stored = await company.rows("SELECT size FROM __ns__.thing")
    assert (
        done.catalog.entities["thing"].fields["size"].column.type.decoder(company.engine.dialect)(stored[0][0]) == 1.5
    )


async def test_choices_are_mapped_and_held_ones_stay(company: Company) -> None:
    first = await company.publish(sales())
    await company.put(first.catalog, "account", name="Acme", sector="RETAIL", tags=["A", "B"])
    documents = sales()
    properties = documents["entity", "account"]["properties"]
    properties["sector"] = {"enum": ["SOFTWARE"]}
    with pytest.raises(DocumentsInvalid) as error:
        await company.publish(documents)
    assert codes(error.value) == {ROWS}
    properties["sector"] = {"enum": ["SHOP", "SOFTWARE"], "x-choices": [{"value": "SHOP", "x-was": ["RETAIL"]}]}
    properties["tags"] = {
        "type": "array",
        "items": {"enum": ["ALPHA", "B"]},
        "x-choices": [{"value": "ALPHA", "x-was": ["A"]}],
    }
    done = await company.publish(documents)
    item = done.catalog.entities["account"].fields["tags"]
    rows = await company.rows("SELECT sector, tags FROM __ns__.account")
    assert rows[0][0] == "SHOP"
    assert list(item.column.type.decoder(company.engine.dialect)(rows[0][1])) == ["ALPHA", "B"]


async def test_a_retyped_field_needs_an_empty_table_or_leave(company: Company) -> None:
    first = await company.publish(entity(properties={"size": {"type": "string"}}))
    number = entity(properties={"size": {"type": "integer"}})
    await company.put(first.catalog, "thing", size="large")
    with pytest.raises(DocumentsInvalid) as error:
        await company.publish(number)
    assert codes(error.value) == {LOSS}
    assert error.value.faults[0].details["count"] == 1
    done = await company.publish(number, allow_loss=["thing.size"])
    await company.put(done.catalog, "thing", size=3)


async def test_uniques_hold_on_live_rows_and_are_refused_over_duplicates(company: Company) -> None:
    first = await company.publish(entity(properties={"code": {"type": "string"}}))
    await company.put(first.catalog, "thing", code="a")
    await company.put(first.catalog, "thing", code="A")
    folded = entity(properties={"code": {"type": "string"}}, **{"x-unique": [{"fields": ["code"], "ignoreCase": True}]})
    with pytest.raises(DocumentsInvalid) as error:
        await company.publish(folded)
    assert codes(error.value) == {ROWS}
    done = await company.publish(entity(properties={"code": {"type": "string"}}, **{"x-unique": [["code"]]}))
    outcome = await company.insert(done.catalog, "thing", code="a")
    assert outcome == NotUnique(done.catalog.entities["thing"].uniques[0].index)
    await company.put(done.catalog, "thing", code="a", deletedAt="2026-11-23T08:00:00+00:00")
    for _ in range(2):
        await company.put(done.catalog, "thing")


async def test_a_rule_enforced_now_counts_records(company: Company) -> None:
    properties = {"name": {"type": "string"}, "size": {"type": "number", "multipleOf": 0.01}, "kind": {"enum": ["A"]}}
    first = await company.publish(entity(properties=properties))
    await company.put(first.catalog, "thing", name="a", size="2.50", kind="A")
    await company.put(first.catalog, "thing", name="b", size="9.00")
    await company.put(first.catalog, "thing", name="c", deletedAt="2026-11-23T08:00:00+00:00")
    rule = {"name": "r", "when": "kind == 'A'", "check": "size > 2.55", "message": "m", "enforce": "now"}
    with pytest.raises(DocumentsInvalid) as error:
        await company.publish(entity(properties=properties, **{"x-rules": [rule]}))
    assert error.value.faults[0].details["count"] == 1
    assert len(error.value.faults[0].details["sample"]) == 1  # type: ignore[arg-type]
    added = {**properties, "extra": {"type": "string"}}
    late = {"name": "s", "check": "extra != null", "message": "m", "enforce": "now"}
    with pytest.raises(DocumentsInvalid) as error:
        await company.publish(entity(properties=added, **{"x-rules": [late]}))
    assert error.value.faults[0].details["count"] == 2
    rule["check"] = "size >= 2.5"
    assert (await company.publish(entity(properties=properties, **{"x-rules": [rule]}))).version == 2


@pytest.mark.parametrize(
    ("listed", "directions"),
    [
        ([["name", "size"]], {"", "_desc"}),
        ([["name", "+size"]], {""}),
        ([["name", "-size"]], {"_desc"}),
        ([["name", "-size"], ["name", "+size"]], {"", "_desc"}),
    ],
)
async def test_a_list_index_has_the_directions_that_its_last_field_says(
    company: Company, listed: list[list[str]], directions: set[str]
) -> None:
    properties = {"name": {"type": "string"}, "size": {"type": "integer"}}
    await company.publish(entity(properties=properties))
    done = await company.publish(entity(properties=properties, **{"x-index": listed}))
    (index,) = done.catalog.entities["thing"].indexes
    assert index.fields == ("name", "size")
    sql = "SELECT indexname FROM pg_indexes WHERE tablename = 'thing' AND indexname LIKE 'ix_%' AND schemaname LIKE"
    if company.engine.dialect == "sqlite":
        sql, directions = "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'ix_%' AND '' <", {""}
    found = {row[0] for row in await company.rows(f"{sql} '%{company.namespace}'")}
    assert found == {f"{index.name}{direction}" for direction in directions}


async def test_an_index_over_a_field_that_is_not_there(company: Company) -> None:
    properties = {"name": {"type": "string"}}
    with pytest.raises(DocumentsInvalid) as error:
        await company.publish(entity(properties=properties, **{"x-index": [["-nam"]]}))
    (fault,) = error.value.faults
    assert fault.path == ("entity", "thing", "x-index", "0", "0")
    assert "'name'" in fault.text.en


async def test_one_of_two_publishers_wins(company: Company) -> None:
    await company.publish(sales())
    head = await company.catalogs.head(company.namespace)

    def with_field(name: str) -> Documents:
        """The application with one more field."""
        documents = sales()
        documents["entity", "account"]["properties"][name] = {"type": "string"}
        return documents

    results = await asyncio.gather(
        *(publish(company.engine, company.namespace, head, with_field(name)) for name in ("one", "two")),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Published"]
    assert await load_head(company.engine, company.namespace) == 2


async def test_an_expected_version_is_kept_to(company: Company) -> None:
    await company.publish(sales())
    with pytest.raises(Conflict):
        await company.publish(sales(), expected_version=7)


async def test_companies_with_equal_documents_share_a_catalog(company: Company) -> None:
    first = await company.publish(sales())
    other = company.namespace + "b"
    await company.engine.create(other)
    try:
        await publish(company.engine, other, None, sales())
        catalogs = Catalogs(company.engine)
        one, two = await asyncio.gather(catalogs.get(company.namespace, 1), catalogs.get(other, 1))
        assert one is two
        assert one.hash == first.catalog.hash
    finally:
        await company.engine.drop(other)


async def test_a_wide_application_publishes(company: Company) -> None:
    documents: Documents = {}
    for number in range(30):
        target = f"entity{max(number - 1, 0)}"
        properties = {"name": {"type": "string"}, "up": {"x-type": "reference", "x-entity": target}}
        documents.update(entity(f"entity{number}", properties=properties, **{"x-index": [["name"]]}))
    done = await company.publish(documents)
    head = Head(done.version, done.catalog)
    assert (await publish(company.engine, company.namespace, head, {})).changes == ()


AWKWARD = "it's 100% of :x, \\ and \"y\" '; DROP TABLE thing --"


@pytest.mark.parametrize("kind", [kind for kind in FIELD_TYPES if kind.examples], ids=lambda kind: kind.name)
async def test_rows_get_the_default_of_a_new_field_of_any_type(company: Company, kind: FieldType) -> None:
    """The constant stands in DDL: it must come out as the door would have written it."""
    assert isinstance(kind.sample, dict)
    if "x-entity" in kind.sample or kind.generated:
        return
    examples = [*kind.examples, AWKWARD] if kind.name in ("text", "longText") else kind.examples
    first = await company.publish(entity(properties={"name": {"type": "string"}}))
    await company.put(first.catalog, "thing", name="a")
    properties = {f"field{index}": {**kind.sample, "default": value} for index, value in enumerate(examples)}
    done = await company.publish(entity(properties={"name": {"type": "string"}, **properties}, required=[*properties]))
    assert done.publication is None, "whatever the size of the table it is done at once"
    for index, value in enumerate(examples):
        item = done.catalog.entities["thing"].fields[f"field{index}"]
        rows = await company.engine.fetch(company.namespace, Sql(f'SELECT "{item.column.name}" FROM __ns__.thing'))
        found = item.column.type.decoder(company.engine.dialect)(rows[0][0])
        assert found == item.type.logical(item.options, value)
