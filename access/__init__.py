"""Who may do what: companies, members, teams, roles, grants, tokens, actors.

Access decides who; records decides which rows. Row rules are kept here as expression trees and become SQL in
records/gate; `access.coverage` says in Python what they mean. Nothing here knows GraphQL, HTTP or a catalog's fields.
"""

from access.actor import Actor
from access.closure import REPORTS, TEAMS
from access.company import (
    Company,
    State,
    create_company,
    delete_company,
    find_company,
    list_companies,
    move_company,
    recover_companies,
)
from access.comparison import lacking
from access.coverage import World, cell_granted, covers_cell, covers_row, holds, row_allowed, row_granted
from access.credentials import Credentials, act_as
from access.effective import Explained, explain
from access.grant import (
    ALL_FIELDS,
    FieldRights,
    Grant,
    GrantSet,
    Operation,
    ParentRows,
    RowRule,
    Rows,
    RowsWhere,
)
from access.member import (
    add_member,
    find_member,
    manager_remains,
    roles_of_member,
    teams_of_member,
    update_member,
)
from access.migrations import CONTROL_MIGRATIONS, MIGRATIONS
from access.resolve import Resolver, RoleBook, resolve, roles_of
from access.right import PLATFORM_RIGHTS, PlatformRight
from access.role import ROLE_METASCHEMA, Known, Role, check_roles, parse_role
from access.store import Writer, Written
from access.system import OWNER, SYSTEM_DOCUMENTS
from access.team import add_team, remove_team, update_team
from access.token import Issued, Token, create_token, list_tokens, revoke_token

__all__ = [
    "ALL_FIELDS",
    "CONTROL_MIGRATIONS",
    "MIGRATIONS",
    "OWNER",
    "PLATFORM_RIGHTS",
    "REPORTS",
    "ROLE_METASCHEMA",
    "SYSTEM_DOCUMENTS",
    "TEAMS",
    "Actor",
    "Company",
    "Credentials",
    "Explained",
    "FieldRights",
    "Grant",
    "GrantSet",
    "Issued",
    "Known",
    "Operation",
    "ParentRows",
    "PlatformRight",
    "Resolver",
    "Role",
    "RoleBook",
    "RowRule",
    "Rows",
    "RowsWhere",
    "State",
    "Token",
    "World",
    "Writer",
    "Written",
    "act_as",
    "add_member",
    "add_team",
    "cell_granted",
    "check_roles",
    "covers_cell",
    "covers_row",
    "create_company",
    "create_token",
    "delete_company",
    "explain",
    "find_company",
    "find_member",
    "holds",
    "lacking",
    "list_companies",
    "list_tokens",
    "manager_remains",
    "move_company",
    "parse_role",
    "recover_companies",
    "remove_team",
    "resolve",
    "revoke_token",
    "roles_of",
    "roles_of_member",
    "row_allowed",
    "row_granted",
    "teams_of_member",
    "update_member",
    "update_team",
]
