"""Grants decide cell by cell: the Python meaning, against a naive reading of SEMANTICS."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from access.coverage import Record, cell_granted, covers_cell, holds, row_allowed, row_granted
from access.grant import Grant, Operation, Rows
from access.resolve import resolve
from access.role import Known, parse_role
from tests.access.conftest import Known as SmallCatalog

ME, BOSS, PEER = "m-me", "m-boss", "m-peer"


class World:
    """Me in team t1 (t2 below it), one report below me, shares as given: (record, level, fields)."""

    member_id = ME
    team_ids = frozenset({"t1"})
    teams_below = frozenset({"t1", "t2"})
    reports_below = frozenset({ME, "m-report"})

    def __init__(self, shares: tuple[tuple[str, str, tuple[str, ...] | None], ...] = ()) -> None:
        self.shares = shares

    def shared(self, record: Record, level: str, field: str | None) -> bool:
        return any(
            record["id"] == record_id
            and level in ("READ", given)
            and (field is None or fields is None or field in fields)
            for record_id, given, fields in self.shares
        )

    def parent_readable(self, record: Record, relation: str) -> bool:
        return relation == "account" and record.get("accountId") == "a-mine"

    def lookup(self, record: Record, path: tuple[str, ...]) -> Any:
        if path[0] == "actor":
            return {"id": ME, "teamIds": sorted(self.team_ids), "teamId": "t1", "roles": []}[path[1]]
        return record.get(".".join(path))


def read_grants(known: Known, *entities: dict[str, Any], operation: Operation = Operation.READ) -> tuple[Grant, ...]:
    faults: list[Any] = []
    roles = {
        f"r{index}": parse_role({"kind": "role", "name": f"r{index}", "entities": {"opportunity": item}}, known, faults)
        for index, item in enumerate(entities)
    }
    assert faults == []
    return resolve(roles, roles).of("opportunity", operation)


@pytest.mark.parametrize(
    ("rule", "record", "allowed"),
    [
        (Rows.ALL, {}, True),
        (Rows.NONE, {"ownerId": ME}, False),
        (Rows.OWN, {"ownerId": ME}, True),
        (Rows.OWN, {"ownerId": None}, False),
        (Rows.OWN, {"ownerId": "m-report"}, False),
        (Rows.REPORTS_DOWN, {"ownerId": "m-report"}, True),
        (Rows.REPORTS_DOWN, {"ownerId": ME}, True),
        (Rows.REPORTS_DOWN, {"ownerId": BOSS}, False),
        (Rows.TEAM, {"teamId": "t1"}, True),
        (Rows.TEAM, {"teamId": "t2"}, False),
        (Rows.TEAM_DOWN, {"teamId": "t2"}, True),
        (Rows.TEAM_DOWN, {"teamId": None}, False),
        (Rows.SHARED, {"id": "r1"}, True),
        (Rows.SHARED, {"id": "r2"}, False),
    ],
)
def test_row_rules(rule: Rows, record: Record, allowed: bool) -> None:
    assert row_allowed(rule, record, World((("r1", "READ", None),))) is allowed


def test_a_read_share_does_not_let_write(known: Known) -> None:
    (update,) = read_grants(known, {"update": "shared"}, operation=Operation.UPDATE)
    record = {"id": "r1"}
    assert not covers_cell(update, "amount", record, World((("r1", "READ", None),)))
    assert covers_cell(update, "amount", record, World((("r1", "WRITE", ("amount",)),)))
    assert not covers_cell(update, "stage", record, World((("r1", "WRITE", ("amount",)),)))


def test_parents_and_expressions(known: Known) -> None:
    grants = read_grants(known, {"read": ["parent(account)", "stage == 'WON' && ownerId != actor.id"]})
    assert row_granted(grants, {"accountId": "a-mine"}, World())
    assert row_granted(grants, {"stage": "WON", "ownerId": PEER}, World())
    assert not row_granted(grants, {"stage": "WON", "ownerId": ME}, World())
    assert not row_granted(grants, {"stage": None}, World())


def test_null_is_not_true(known: Known) -> None:
    (grant,) = read_grants(known, {"create": {"check": "amount < 5"}}, operation=Operation.CREATE)
    assert not holds(grant.check, {"amount": None}, World())
    assert holds(None, {}, World())


def test_union_of_rows_and_union_of_fields_do_not_leak(known: Known) -> None:
    # role A: all rows but not the margin; role B: own rows with the margin
    grants = read_grants(
        known, {"read": {"rows": "all", "fields": {"*": True, "margin": False}}}, {"read": {"rows": "own"}}
    )
    assert row_granted(grants, {"ownerId": PEER}, World())
    assert cell_granted(grants, "amount", {"ownerId": PEER}, World())
    assert not cell_granted(grants, "margin", {"ownerId": PEER}, World())
    assert cell_granted(grants, "margin", {"ownerId": ME}, World())


RULES = st.sampled_from(["none", "own", "team", "team+", "reports+", "all", "shared", "hot", "parent(account)"])
RIGHTS = st.one_of(st.booleans(), st.just({"when": "stage == 'WON'"}))
BODIES = st.one_of(
    st.booleans(),
    st.lists(RULES, max_size=3),
    st.fixed_dictionaries(
        {"rows": st.lists(RULES, max_size=3)},
        optional={
            "fields": st.fixed_dictionaries(
                {}, optional={"*": st.booleans(), "amount": RIGHTS, "stage": RIGHTS, "accountId": RIGHTS}
            )
        },
    ),
)
RECORDS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["r1", "r2"]),
        "ownerId": st.sampled_from([ME, "m-report", BOSS, None]),
        "teamId": st.sampled_from(["t1", "t2", "t9", None]),
        "accountId": st.sampled_from(["a-mine", "a-other", None]),
        "stage": st.sampled_from(["WON", "LOST", None]),
        "hot": st.sampled_from([True, False, None]),
    }
)


def naive_row(rule: str, record: Record, shared: bool) -> bool:
    owner, team = record["ownerId"], record["teamId"]
    decided: dict[str, bool] = {
        "none": False, "all": True, "own": owner == ME, "team": team == "t1", "team+": team in ("t1", "t2"),
        "reports+": owner in (ME, "m-report"), "shared": shared, "hot": record["hot"] is True,
        "parent(account)": record["accountId"] == "a-mine",
    }  # fmt: skip
    return decided[rule]


def naive_cell(body: Any, field: str, record: Record, shared: bool) -> bool:
    if isinstance(body, bool):
        return body
    rows = body if isinstance(body, list) else body["rows"]
    fields = {"*": True} if isinstance(body, list) else body.get("fields", {"*": True})
    right = fields.get(field, fields.get(f"{field}Id", fields.get("*", False)))
    if isinstance(right, dict):
        right = record["stage"] == "WON"
    return bool(right) and any(naive_row(rule, record, shared) for rule in rows)


@given(st.lists(BODIES, min_size=1, max_size=3), RECORDS, st.sampled_from(["amount", "stage", "account", "id"]))
def test_the_bag_equals_a_naive_reading_of_the_documents(bodies: list[Any], record: Record, field: str) -> None:
    grants = read_grants(SmallCatalog(), *[{"read": body} for body in bodies])
    world = World((("r1", "READ", None),))
    wanted = any(naive_cell(body, field, record, record["id"] == "r1") for body in bodies)
    assert cell_granted(grants, field, record, world) is wanted
