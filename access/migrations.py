"""The fixed tables of this room: companies and replicas in control; in each company membership, roles, tokens,
closures, and which versions are served."""

from __future__ import annotations

from collections.abc import Sequence

from access.closure import REPORTS, TEAMS
from access.replica import REPLICA, SERVED
from access.sweep import UNMIGRATED
from access.table import COMPANY, MEMBER_ROLE, TEAM_MEMBER, TOKEN, Table
from storage.ddl import create_index, create_table
from storage.engine import Dialect
from storage.migrations import Migration


def _links(dialect: Dialect) -> list[str]:
    return [
        *_table(TEAM_MEMBER, ("member_id", "team_id"), dialect),
        *create_index("_team_member_team", TEAM_MEMBER.name, ["team_id", "member_id"], dialect),
        *_table(MEMBER_ROLE, ("member_id", "role"), dialect),
        *create_index("_member_role_role", MEMBER_ROLE.name, ["role", "member_id"], dialect),
    ]


def _closures(dialect: Dialect) -> list[str]:
    texts: list[str] = []
    for closure in (TEAMS, REPORTS):
        name = closure.table.name
        texts += _table(closure.table, (closure.upper, closure.lower), dialect)
        texts += create_index(f"{name}_{closure.lower}", name, [closure.lower, closure.upper], dialect)
    return texts


def _tokens(dialect: Dialect) -> list[str]:
    optional = frozenset({"maker_id", "expires_at", "revoked_at"})
    return [
        *_table(TOKEN, ("id",), dialect, optional),
        *create_index("_token_hash", TOKEN.name, ["hash"], dialect, unique=True),
        *create_index("_token_member", TOKEN.name, ["member_id"], dialect),
    ]


def _companies(dialect: Dialect) -> list[str]:
    return _table(COMPANY, ("id",), dialect)


def _replicas(dialect: Dialect) -> list[str]:
    return _table(REPLICA, ("id",), dialect)


def _served(dialect: Dialect) -> list[str]:
    return _table(SERVED, ("replica_id", "version"), dialect)


def _unmigrated(dialect: Dialect) -> list[str]:
    return _table(UNMIGRATED, ("namespace",), dialect)


def _table(table: Table, key: Sequence[str], dialect: Dialect, optional: frozenset[str] = frozenset()) -> list[str]:
    columns = [(name, type_, name not in optional) for name, type_ in table.columns.items()]
    return create_table(table.name, columns, key, dialect)


MIGRATIONS: tuple[Migration, ...] = (
    Migration(300, "membership and roles", _links),
    Migration(301, "closures", _closures),
    Migration(302, "tokens", _tokens),
    Migration(440, "versions served", _served),
)
"""Of every company's namespace."""

CONTROL_MIGRATIONS: tuple[Migration, ...] = (
    Migration(310, "companies", _companies),
    Migration(311, "replicas", _replicas),
    Migration(312, "companies that could not be migrated", _unmigrated),
)
"""Of the control namespace."""
