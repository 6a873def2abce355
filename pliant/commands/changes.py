"""`pliant versions`, `rollback` and `upgrade`: a company's documents through time, and what applications ship anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from base.clock import timestamp
from base.errors import DocumentsInvalid, Fault, Text
from base.json import Json
from metadata.faults import INVALID, UNKNOWN
from metadata.folder import read_folder
from metadata.layers import Application, Contested, Upgrade, parse_application, shipped_by, upgrade_proposal
from metadata.store import list_versions
from metadata.versions import Difference, differences, read_bodies
from pliant.changes import placed
from pliant.commands.documents import folder_argument, loss_option
from pliant.following import followed
from pliant.house import House
from pliant.plans import agreed, plan_json, plan_lines, planned, published_json, published_lines, yes_option
from pliant.terminal import chosen_company, company_option, in_house, json_option, locale, show
from resolvers.publishing import Proposal
from resolvers.rollback import rollback_proposal

plan_option = click.option("--plan", "only_plan", is_flag=True, help="Only show what would change.")

_SIGNS = {"added": "+", "removed": "-", "renamed": "~", "altered": "~"}


@click.command()
@click.option("--first", type=click.IntRange(1, 1_000), default=20, show_default=True, help="So many, newest first.")
@company_option
@json_option
def versions(first: int, company_id: str | None, as_json: bool) -> None:
    """List the company's versions, newest first: when, by whom, and which documents each changed."""

    async def work(house: House) -> None:
        company = await house.company(await chosen_company(house, company_id))
        value: list[Json] = []
        lines: list[str] = []
        for item in await list_versions(house.engine, company.namespace, first):
            before, after = await read_bodies(house.engine, company.namespace, item.version - 1, item.version)
            changed = differences(before.documents, after.documents)
            at, author = timestamp(item.created_at), item.author_id
            told: list[Json] = [_difference_json(one) for one in changed]
            value.append({"version": item.version, "at": at, "author": author, "changed": told})
            shown = ", ".join(_SIGNS[one.change.value] + f"{one.kind}/{one.name}" for one in changed[:6])
            more = f" (+{len(changed) - 6})" if len(changed) > 6 else ""
            lines.append(f"{item.version:>5}  {at[:19]}Z  {author or 'system':<36}  {shown}{more}")
        show(as_json, value, lines)

    in_house(as_json, work)


@click.command()
@click.argument("version", type=click.IntRange(1))
@loss_option
@plan_option
@yes_option
@company_option
@json_option
def rollback(
    version: int, allow_loss: Sequence[str], only_plan: bool, yes: bool, company_id: str | None, as_json: bool
) -> None:
    """Publish the documents of an old VERSION again, as a new version.

    What was added since is removed; what was renamed gets its old name and keeps its values. `pliant versions` lists
    the numbers.
    """

    async def work(house: House) -> None:
        company = await chosen_company(house, company_id)
        head, namespace = await house.head(company), (await house.company(company)).namespace
        proposal = await rollback_proposal(house.runtime, namespace, head, version, allow_loss)
        if only_plan:
            found = await planned(house, company, head, proposal)
            show(as_json, plan_json(found, locale()), plan_lines(found, locale()))
            return
        await agreed(house, company, head, proposal, yes or as_json)
        published = await house.rollback(
            company, version, expected_version=head.version, allow_loss=allow_loss, wait_seconds=0
        )
        published = await followed(house, company, published, as_json)
        show(as_json, published_json(published), published_lines(published, locale()))

    in_house(as_json, work)


@dataclass(frozen=True, slots=True)
class _Upgrading:
    """What an upgrade starts from: the documents as shipped before, as the company has them, as shipped now."""

    base: Mapping[tuple[str, str], Mapping[str, Json]]
    theirs: Mapping[tuple[str, str], Mapping[str, Json]]
    found: Upgrade


@click.command()
@folder_argument
@click.option("--application", required=True, metavar="NAME@VERSION", help="What the folder holds.")
@click.option("--ours", multiple=True, metavar="KIND/NAME", help="Where both changed it: keep the company's document.")
@click.option("--theirs", multiple=True, metavar="KIND/NAME", help="Where both changed it: take the application's.")
@loss_option
@plan_option
@yes_option
@company_option
@json_option
def upgrade(
    folder: Path,
    application: str,
    ours: Sequence[str],
    theirs: Sequence[str],
    allow_loss: Sequence[str],
    only_plan: bool,
    yes: bool,
    company_id: str | None,
    as_json: bool,
) -> None:
    """Bring the documents of an application to the version in FOLDER, and keep what the company has made of them.

    What only one side changed is taken; what both changed is merged where the changes do not meet. Where they meet
    nothing is done until --ours or --theirs says for each document which is meant.
    """

    async def work(house: House) -> None:
        wanted, shipper = read_folder(folder, house.settings.limits), parse_application(application)
        company = await chosen_company(house, company_id)
        head = await house.head(company)
        upgrading = await _upgrading(house, company, head.version, shipper, wanted.documents)
        proposal = _settled(upgrading, set(ours), set(theirs), tuple(allow_loss))
        if only_plan:
            found = await planned(house, company, head, proposal)
            show(as_json, plan_json(found, locale()), plan_lines(found, locale()))
            return
        await agreed(house, company, head, proposal, yes or as_json)
        try:
            published = await house.publish(
                company,
                list(proposal.documents.values()),
                proposal.removals,
                expected_version=head.version,
                allow_loss=allow_loss,
                wait_seconds=0,
            )
            published = await followed(house, company, published, as_json)
        except DocumentsInvalid as error:
            raise placed(wanted, error) from error
        gone = upgrading.base.keys() - wanted.documents.keys()
        await house.record_layers(company, shipped_by(shipper, wanted.documents), gone)
        show(as_json, published_json(published), published_lines(published, locale()))

    in_house(as_json, work)


async def _upgrading(
    house: House,
    company: str,
    version: int,
    application: Application,
    theirs: Mapping[tuple[str, str], Mapping[str, Json]],
) -> _Upgrading:
    layers = await house.layers(company)
    base = {key: layer.shipped for key, layer in layers.items() if layer.application.name == application.name}
    if not base:
        en = f"no document of the company comes from {application.name!r}: pliant apply --application marks them"
        zh = f"公司没有来自“{application.name}”的文档：可用 pliant apply --application 标记"
        raise DocumentsInvalid((Fault(("application",), UNKNOWN, Text(en, zh)),))
    found = upgrade_proposal(base, await house.authored(company, version), theirs)
    return _Upgrading(base, theirs, found)


def _settled(upgrading: _Upgrading, ours: set[str], theirs: set[str], allow_loss: tuple[str, ...]) -> Proposal:
    """The proposal once every contested document is decided. Raises `DocumentsInvalid` with those that are not."""
    documents, removals = dict(upgrading.found.documents), list(upgrading.found.removals)
    faults: list[Fault] = []
    names = {f"{item.kind}/{item.name}" for item in upgrading.found.contested}
    for name in sorted((ours | theirs) - names):
        text = Text("is not contested: --ours and --theirs settle nothing here", "没有冲突，无需 --ours 或 --theirs")
        faults.append(Fault((name,), INVALID, text))
    for item in upgrading.found.contested:
        key, name = (item.kind, item.name), f"{item.kind}/{item.name}"
        if (name in ours) is (name in theirs):
            faults.append(_contested(item))
        elif name in theirs and item.theirs is not None:
            documents[key] = item.theirs
        elif name in theirs and item.yours is not None:
            removals.append(key)
    if faults:
        raise DocumentsInvalid(tuple(faults))
    return Proposal(documents, tuple(removals), allow_loss)


def _contested(item: Contested) -> Fault:
    where = ", ".join(".".join(meeting.path) or "." for meeting in item.meetings)
    name = f"{item.kind}/{item.name}"
    en = f"changed by the company and by the application, at {where}: say --ours {name} or --theirs {name}"
    zh = f"公司与应用都修改了 {where}：请用 --ours {name} 或 --theirs {name} 指定"
    return Fault((item.kind, item.name), "CONFLICT", Text(en, zh), {"paths": where})


def _difference_json(item: Difference) -> Mapping[str, Json]:
    told: dict[str, Json] = {"change": item.change.value, "kind": item.kind, "name": item.name}
    return told if item.was is None else {**told, "was": item.was}
