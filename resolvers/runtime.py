"""The runtime: what all requests of one process share below GraphQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from access.actor import Actor
from access.credentials import Credentials
from access.resolve import Resolver
from access.store import Writer
from access.system import MEMBER_NUMBER, TEAM_NUMBER
from base.limits import Limits
from metadata.catalog import Catalog
from metadata.store import Catalogs, Head
from records.reading.cursor import Sealer
from resolvers.companies import Companies
from resolvers.persisted import PersistedTexts
from resolvers.usage import Usage
from storage.engine import Engine
from storage.types import ColumnType


@dataclass(frozen=True, slots=True)
class Runtime:
    """The engine, what is remembered of companies and credentials, and how cursors are sealed.

    `wake` is called with a namespace after each commit, `wake_jobs` when a job was put there. `compiled` off sends
    every operation through the stock executor. `usage` counts what is run; None counts nothing.
    """

    engine: Engine
    limits: Limits
    sealer: Sealer
    catalogs: Catalogs
    companies: Companies
    credentials: Credentials
    persisted: PersistedTexts
    resolver: Resolver = field(default_factory=Resolver)
    usage: Usage | None = None
    wake: Callable[[str], None] = lambda _: None
    wake_jobs: Callable[[str], None] = lambda _: None
    compiled: bool = True

    def fitting(self, actor: Actor, catalog: Catalog) -> Actor:
        """The actor with his grants in this catalog: it may have been published after he was authenticated."""
        if actor.catalog == catalog.hash:
            return actor
        return replace(actor, grants=self.resolver.grants(catalog, actor.roles), catalog=catalog.hash)

    def writer(self, namespace: str, head: Head, actor: Actor | None) -> Writer:
        """What the verbs of access write with; `actor` None is the system."""
        return Writer(
            self.engine,
            namespace,
            head.catalog,
            head.version,
            actor,
            self.resolver,
            own_columns(head.catalog),
            self.access_changed,
        )

    def access_changed(self, namespace: str) -> None:
        """Members, teams, roles or tokens have changed: actors are read again, the log is numbered."""
        self.credentials.forget(namespace)
        self.wake(namespace)


def own_columns(catalog: Catalog) -> Mapping[str, Mapping[str, ColumnType]]:
    """The columns of the system entities by table: images of members and teams in the log hold the company's own."""
    entities = (catalog.by_number[number] for number in (MEMBER_NUMBER, TEAM_NUMBER))
    return {
        entity.table_name: {column.name: column.type for item in entity.fields.values() for column in item.columns}
        for entity in entities
    }
