"""A company in which much is hidden from Sue.

She reads every person but not the salary and the like (role `clerk`), and of her own record those too (role `self`):
one grant must cover a cell. Notes of others, and the whole entity `vault`, are hidden from her.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pliant.house import House
from tests.houses import Client, found_company, hire

NOWHERE = "00000000-0000-7003-8000-000000000000"
ERRORS = "userErrors { path code message details }"

PERSON: dict[str, Any] = {
    "kind": "entity",
    "name": "person",
    "title": "Person",
    "x-plural": "people",
    "x-display": "name",
    "x-search": ["name", "alias"],
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 100},
        "salary": {"type": "string", "format": "decimal"},
        "alias": {"type": "string", "maxLength": 100},
        "badge": {"type": "string", "maxLength": 100},
        "grade": {"enum": ["LOW", "HIGH"]},
        "boss": {"x-type": "reference", "x-entity": "person", "x-inverse": "reports"},
        "secrets": {"x-type": "tags"},
        "extra": {"type": "object"},
    },
    "required": ["name"],
    "x-unique": [["badge"], ["name", "alias"]],
    "x-rules": [{"name": "fair", "check": "salary == null || salary < 1000000", "message": "Too much", "path": "name"}],
}
NOTE: dict[str, Any] = {
    "kind": "entity",
    "name": "note",
    "title": "Note",
    "x-display": "text",
    "type": "object",
    "properties": {
        "text": {"type": "string", "maxLength": 100},
        "score": {"type": "integer"},
        "about": {"x-type": "reference", "x-entity": "person", "x-inverse": "notes", "x-onDelete": "restrict"},
        "related": {"x-type": "references", "x-entity": "person", "x-inverse": "mentions"},
    },
}
VAULT: dict[str, Any] = {
    "kind": "entity",
    "name": "vault",
    "title": "Vault",
    "x-display": "code",
    "type": "object",
    "properties": {
        "code": {"type": "string", "maxLength": 100},
        "keeper": {"x-type": "reference", "x-entity": "person", "x-inverse": "vaults", "x-onDelete": "restrict"},
    },
}
HIDDEN = ("salary", "alias", "badge", "secrets", "extra")
CLERK: dict[str, Any] = {
    "kind": "role",
    "name": "clerk",
    "title": "Clerk",
    "entities": {
        "person": {
            "read": {"rows": ["all"], "fields": {"*": True, **dict.fromkeys(HIDDEN, False)}},
            "create": {"fields": {"*": True, **dict.fromkeys(HIDDEN, False)}},
            "update": {"rows": ["all"], "fields": {"*": True, **dict.fromkeys(HIDDEN, False)}},
            "delete": True,
        },
        "note": {"read": {"rows": ["own"]}, "create": True, "update": {"rows": ["own"]}, "delete": {"rows": ["own"]}},
    },
}
SELF: dict[str, Any] = {
    "kind": "role",
    "name": "self",
    "title": "Self",
    "entities": {"person": {"read": {"rows": ["own"]}, "create": True, "update": {"rows": ["own"]}}},
}
STAFF = ({"kind": "app", "name": "app", "title": "Staff"}, PERSON, NOTE, VAULT, CLERK, SELF)


@dataclass
class Staff:
    """A company with hidden values, seen by its owner and by Sue."""

    owner: Client
    sue: Client
    ids: dict[str, str]

    async def change(self, **values: Any) -> None:
        """Give other hidden values to everybody but Sue; the versions of the rows move, their visible fields do not."""
        text = f"mutation($id: ID!, $i: PersonUpdateInput!) {{ updatePerson(id: $id, input: $i) {{ {ERRORS} }} }}"
        for name in ("ann", "bob", "cat"):
            given = {key: value(name) for key, value in values.items()}
            done = await self.owner.data(text, id=self.ids[name], i=given)
            assert done["updatePerson"]["userErrors"] == []


async def found_staff(house: House) -> Staff:
    """Ann, Bob and Cat of the owner, Sue's own record, and notes of both."""
    owner = await found_company(house, STAFF)
    sue = await hire(owner, "Sue", "clerk", "self")
    make = f"mutation($i: PersonCreateInput!) {{ createPerson(input: $i) {{ person {{ id }} {ERRORS} }} }}"
    note = f"mutation($i: NoteCreateInput!) {{ createNote(input: $i) {{ note {{ id }} {ERRORS} }} }}"
    ids: dict[str, str] = {}
    for name, salary, client in (("ann", 100, owner), ("bob", 200, owner), ("cat", 300, owner), ("sue", 150, sue)):
        given: dict[str, Any] = {
            "name": name,
            "grade": "HIGH" if salary > 150 else "LOW",
            "alias": f"{name}-alias",
            "badge": f"b-{name}",
        }
        given |= {"salary": str(salary), "secrets": [name], "extra": {"k": name}}
        if name != "ann":
            given["boss"] = {"connect": ids["ann"]}
        made = (await client.data(make, i=given))["createPerson"]
        assert made["userErrors"] == []
        ids[name] = made["person"]["id"]
    for name, score, client in (("hidden", 5, owner), ("shown", 1, sue)):
        given = {"text": name, "score": score, "about": {"connect": ids["ann"]}, "related": {"connect": [ids["bob"]]}}
        made = (await client.data(note, i=given))["createNote"]
        assert made["userErrors"] == []
        ids[name] = made["note"]["id"]
    await owner.data(
        'mutation($a: ID!) { createVault(input: {code: "x", keeper: {connect: $a}}) { vault { id } } }', a=ids["ann"]
    )
    return Staff(owner, sue, ids)
