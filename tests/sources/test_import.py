"""Imports: rows through the door, keys, look-ups, repairs, faults by row, dry runs; on each engine."""

from __future__ import annotations

import asyncio
import csv
from typing import Any

import pytest

from access.member import add_member, update_member
from base.errors import BadInput, DocumentsInvalid, Forbidden, LimitExceeded
from events.log import Event, read_page
from sources import CRM, NO_MAPPING, Options, Step, import_file, parse_mapping, read_template, survey
from tests.sources.world import World, seat_of

ACCOUNTS = "name,sector,employees,officeLocation\nAcme,RETAIL,5,Oslo\n上海云帆,SOFTWARE,,上海\n"


async def names(world: World) -> dict[str, Any]:
    """Accounts by name."""
    data = await world.ask(
        "{ accounts(first: 1000) { nodes { name sector employees officeLocation version subsidiaryOf { name } } } }"
    )
    return {node["name"]: node for node in data["accounts"]["nodes"]}


async def test_columns_are_matched_by_name(world: World) -> None:
    summary = await world.load("account", ACCOUNTS)
    assert summary.counts.as_json() == {
        "rows": 2, "created": 2, "updated": 0, "unchanged": 0, "linked": 0, "failed": 0,
    }  # fmt: skip
    found = await names(world)
    assert found["上海云帆"]["officeLocation"] == "上海"
    assert found["上海云帆"]["employees"] is None


async def test_columns_are_matched_by_title_in_any_language(world: World) -> None:
    await world.load("account", "名称,行业,母公司\nAcme,零售,\nBeta,software,Acme\n", by=["name"])
    found = await names(world)
    assert (found["Acme"]["sector"], found["Beta"]["sector"]) == ("RETAIL", "SOFTWARE")
    assert found["Beta"]["subsidiaryOf"] == {"name": "Acme"}


async def test_a_key_updates_and_leaves_alone(world: World) -> None:
    await world.load("account", ACCOUNTS)
    text = ACCOUNTS.replace("Acme,RETAIL,5", "Acme,MEDICAL,5") + "New,FINANCE,1,Rome\n"
    counts = (await world.load("account", text, by=["name"])).counts
    assert (counts.created, counts.updated, counts.unchanged) == (1, 1, 1)
    found = await names(world)
    assert (found["Acme"]["sector"], found["Acme"]["version"], found["上海云帆"]["version"]) == ("MEDICAL", 2, 1)


async def test_the_later_row_of_a_key_wins(world: World) -> None:
    counts = (await world.load("account", "name,employees\nA,1\nB,2\nA,3\n", by=["name"])).counts
    assert (counts.created, counts.updated) == (2, 1)
    assert (await names(world))["A"]["employees"] == 3


async def test_the_later_row_wins_without_regard_to_case(world: World) -> None:
    price: dict[str, Any] = {
        "kind": "entity", "name": "price", "title": "Price", "type": "object",
        "properties": {"sku": {"type": "string"}, "amount": {"type": "integer"}}, "required": ["sku"],
        "x-unique": [{"fields": ["sku"], "ignoreCase": True}],
    }  # fmt: skip
    await world.house.publish(world.owner.company, [price])
    for text in ("sku,amount\nW1,2\n", "sku,amount\nw1,1\nW1,2\n"):
        await world.load("price", text, by=["sku"])
        found = await world.ask("{ prices { nodes { amount } } }")
        assert found == {"prices": {"nodes": [{"amount": 2}]}}


async def test_a_dry_run_finds_what_the_file_itself_brings(world: World) -> None:
    text = "name,subsidiaryOf\nChild,Parent\nParent,\nOrphan,Nobody\n"
    dry = await world.load("account", text, by=["name"], options=Options(dry_run=True))
    assert [(fault.row, [item.code for _, item in fault.faults]) for fault in dry.first] == [(4, ["NOT_FOUND"])]
    assert await names(world) == {}


async def test_one_mark_is_not_both_thousands_and_decimal(world: World) -> None:
    for numbers in ({"thousands": "."}, {"thousands": ",", "decimal": ","}):
        with pytest.raises(DocumentsInvalid, match="one mark"):
            await world.load("account", "name,employees\na,1.234\n", {"numbers": numbers, "columns": {
                "name": "name", "employees": "employees",
            }})  # fmt: skip


async def test_good_rows_land_and_bad_ones_are_told_of(world: World) -> None:
    text = (
        "name,sector,employees\n=1+1,RETAIL,1\nAcme,RETIAL,2\n,RETAIL,3\n"
        'Short\nBeta,RETAIL,many\nGamma,RETAIL,-1\n=1+1,RETAIL,4\nLong,RETAIL,1,2\n"Last\nline",RETAIL,6\n'
    )
    faults = world.folder / "faults.csv"
    summary = await world.load("account", text, options=Options(faults=faults))
    assert (summary.counts.created, summary.counts.failed) == (2, 7)
    assert set(await names(world)) == {"=1+1", "Last\nline"}
    with faults.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    told = {row["_row"]: (row["_columns"], row["_codes"]) for row in rows}
    assert told == {
        "3": ("sector", "VALIDATION"),
        "4": ("name", "REQUIRED"),
        "5": ("", "ROW_LENGTH"),
        "6": ("employees", "VALIDATION"),
        "7": ("employees", "VALIDATION"),
        "8": ("name", "NOT_UNIQUE"),
        "9": ("", "ROW_LENGTH"),
    }
    assert "did you mean 'RETAIL'" in rows[0]["_messages"]
    assert [fault.row for fault in summary.first] == [3, 4, 5, 6, 7, 8, 9]


async def test_a_fault_file_is_mended_and_imported(world: World) -> None:
    faults = world.folder / "faults.csv"
    await world.load("account", "name,sector\nAcme,RETIAL\n", options=Options(faults=faults))
    mended = faults.read_text(encoding="utf-8-sig").replace("Acme,RETIAL", "Acme,RETAIL")
    assert (await world.load("account", mended)).counts.created == 1


async def test_a_dry_run_tells_the_same_and_writes_nothing(world: World) -> None:
    await world.load("account", ACCOUNTS)
    text = "name,employees\nAcme,6\nNew,1\nBad,-1\n"
    tried = (await world.load("account", text, by=["name"], options=Options(dry_run=True))).counts
    assert (tried.created, tried.updated, tried.failed) == (1, 1, 1)
    assert set(await names(world)) == {"Acme", "上海云帆"}
    assert (await world.load("account", text, by=["name"])).counts == tried


MAPPING: dict[str, Any] = {
    "entity": "opportunity",
    "by": ["number"],
    "dates": "MM/DD/YYYY",
    "numbers": {"thousands": ","},
    "columns": {
        "Id": "number",
        "Who": {"field": "agent", "lookup": "name"},
        "What": {"field": "product", "lookup": "name", "replace": {"GTXPro": "GTX Pro"}},
        "Account": {"field": "account", "lookup": "name"},
        "Stage": {"field": "stage", "choices": {"Closed": "WON"}, "empty": "absent"},
        "Closed": {"field": "closeOn"},
        "Value": "amount",
        "Note": None,
    },
}
HEADER = "Id,Who,What,Account,Stage,Closed,Value,Note\n"


async def base(world: World) -> None:
    """An account, two of one name in another case, a product and an agent."""
    await world.load("account", ACCOUNTS)
    await world.load("product", "name,series\nGTX Pro,GTX\n")
    await world.load("agent", "name,manager\nAnna Snelling,Dustin\n")


async def test_a_mapping_looks_up_repairs_and_reads_notations(world: World) -> None:
    await base(world)
    text = HEADER + '1,Anna Snelling,GTXPro,Acme,Closed,3/1/2017,"1,234.5",x\n2, Anna Snelling ,GTX Pro,,,,,\n'
    assert (await world.load("opportunity", text, MAPPING)).counts.created == 2
    data = await world.ask(
        "{ opportunities(orderBy: [{number: ASC}]) { nodes { number stage closeOn amount"
        " account { name opportunities { totalCount } } product { name } agent { name } } } }"
    )
    first, second = data["opportunities"]["nodes"]
    assert first == {
        "number": "1", "stage": "WON", "closeOn": "2017-03-01", "amount": "1234.50",
        "account": {"name": "Acme", "opportunities": {"totalCount": 1}},
        "product": {"name": "GTX Pro"}, "agent": {"name": "Anna Snelling"},
    }  # fmt: skip
    assert (second["stage"], second["account"], second["amount"]) == ("PROSPECTING", None, None)


@pytest.mark.parametrize(
    ("row", "column", "code", "words"),
    [
        ("1,Anna Snellin,GTX Pro,,,,,", "Who", "NOT_FOUND", "did you mean 'Anna Snelling'"),
        ("1,Anna Snelling,GTX Pro,,Won,,1,", "Closed", "RULE", "needs its close date"),
        ("1,Anna Snelling,GTX Pro,,Won,20/10/2016,1,", "Closed", "VALIDATION", "MM/DD/YYYY"),
        ("1,Anna Snelling,GTX Pro,,,,12x,", "Value", "VALIDATION", "no number"),
        ("1,,GTX Pro,,,,,", "Who", "REQUIRED", ""),
    ],
)
async def test_what_a_mapped_row_is_refused_for(
    sqlite_world: World, row: str, column: str, code: str, words: str
) -> None:
    await base(sqlite_world)
    summary = await sqlite_world.load("opportunity", HEADER + row + "\n", MAPPING)
    ((refused,),) = [fault.faults for fault in summary.first]
    assert (refused[0], refused[1].code) == (column, code)
    assert words in refused[1].text.en


async def test_what_happens_to_a_value_that_nobody_has(world: World) -> None:
    await base(world)
    for missing, created, failed in (("fault", 0, 1), ("null", 1, 0), ("absent", 0, 0)):
        columns = {**MAPPING["columns"], "Account": {"field": "account", "lookup": "name", "onMissingLookup": missing}}
        text = HEADER + "1,Anna Snelling,GTX Pro,Nobody,,,,\n"
        counts = (await world.load("opportunity", text, {**MAPPING, "columns": columns})).counts
        assert (counts.created, counts.failed) == (created, failed)


async def test_several_records_of_one_value_are_ambiguous(world: World) -> None:
    await base(world)
    await world.load("agent", "name,manager\nBea,Dustin\n")
    columns = {**MAPPING["columns"], "Who": {"field": "agent", "lookup": "manager"}}
    summary = await world.load("opportunity", HEADER + "1,Dustin,GTX Pro,,,,,\n", {**MAPPING, "columns": columns})
    assert summary.first[0].faults[0][1].code == "AMBIGUOUS"


async def test_constants_and_a_default_owner(world: World) -> None:
    writer = await world.seat.writer()
    added = await add_member(writer, {"name": "Vera", "roles": ["seller"]})
    mapping = {
        "columns": {"n": "name"},
        "constants": {"sector": "RETAIL", "employees": 7, "owner": {"lookup": "name", "value": "Vera"}},
    }
    await world.load("account", "n\nAcme\n", mapping)
    data = await world.ask("{ accounts { nodes { sector employees owner { id } } } }")
    assert data["accounts"]["nodes"] == [{"sector": "RETAIL", "employees": 7, "owner": {"id": added.id}}]


async def test_parents_may_stand_below_their_children(world: World) -> None:
    mapping = {"by": ["name"], "columns": {"n": "name", "of": {"field": "subsidiaryOf", "lookup": "name"}}}
    summary = await world.load("account", "n,of\nA,C\nB,Nobody\nC,\n", mapping)
    assert (summary.counts.created, summary.counts.linked, summary.counts.failed) == (3, 1, 1)
    found = await names(world)
    assert (found["A"]["subsidiaryOf"], found["B"]["subsidiaryOf"]) == ({"name": "C"}, None)
    again = await world.load("account", "n,of\nA,C\nC,\n", mapping)
    assert (again.counts.unchanged, again.counts.linked) == (2, 0)


async def test_rows_count_for_the_member_who_imports(world: World) -> None:
    await world.load("account", "name,revenue\nAcme,5\n")
    writer = await world.seat.writer()
    added = await add_member(writer, {"name": "Vera", "roles": ["seller"]})
    seat = seat_of(world.house, world.seat.company, str(added.id))
    path = world.folder / "own.csv"
    path.write_text("name,revenue\nBeta,1\n")
    with pytest.raises(Forbidden, match="'import'"):
        await import_file(seat, "account", survey(path), NO_MAPPING)
    role = {"kind": "role", "name": "importer", "title": "Importer", "platform": ["import"]}
    await world.house.publish(world.seat.company.id, [role])
    await update_member(await world.seat.writer(), str(added.id), {"roles": ["seller", "importer"]})
    with pytest.raises(DocumentsInvalid, match="revenue"):
        await import_file(
            seat, "account", survey(path), parse_mapping({"columns": {"name": "name", "revenue": "revenue"}})
        )
    path.write_text("name,employees\nAcme,1\nBeta,1\n")
    mapping = parse_mapping({"by": ["name"], "columns": {"name": "name", "employees": "employees"}})
    summary = await import_file(seat, "account", survey(path), mapping)
    assert (summary.counts.created, [fault.row for fault in summary.first]) == (1, [2])
    assert summary.first[0].faults[0][1].code == "FORBIDDEN"


@pytest.mark.parametrize(
    ("text", "mapping", "words"),
    [
        ("name,nmae\n1,2\n", None, "unknown column 'nmae'"),
        ("name,name\n1,2\n", None, "occurs 2 times"),
        ("name,\n1,2\n", None, "has no name"),
        ("name,naem\n1,2\n", {"columns": {"name": "name"}}, "null leaves it out"),
        ("name\n1\n", {"columns": {"nam": "name", "name": "name"}}, "did you mean 'name'"),
        ("name\n1\n", {"columns": {"name": "nmae"}}, "did you mean 'name'"),
        ("name\n1\n", {"columns": {"name": {"field": "sector", "lookup": "name"}}}, "is no reference"),
        ("name\n1\n", {"columns": {"name": {"field": "subsidiaryOf", "lookup": "nmae"}}}, "did you mean 'name'"),
        ("name\n1\n", {"columns": {"name": "name"}, "by": ["sector"]}, "unique rule"),
        ("name\n1\n", {"columns": {"name": "sector"}, "by": ["name"]}, "no column fills 'name'"),
        ("name\n1\n", {"columns": {"name": "name"}, "constants": {"name": "x"}}, "from 2 places"),
        ("name\n1\n", {"columns": {"name": "name"}, "entity": "agent"}, "this mapping is for 'agent'"),
        ("name\n1\n", {"columns": {"name": "name"}, "timeZone": "Mars/Olympus"}, "no time zone"),
    ],
)
async def test_what_does_not_fit_is_told_before_anything_is_written(
    sqlite_world: World, text: str, mapping: dict[str, Any] | None, words: str
) -> None:
    with pytest.raises(DocumentsInvalid) as caught:
        await sqlite_world.load("account", text, mapping)
    assert any(words in fault.text.en for fault in caught.value.faults)
    assert all(fault.text.zh != fault.text.en for fault in caught.value.faults)
    assert await names(sqlite_world) == {}


async def test_unknown_entities_and_system_ones(world: World) -> None:
    for entity, words in (("acount", "did you mean 'account'"), ("member", "own verbs")):
        with pytest.raises(DocumentsInvalid, match=words):
            await world.load(entity, "name\nx\n")


async def test_the_batch_has_a_limit(world: World) -> None:
    with pytest.raises(LimitExceeded):
        await world.load("account", ACCOUNTS, options=Options(batch=1_001))


async def test_the_file_itself_is_not_overwritten(sqlite_world: World) -> None:
    for options in (Options(faults=sqlite_world.folder / "file.csv"), Options(state=sqlite_world.folder / "file.csv")):
        with pytest.raises(BadInput, match="would be overwritten"):
            await sqlite_world.load("account", ACCOUNTS, options=options)
        assert (sqlite_world.folder / "file.csv").read_text() == ACCOUNTS


async def test_a_publish_between_batches(sqlite_world: World) -> None:
    world, field = sqlite_world, {"type": "string", "maxLength": 5}
    path = world.folder / "many.csv"
    path.write_text("name\n" + "".join(f"A{n}\n" for n in range(60)))
    document = next(item for item in read_template(CRM) if item["name"] == "account")
    properties: dict[str, Any] = {**document["properties"], "name": {**field, "title": "Label"}}  # type: ignore[dict-item]
    changed: dict[str, Any] = {**document, "properties": properties}
    seen = 0

    async def publish() -> None:
        await world.house.publish(world.seat.company.id, [changed])

    def after(step: Step) -> None:
        nonlocal seen
        seen += 1

    task = asyncio.create_task(publish())
    counts = (await import_file(world.seat, "account", survey(path), NO_MAPPING, Options(batch=1), after)).counts
    await task
    assert (counts.created, counts.failed, seen) == (60, 0, 60)


async def test_changes_tell_that_an_import_made_them(world: World) -> None:
    engine, namespace = world.seat.engine, world.seat.company.namespace
    before = await engine.sequence(namespace)
    await world.load("account", "name,sector\n" + "".join(f"A{n},RETAIL\n" for n in range(1_203)))
    await engine.sequence(namespace)
    events: list[Event] = []
    while page := await read_page(engine, namespace, before + len(events), 1_000):
        events += page
    assert len(events) == 1_203
    assert {event.cause.kind for event in events} == {"import"}
    assert {event.cause.detail["file"] for event in events} == {"file.csv"}
    assert len({event.transaction_id for event in events}) == 3
