"""What a mutation shows of the record that it wrote is, byte for byte, what a query then says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from metadata.fields.registry import FIELD_TYPES
from pliant.house import House
from records.reading.echo import ECHOED
from resolvers import mutations, readback
from tests.engines import ENGINES, place_of
from tests.houses import Client, found_company, hire, opened_house

SHOWN = [
    kind
    for kind in FIELD_TYPES
    if not kind.generated and {column.kind for _, column in kind.column_types(None)} & (ECHOED | {"float", "texts"})
    if kind.name not in ("reference", "member", "team")
]
TYPES: Mapping[str, Any] = {
    "kind": "entity",
    "name": "thing",
    "title": "Thing",
    "x-display": "name",
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "other": {"x-type": "reference", "x-entity": "thing"},
        **{f"{kind.name}Value": kind.sample for kind in SHOWN},
    },
    "x-unique": [["name", "integerValue"]],
    "x-rules": [{"name": "no-x", "check": "name != 'x'", "message": "Not x"}],
}
FIELDS = "id version createdAt updatedAt deletedAt createdById updatedById ownerId teamId name otherId __typename"
SELECTED = f"{FIELDS} again: name {' '.join(f'{kind.name}Value' for kind in SHOWN)}"

CREATE = (
    "mutation($i: ThingCreateInput!) {{ made: createThing(input: $i) {{ thing {{ {0} }} userErrors {{ code }} }} }}"
)
UPDATE = (
    "mutation($d: ID!, $i: ThingUpdateInput!) "
    "{{ made: updateThing(id: $d, input: $i) {{ thing {{ {0} }} userErrors {{ code }} }} }}"
)
READ = "query($d: ID!) {{ thing(id: $d) {{ {0} }} }}"


@pytest.fixture(params=ENGINES)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    """A house of one test."""
    async with opened_house(place_of(request.param, tmp_path)) as opened:
        yield opened


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of records that mutations read back instead of showing them at once."""
    found: list[str] = []
    read_one = readback.read_one

    async def noted(back: Any, snapshot: Any, variables: Any, record_id: str, pieces: Any = None) -> bytes:
        """The same, written down."""
        found.append(record_id)
        return await read_one(back, snapshot, variables, record_id, pieces)

    monkeypatch.setattr(mutations, "read_one", noted)
    return found


async def shown(client: Client, text: str, selected: str, **variables: Any) -> tuple[str, bytes]:
    """The id of the record that a mutation made or changed, and its bytes in the payload."""
    body = (await client.send(text.format(selected), variables)).body
    head, tail = b'{"data":{"made":{"thing":', b',"userErrors":[]}}}'
    assert body.startswith(head), body
    assert body.endswith(tail), body
    record = body.removeprefix(head).removesuffix(tail)
    return record.partition(b'"id":"')[2][:36].decode(), record


async def is_read_alike(client: Client, record_id: str, record: bytes, selected: str = SELECTED) -> None:
    """A query says the same, in the same bytes."""
    body = (await client.send(READ.format(selected), {"d": record_id})).body
    assert body == b'{"data":{"thing":' + record + b"}}"


@pytest.mark.parametrize("kind", SHOWN, ids=lambda kind: kind.name)
async def test_values_of_every_type(house: House, kind: Any, reads: list[str]) -> None:
    owner = await found_company(house, [TYPES])
    echoed = kind.column_types(None)[0][1].kind in ECHOED
    selected = f"id name v: {kind.name}Value"
    for number, example in enumerate(kind.examples):
        given = {"name": f'n{number} \x1f\x7f\u2028 é "\\/\b\n', f"{kind.name}Value": example}
        record_id, record = await shown(owner, CREATE, selected, i=given)
        await is_read_alike(owner, record_id, record, selected)
        assert bool(reads) is not echoed
    record_id, record = await shown(owner, UPDATE, selected, d=record_id, i={f"{kind.name}Value": None})
    await is_read_alike(owner, record_id, record, selected)


async def test_stamps_references_and_what_is_not_given(house: House, reads: list[str]) -> None:
    owner = await found_company(house, [TYPES])
    first, _ = await shown(owner, CREATE, FIELDS, i={})
    record_id, record = await shown(owner, CREATE, FIELDS, i={"name": "a", "otherId": first})
    await is_read_alike(owner, record_id, record, FIELDS)
    record_id, record = await shown(owner, UPDATE, FIELDS, d=record_id, i={"name": "b", "otherId": None})
    await is_read_alike(owner, record_id, record, FIELDS)
    assert reads == []
    nested = f"{FIELDS} other {{ name }}"
    record_id, record = await shown(owner, CREATE, nested, i={"otherId": first})
    await is_read_alike(owner, record_id, record, nested)
    assert reads == [record_id]


ROWS: tuple[tuple[Any, Any], ...] = (
    ("all", {"*": True, "other": False}),
    (["own"], {"*": True, "textValue": False}),
    (["own"], {"*": True, "textValue": {"when": "name == 'seen'"}}),
    (["own"], {"*": False, "name": True}),
    (["team+"], True),
    (["team"], {"*": True, "integerValue": False}),
    (["reports+"], True),
    (["shared", "own"], True),
    (["name == 'seen'"], True),
    (["parent(other)", "name == 'seen'"], True),
)


@pytest.mark.parametrize("rows", range(len(ROWS)))
async def test_what_the_gate_hides(house: House, rows: int) -> None:
    rule, fields = ROWS[rows]
    read = {"rows": rule, "fields": fields} if isinstance(fields, dict) else {"rows": rule}
    members = {"read": {"rows": "all"}}
    role = {
        "kind": "role",
        "name": "writer",
        "title": "Writer",
        "entities": {"thing": {"read": read, "create": True, "update": True}, "member": members, "team": members},
    }
    other = {**role, "name": "second", "entities": {"thing": {"read": {"rows": ["own"], "fields": {"*": False}}}}}
    owner = await found_company(house, [TYPES, role, other])
    made = await owner.administer('mutation { addTeam(input: {name: "T"}) { id } }')
    team = made["addTeam"]["id"]
    numbers = count(1)
    for roles in (("writer",), ("writer", "second")):
        writer = await hire(owner, "W", *roles, team=team)
        me = (await writer.actor()).member_id
        boss = (await owner.actor()).member_id
        selected = "id name textValue integerValue ownerId teamId"
        if fields == {"*": True, "textValue": False} or fields == {"*": True, "integerValue": False}:
            selected = "id name ownerId teamId"  # what is never shown is not there
        elif fields == {"*": False, "name": True}:
            selected = "id name"
        owners: tuple[dict[str, Any], ...] = (
            {},
            {"ownerId": boss},
            {"ownerId": me, "teamId": None},
            {"ownerId": boss, "teamId": None},
        )
        for number, owned in enumerate(owners):
            for name in ("seen", f"n{number}"):
                given = {"name": name, "textValue": "t", "integerValue": next(numbers), **owned}
                body = (await writer.send(CREATE.format(selected), {"i": given})).body
                assert b'"userErrors":[]' in body, body
                record = body.removeprefix(b'{"data":{"made":{"thing":').removesuffix(b',"userErrors":[]}}}')
                if record == b"null":
                    continue
                record_id = record.partition(b'"id":"')[2][:36].decode()
                await is_read_alike(writer, record_id, record, selected)


async def test_what_is_refused_is_told_as_ever(house: House) -> None:
    owner = await found_company(house, [TYPES])
    told = "createThing(input: $i) { userErrors { path code } }"
    ask = f"mutation($i: ThingCreateInput!) {{ {told} }}"
    await owner.data(ask, i={"name": "a", "integerValue": 1})
    cases: tuple[tuple[dict[str, Any], list[str], str], ...] = (
        ({"name": "a", "integerValue": 1}, ["name"], "NOT_UNIQUE"),
        ({"name": "x"}, [], "RULE"),
        ({"name": "b", "otherId": "01931f2e-7000-7001-8000-000000000001"}, ["otherId"], "NOT_FOUND"),
        ({"name": "b", "integerValue": 2**31 - 1, "otherId": "?"}, ["otherId"], "VALIDATION"),
    )
    for given, path, code in cases:
        payload = (await owner.data(ask, i=given))["createThing"]
        assert payload["userErrors"] == [{"path": path, "code": code}]
