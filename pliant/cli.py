"""The command line: `pliant`. A command is a file in pliant/commands and one line here."""

from __future__ import annotations

import click

from pliant.commands.changes import rollback, upgrade, versions
from pliant.commands.company import company
from pliant.commands.demo import demo
from pliant.commands.doctor import doctor
from pliant.commands.documents import adopt, apply, export, plan
from pliant.commands.import_ import import_
from pliant.commands.member import member
from pliant.commands.migrate import migrate
from pliant.commands.publications import publications, trash
from pliant.commands.replicas import replicas
from pliant.commands.serve import serve
from pliant.commands.token import token

COMMANDS: tuple[click.Command, ...] = (
    demo, serve, company, member, token, adopt, plan, apply, export, versions, rollback, upgrade, publications, trash,
    import_, migrate, replicas, doctor,
)  # fmt: skip
"""Every command, in the order of `pliant --help`."""

_EPILOG = """\b
Settings come from the environment: PLIANT_DATABASE_URL, PLIANT_DATA_DIR,
PLIANT_SECRET_KEY, PLIANT_LIMIT_... (docs/operations.md).
Exit codes: 0 done, 1 faults in the input, 2 wrong usage, 3 database unreachable.
"""


class _Ordered(click.Group):
    """Commands are listed in the order in which one meets them."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Ordered, commands=list(COMMANDS), epilog=_EPILOG)
@click.version_option(package_name="pliant", message="%(prog)s %(version)s")
def main() -> None:
    """Pliant: a sales platform that each company reshapes by publishing JSON documents.

    Commands work on the database of the settings, as its operator: they need no token.
    """
