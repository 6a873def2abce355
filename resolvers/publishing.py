"""Publishing for an actor: rights, roles that nobody may use to rise or to lock everybody out, and the new head."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

from access.actor import Actor
from access.comparison import lacking
from access.grant import GrantSet, Operation, Rows
from access.member import manager_remains
from access.resolve import resolve, roles_of
from access.right import DOCUMENTS_PUBLISH, ROLES_MANAGE
from access.role import Role
from base.errors import BadInput, DocumentsInvalid, Fault, Text
from base.json import Json
from metadata.build import Documents, next_catalog
from metadata.catalog import Catalog
from metadata.changesets import Seen
from metadata.faults import invalid, refused
from metadata.publishing.planning import merge
from metadata.publishing.publication import State, find_publication
from metadata.publishing.publish import Published, moved, publish
from metadata.publishing.removed import name_both_sides
from metadata.scope import ACTOR
from metadata.store import Head
from resolvers.runtime import Runtime

_ROLE: Final = "role"

_LOOK_SECONDS: Final = 0.02
"""Between two looks at a publication that is waited for: a small one takes some hundredths of a second."""

Key = tuple[str, str]
"""Kind and name of a document."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Documents to be put over the head's, documents to be removed, and the losses that are meant."""

    documents: Documents
    removals: tuple[Key, ...] = ()
    allow_loss: tuple[str, ...] = ()

    @property
    def keys(self) -> set[Key]:
        """Every document that is touched."""
        return {*self.documents, *self.removals}


def proposal_of(documents: Sequence[Json], removals: Sequence[Key] = (), allow_loss: Sequence[str] = ()) -> Proposal:
    """A proposal from documents as they were sent. Raises `DocumentsInvalid` for what is no document at all."""
    found: dict[Key, Mapping[str, Json]] = {}
    faults: list[Fault] = []
    for place, document in enumerate(documents):
        path = ("documents", str(place))
        kind, name = (document.get("kind"), document.get("name")) if isinstance(document, Mapping) else (None, None)
        if not isinstance(kind, str) or not isinstance(name, str):
            faults.append(invalid(path, "a document is an object with kind and name", "文档须为含 kind 与 name 的对象"))
        elif (kind, name) in found:
            faults.append(invalid(path, f"{kind}/{name} is given twice", f"{kind}/{name} 重复出现"))
        else:
            found[kind, name] = cast(Mapping[str, Json], document)
    if faults:
        raise DocumentsInvalid(tuple(faults))
    return Proposal(found, tuple(removals), tuple(allow_loss))


async def publish_as(
    runtime: Runtime,
    namespace: str,
    actor: Actor | None,
    head: Head | None,
    proposal: Proposal,
    expected_version: int | None = None,
    wait_seconds: float | None = None,
    change_set: Seen | None = None,
) -> Published:
    """Publish over a head; `actor` None is the system. From then on this process serves the new version.

    One that has to be prepared is waited for, by default as long as `limits` say; then it goes on by itself. Raises
    `DocumentsInvalid`, `Conflict`, and `Forbidden` when the actor may not publish these kinds of documents.
    """
    touches_roles = any(kind == _ROLE for kind, _ in proposal.keys)
    if actor is not None:
        actor.require(DOCUMENTS_PUBLISH)
        if touches_roles:
            actor.require(ROLES_MANAGE)
    if head is not None:
        if expected_version is not None and expected_version != head.version:
            raise await moved(runtime.engine, namespace, head.version)
        check_removals(head.catalog, proposal)
    if head is not None and touches_roles:
        catalog = await proposed_catalog(runtime, head, proposal)
        faults = await role_faults(runtime, namespace, actor, head.catalog, catalog, proposal)
        if faults:
            raise DocumentsInvalid(tuple(faults))
    published = await publish(
        runtime.engine,
        namespace,
        head,
        proposal.documents,
        proposal.removals,
        expected_version=expected_version,
        allow_loss=proposal.allow_loss,
        author_id=None if actor is None else actor.member_id,
        limits=runtime.limits,
        change_set=change_set,
    )
    if published.publication is not None:
        wait = runtime.limits.publish_wait_seconds if wait_seconds is None else wait_seconds
        published = await waited(runtime, namespace, published, wait)
    await runtime.companies.published(namespace, published.version, published.catalog)
    runtime.access_changed(namespace)
    return published


async def waited(runtime: Runtime, namespace: str, done: Published, seconds: float) -> Published:
    """A publish that is prepared by a job, once it is served, or as it stands when the time is over.

    Raises `DocumentsInvalid` when rows stood against it.
    """
    begun = done.publication
    if begun is None:
        return done
    runtime.wake_jobs(namespace)
    deadline = time.monotonic() + seconds
    while begun.open and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_SECONDS)
        found = await find_publication(runtime.engine, namespace, begun.id)
        begun = found if found is not None else begun
    if begun.state in (State.FAILED, State.FAILING):
        raise DocumentsInvalid(begun.faults)
    if begun.version is None:
        return replace(done, publication=begun)
    await runtime.companies.refresh(namespace)
    catalog = await runtime.catalogs.get(namespace, begun.version)
    return Published(begun.version, catalog, done.changes, begun)


def check_removals(before: Catalog, proposal: Proposal) -> None:
    """Raise `BadInput` when a document is to be removed that does not exist."""
    missing = [key for key in proposal.removals if key not in before.documents]
    if missing:
        kind, name = missing[0]
        raise BadInput(Text(f"There is no document {kind}/{name} to remove", f"没有可删除的文档 {kind}/{name}"))


async def proposed_catalog(runtime: Runtime, head: Head, proposal: Proposal) -> Catalog:
    """The catalog that a proposal makes of a head. Raises `DocumentsInvalid`."""
    before = head.catalog
    documents = merge(before.documents, proposal.documents, proposal.removals)
    keys, limits = proposal.documents.keys(), runtime.limits
    try:
        # checking hundreds of documents takes long enough that others would notice
        return await asyncio.to_thread(next_catalog, documents, before.physical, keys, limits)
    except DocumentsInvalid as error:
        raise DocumentsInvalid(name_both_sides(error.faults, before.documents, documents)) from error


async def role_faults(
    runtime: Runtime, namespace: str, actor: Actor | None, before: Catalog, after: Catalog, proposal: Proposal
) -> list[Fault]:
    """Nobody grants what he lacks, and somebody must still be able to manage members."""
    names = sorted(name for kind, name in proposal.keys if kind == _ROLE)
    if not names:
        return []
    faults: list[Fault] = []
    roles = roles_of(after)
    if actor is not None:
        have = resolve(_trusted(before, after), actor.roles)
        for name in names:
            missing = lacking(have, resolve(roles, [name])) if name in roles else ()
            if missing:
                some = ", ".join(missing[:5])
                en = f"the role gives what you do not have yourself: {some}"
                faults.append(refused((_ROLE, name), en, f"该角色包含您自己没有的权限：{some}"))
            unseen = _unseen(before, after, have, name)
            if unseen:
                some = ", ".join(unseen[:5])
                en = f"a rule of the role reads what you may not read yourself: {some}"
                faults.append(refused((_ROLE, name), en, f"该角色的规则读取了您自己无权读取的字段：{some}"))
    if not await manager_remains(runtime.engine, namespace, after, runtime.resolver):
        en = "no active member could manage members any more"
        faults.append(refused((_ROLE, names[0]), en, "将不再有可管理成员的在职成员"))
    return faults


def _trusted(before: Catalog, after: Catalog) -> Mapping[str, Role]:
    """Roles as they count for the author: what he changes counts as it was, so that nobody raises himself."""
    old, new = roles_of(before), roles_of(after)
    same: Collection[str] = {
        name for name in new if before.documents.get((_ROLE, name)) == after.documents.get((_ROLE, name))
    }
    return {**old, **{name: new[name] for name in same}}


def _unseen(before: Catalog, after: Catalog, have: GrantSet, name: str) -> list[str]:
    """Fields that new expressions of a role read and its author may not: who sees a row would tell him their values."""
    old, new = roles_of(before).get(name), roles_of(after).get(name)
    found: set[str] = set()
    for entity, grants in (new.entities if new is not None else {}).items():
        known = [*have.entities.get(entity, ()), *(old.entities.get(entity, ()) if old is not None else ())]
        sources = {item.source for grant in known for item in grant.expressions}
        for item in {item for grant in grants for item in grant.expressions if item.source not in sources}:
            for path in item.reads:
                found.update(_unread(after, have, entity, path))
    return sorted(found)


def _unread(catalog: Catalog, have: GrantSet, entity: str, path: Sequence[str]) -> list[str]:
    if path[0] == ACTOR:
        return []
    found, current = [], catalog.entities[entity]
    for step in path:
        relation = current.relations.get(step)
        field = current.by_api_name.get(step) or current.fields[step]
        reading = have.of(current.name, Operation.READ)
        if not any(Rows.ALL in grant.rows and grant.fields.right(field.name) is True for grant in reading):
            found.append(f"{current.name}.{field.name}")
        if relation is not None and step is not path[-1]:
            current = catalog.entities[relation.target]
    return found
