"""The house: where the rooms are joined into one running process, without HTTP.

The only place that may name every room: migrations, engine, caches, the desk that answers GraphQL, the sequencer.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as release_of
from typing import TypeVar

from access.actor import Actor
from access.company import (
    Company,
    create_company,
    delete_company,
    find_company,
    list_companies,
    recover_companies,
)
from access.credentials import Credentials, act_as
from access.member import add_member, find_member, holders_of
from access.migrations import CONTROL_MIGRATIONS
from access.migrations import MIGRATIONS as ACCESS
from access.presence import Presence
from access.replica import oldest_served
from access.resolve import Resolver
from access.store import Writer
from access.sweep import Sweep
from access.system import OWNER
from access.token import create_token
from base.errors import BadInput, Fault, NotFound, Text
from base.ids import canonical_id
from base.json import Json
from events.sequencer import Sequencer
from metadata.build import Documents
from metadata.catalog import Catalog
from metadata.layers import Application, Layers, read_layers, record_layers, shipped_by
from metadata.migrations import MIGRATIONS as METADATA
from metadata.publishing.jobs import ContractJob, PublicationJob
from metadata.publishing.publish import Published
from metadata.store import Catalogs, Head
from metadata.versions import read_bodies
from pliant.settings import Settings
from records.reading.cursor import Sealer
from records.shares import MIGRATIONS as SHARES
from resolvers.administration import write_access
from resolvers.companies import Companies
from resolvers.persisted import PersistedTexts
from resolvers.publishing import proposal_of, publish_as
from resolvers.rollback import rollback_as
from resolvers.runtime import Runtime
from resolvers.usage import Usage
from schema.desk import Desk
from schema.request import GraphQLRequest, Reply
from sources.seat import Seat
from storage.choice import open_engine
from storage.engine import Engine
from storage.runner import Runner
from storage.upkeep import Upkeep

COMPANY_MIGRATIONS = (*ACCESS, *METADATA, *SHARES)
"""The fixed tables of every company, beside storage's own."""

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Founded:
    """A new company: its owner's member id, and his token, which is shown now and never again."""

    company: Company
    owner_id: str
    token: str


class House:
    """A running Pliant: one engine, one desk. `open` it, use it on one event loop, `close` it.

    `desk` is what a server takes: `authenticate`, `execute`, `execute_admin`, `sdl`, `refuse`, `ready`. A process that
    serves also calls `appear`: `presence` tells the others of it, `sweep` brings companies up to its release.
    """

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.settings = settings
        self.engine = engine
        limits = settings.limits
        resolver = Resolver()
        catalogs = Catalogs(engine, limits)
        self.presence = Presence(engine, release_of("pliant"))
        self.sweep = Sweep(engine)
        self._sequencer = Sequencer(engine, self.sweep.whole)
        self._upkeep = Upkeep(engine, self.sweep.whole)
        companies = Companies(engine, catalogs, limits, self.presence.served)
        jobs = (
            PublicationJob(engine, catalogs, limits, self._announce),
            ContractJob(engine, lambda namespace: oldest_served(engine, namespace)),
        )
        self._runner = Runner(engine, jobs, self.sweep.whole, lease_seconds=limits.job_lease_seconds)
        self._usage = Usage(engine, limits)
        self.runtime = Runtime(
            engine=engine,
            limits=limits,
            sealer=Sealer(_secret_keys(settings)),
            catalogs=catalogs,
            companies=companies,
            credentials=Credentials(engine, resolver, limits),
            persisted=PersistedTexts(engine, limits),
            resolver=resolver,
            usage=self._usage,
            wake=self._sequencer.wake,
            wake_jobs=self._runner.wake,
            compiled=settings.compiled,
        )
        self.desk = Desk(self.runtime)

    @classmethod
    async def open(cls, settings: Settings, engine: Engine | None = None) -> House:
        """Connect, migrate the control tables, remove half-made companies, start what goes on in the background.

        An `engine` that is given (with `COMPANY_MIGRATIONS` and `CONTROL_MIGRATIONS`, not yet open) takes the place
        of the one that the settings name.
        """
        if engine is None:
            engine = open_engine(settings.place, COMPANY_MIGRATIONS, CONTROL_MIGRATIONS, settings.limits)
        house = cls(settings, engine)
        await engine.open()
        try:
            for company in await recover_companies(engine):
                _log.warning("company %s was left half made and has been removed", company.id)
            house._sequencer.start()
            house._upkeep.start()
            house._runner.start()
            engine.listen(lambda namespace, version: house.runtime.companies.moved(namespace, version))
            house._usage.start()
        except BaseException:
            await engine.close()
            raise
        return house

    async def appear(self) -> None:
        """Begin to serve: from now on this process is a replica, and companies are brought up to its release."""
        await self.presence.start()
        self.sweep.start()

    async def close(self) -> None:
        """Finish what is under way and disconnect."""
        await self._runner.stop()
        await self.sweep.stop()
        await self.presence.stop()
        await self.runtime.companies.close()
        await self._usage.stop()
        await self._upkeep.stop()
        await self._sequencer.stop()
        await self.engine.close()

    async def authenticate(self, token: str) -> Actor:
        """The actor behind a token. Raises `Unauthenticated`."""
        return await self.desk.authenticate(token)

    async def execute(self, actor: Actor, request: GraphQLRequest) -> Reply:
        """Answer a request to `/graphql`. Never raises for what a client can cause."""
        return await self.desk.execute(actor, request)

    async def execute_admin(self, actor: Actor | None, request: GraphQLRequest) -> Reply:
        """Answer a request to `/graphql/admin`."""
        return await self.desk.execute_admin(actor, request)

    async def create_company(
        self,
        name: str,
        owner: str = "Owner",
        email: str | None = None,
        documents: Sequence[Mapping[str, Json]] = (),
        company_id: str | None = None,
        application: Application | None = None,
    ) -> Founded:
        """Create a company with its first documents, its owner and a token for him.

        With an `application` the documents are what it ships.

        Raises `DocumentsInvalid`, `Conflict` for an id that is taken; then nothing of the company stays.
        """
        made: list[tuple[str, str]] = []

        async def fill(company: Company) -> None:
            """First documents, owner and token."""
            namespace = company.namespace
            proposal = proposal_of(list(documents))
            done = await publish_as(self.runtime, namespace, None, None, proposal)
            if application is not None:
                await record_layers(self.engine, namespace, shipped_by(application, proposal.documents), None)
            writer = self.runtime.writer(namespace, Head(done.version, done.catalog), None)
            given = {"name": owner, "roles": [OWNER], **({} if email is None else {"email": email})}
            written = await add_member(writer, given)
            _refuse(written.faults)
            assert written.id is not None
            issued = await create_token(writer, company.id, written.id, "owner", [OWNER])
            _refuse(issued.faults)
            assert issued.text is not None
            made.append((written.id, issued.text))

        company = await create_company(self.engine, name, fill, company_id)
        return Founded(company, *made[0])

    async def companies(self) -> tuple[Company, ...]:
        """All companies, oldest first."""
        return await list_companies(self.engine)

    async def company(self, company_id: str) -> Company:
        """The company of a public id. Raises `NotFound`."""
        found = await find_company(self.engine, company_id)
        if found is None:
            raise NotFound(Text(f"There is no company '{company_id}'", f"公司“{company_id}”不存在"))
        return found

    async def delete_company(self, company_id: str) -> None:
        """Delete a company with everything in it, for ever. Raises `NotFound`."""
        company = await self.company(company_id)
        await delete_company(self.engine, company_id)
        self.runtime.companies.forget(company.namespace)
        self.runtime.credentials.forget(company.namespace)

    async def head(self, company_id: str) -> Head:
        """What a company serves now, asked of the database."""
        namespace = (await self.company(company_id)).namespace
        await self.runtime.companies.refresh(namespace)
        return await self.runtime.companies.head(namespace)

    async def actor(self, company_id: str, member_id: str) -> Actor:
        """A member as an actor with all his roles, for work that the command line does in his name."""
        head = await self.head(company_id)
        return await act_as(self.engine, await self.company(company_id), member_id, head.catalog, self.runtime.resolver)

    async def owner(self, company_id: str) -> Actor:
        """An active owner of the company: whom the command line acts as when nobody is named. Raises `NotFound`."""
        company = await self.company(company_id)
        found = await holders_of(self.engine, company.namespace, OWNER)
        if not found:
            raise NotFound(Text("The company has no active owner", "公司没有在职的所有者"))
        return await self.actor(company_id, found[0])

    async def member_id(self, company_id: str, member: str) -> str:
        """The id of a member, given by his id or his e-mail address. Raises `NotFound`."""
        company = await self.company(company_id)
        found = canonical_id(member) or await find_member(self.engine, company.namespace, member)
        if found is None:
            raise NotFound(Text(f"No member has the address {member}", f"没有邮箱为 {member} 的成员"))
        return found

    async def seat(self, company_id: str, member_id: str) -> Seat:
        """Where work outside any request is done as a member."""
        runtime = self.runtime
        company = await self.company(company_id)
        return Seat(
            self.engine,
            company,
            member_id,
            runtime.catalogs,
            runtime.sealer,
            runtime.resolver,
            runtime.limits,
            runtime.wake,
        )

    async def publish(
        self,
        company_id: str,
        documents: Sequence[Mapping[str, Json]],
        removals: Sequence[tuple[str, str]] = (),
        *,
        expected_version: int | None = None,
        allow_loss: Sequence[str] = (),
        wait_seconds: float | None = None,
    ) -> Published:
        """Publish documents as the system, waiting as `publish_as` does. Raises `DocumentsInvalid` and `Conflict`."""
        head = await self.head(company_id)
        proposal = proposal_of(list(documents), removals, allow_loss)
        namespace = (await self.company(company_id)).namespace
        return await publish_as(self.runtime, namespace, None, head, proposal, expected_version, wait_seconds)

    async def rollback(
        self,
        company_id: str,
        to: int,
        *,
        expected_version: int | None = None,
        allow_loss: Sequence[str] = (),
        wait_seconds: float | None = None,
    ) -> Published:
        """Publish the documents of an old version as the system. Raises as `publish` does, and `NotFound`."""
        head = await self.head(company_id)
        namespace = (await self.company(company_id)).namespace
        return await rollback_as(self.runtime, namespace, None, head, to, allow_loss, expected_version, wait_seconds)

    async def layers(self, company_id: str) -> Layers:
        """The documents that applications have shipped to a company."""
        return await read_layers(self.engine, (await self.company(company_id)).namespace)

    async def record_layers(self, company_id: str, layers: Layers, gone: Collection[tuple[str, str]] = ()) -> None:
        """Keep, as the system, that documents were shipped, and that those of `gone` are not shipped any more."""
        namespace = (await self.company(company_id)).namespace
        await record_layers(self.engine, namespace, layers, None, gone)
        self.runtime.wake(namespace)

    async def authored(self, company_id: str, version: int) -> Documents:
        """The documents of a version as they were authored, key by key. Raises `NotFound`."""
        (body,) = await read_bodies(self.engine, (await self.company(company_id)).namespace, version)
        return body.documents

    async def add_member(self, company_id: str, input: Mapping[str, Json]) -> str:
        """Add a member as the system and give his id. Raises `BadInput` with the first fault."""
        written = await self._write_access(company_id, lambda writer: add_member(writer, input))
        _refuse(written.faults)
        assert written.id is not None
        return written.id

    async def create_token(self, company_id: str, member_id: str, name: str, roles: Sequence[str]) -> str:
        """Make a token as the system; the text is shown now and never again. Raises `BadInput`."""
        company = (await self.company(company_id)).id
        issued = await self._write_access(
            company_id, lambda writer: create_token(writer, company, member_id, name, roles)
        )
        _refuse(issued.faults)
        assert issued.text is not None
        return issued.text

    async def _write_access(self, company_id: str, work: Callable[[Writer], Awaitable[T]]) -> T:
        """Run a verb of access as the system."""
        head = await self.head(company_id)
        namespace = (await self.company(company_id)).namespace
        return await write_access(self.runtime, namespace, head, None, work)

    async def _announce(self, namespace: str, version: int, catalog: Catalog) -> None:
        """A job of this process has moved a head."""
        await self.runtime.companies.published(namespace, version, catalog)
        self.runtime.access_changed(namespace)


def _secret_keys(settings: Settings) -> Sequence[str]:
    if settings.secret_keys:
        return settings.secret_keys
    _log.warning("PLIANT_SECRET_KEY is not set: cursors end with this process")
    return (secrets.token_urlsafe(32),)


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        first = faults[0]
        where = "/".join(first.path)
        prefix = f"{where}: " if where else ""
        raise BadInput(Text(prefix + first.text.en, prefix + first.text.zh))
