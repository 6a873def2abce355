"""Tokens and credentials: what is kept, who may make one, and that every refusal looks the same."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from access.actor import Actor
from access.company import Company, State, create_company, delete_company, find_company, move_company
from access.credentials import Credentials, act_as
from access.grant import Operation, Rows
from access.member import update_member
from access.resolve import Resolver, RoleBook
from access.table import MEMBER, TOKEN, Query, parameter
from access.token import Issued, create_token, list_tokens, revoke_token, token_company, token_hash, token_text
from base.clock import now, timestamp
from base.errors import Forbidden, NotFound, Unauthenticated
from base.ids import new_id
from base.limits import Limits
from storage.batch import Applied, Batch, Cause
from storage.types import TIMESTAMP, UUID
from tests.access.conftest import BOOK, SELLER, Book, House, create_tables, make_book


async def catalog_of(company: Company) -> RoleBook:
    return BOOK


async def issue(house: House, member_id: str, *roles: str, maker: Actor | None = None) -> tuple[str, str]:
    issued = await create_token(house.writer(maker), house.company.id, member_id, "test", roles)
    assert issued.faults == ()
    assert issued.text is not None
    assert issued.id is not None
    return issued.text, issued.id


def test_the_text_names_the_company_and_holds_safe_characters() -> None:
    text = token_text("abc23")
    assert re.fullmatch(r"plt_abc23_[A-Za-z0-9._~-]{43}", text)
    assert token_company(text) == "abc23"
    assert token_text("abc23") != text


@pytest.mark.parametrize(
    "text", ["", "plt", "plt__x", "plt_a_short", "xyz_a_" + "x" * 43, "plt_A_" + "x" * 43, "plt_a_" + "x" * 200,
             "plt_a_" + "é" * 43, "plt_a\x00_" + "x" * 43, "plt_a_" + "x" * 43 + "\n"],
)  # fmt: skip
def test_other_texts_are_no_tokens(text: str) -> None:
    assert token_company(text) is None


async def test_only_the_hash_is_kept_and_events_do_not_have_it(house: House) -> None:
    text, token_id = await issue(house, house.owner_id, "owner")
    query = Query(TOKEN.clause.select(), columns=TOKEN.columns)
    (row,) = await query.rows(house.engine, house.company.namespace)
    assert row["hash"] == token_hash(text)
    assert text not in str(row)
    event = (await house.events())[-1]
    assert (event.entity, event.record_id, event.op) == ("_token", token_id, "ACCESS")
    assert event.after is not None
    assert event.after["roles"] == ["owner"]
    assert "hash" not in event.after


async def test_an_actor_is_the_member_with_the_roles_of_the_token(house: House) -> None:
    team = await house.team("Sales")
    ann = await house.member("Ann", email="a@example.com", locale="zh-Hans", teamIds=[team], roles=["seller", "clerk"])
    text, token_id = await issue(house, ann, "seller")
    actor = await Credentials(house.engine).authenticate(text, catalog_of)
    assert (actor.member_id, actor.name, actor.email, actor.locale) == (ann, "Ann", "a@example.com", "zh-Hans")
    assert (actor.team_ids, actor.default_team_id, actor.roles) == ((team,), team, ("seller",))
    assert (actor.company, actor.namespace, actor.token_id) == (house.company.id, house.company.namespace, token_id)
    assert [grant.rows for grant in actor.grants.of("opportunity", Operation.READ)] == [(Rows.TEAM_DOWN,)]
    assert actor.platform == frozenset()


async def test_every_refusal_is_the_same(house: House) -> None:
    engine, company = house.engine, house.company
    ann, bob = await house.member("Ann"), await house.member("Bob")
    revoked, revoked_id = await issue(house, ann)
    assert (await revoke_token(house.writer(), revoked_id)).faults == ()
    inactive, _ = await issue(house, bob)
    await update_member(house.writer(), bob, {"status": "INACTIVE"})
    expired = await create_token(house.writer(), company.id, ann, "e", [], now() + timedelta(milliseconds=60))
    good, _ = await issue(house, ann)
    foreign = good.replace(company.id, "zzzzzzzzzz")
    await asyncio.sleep(0.07)
    refusals: set[str] = set()
    credentials = Credentials(engine)
    for text in ("", "nonsense", token_text(company.id), foreign, revoked, inactive, str(expired.text), good + "x"):
        with pytest.raises(Unauthenticated) as caught:
            await credentials.authenticate(text, catalog_of)
        refusals.add(repr((caught.value.code, caught.value.text, caught.value.details)))
    suspended = await move_company(engine, company, State.SUSPENDED)
    with pytest.raises(Unauthenticated) as caught:
        await credentials.authenticate(good, catalog_of)
    refusals.add(repr((caught.value.code, caught.value.text, caught.value.details)))
    assert len(refusals) == 1
    await move_company(engine, suspended, State.ACTIVE)
    assert (await credentials.authenticate(good, catalog_of)).member_id == ann


async def test_a_token_of_another_company_is_unknown(house: House) -> None:
    async def fill(company: Company) -> None:
        await create_tables(house.engine, company.namespace)

    other = await create_company(house.engine, "Other", fill)
    try:
        text, _ = await issue(house, house.owner_id, "owner")
        with pytest.raises(Unauthenticated):
            await Credentials(house.engine).authenticate(text.replace(house.company.id, other.id), catalog_of)
    finally:
        await delete_company(house.engine, other.id)
    assert await find_company(house.engine, other.id) is None


async def test_actors_are_cached_and_dropped(house: House) -> None:
    credentials = Credentials(house.engine)
    ann = await house.member("Ann")
    text, token_id = await issue(house, ann)
    first = await credentials.authenticate(text, catalog_of)
    await update_member(house.writer(), ann, {"name": "Anna"})
    assert await credentials.authenticate(text, catalog_of) is first
    credentials.forget(house.company.namespace)
    assert (await credentials.authenticate(text, catalog_of)).name == "Anna"
    await revoke_token(house.writer(), token_id)
    credentials.forget(house.company.namespace)
    with pytest.raises(Unauthenticated):
        await credentials.authenticate(text, catalog_of)


async def test_a_cached_actor_grows_old(house: House) -> None:
    credentials = Credentials(house.engine, limits=Limits(actor_seconds=0.05))
    ann = await house.member("Ann")
    text, _ = await issue(house, ann)
    assert (await credentials.authenticate(text, catalog_of)).name == "Ann"
    await update_member(house.writer(), ann, {"name": "Anna"})
    await asyncio.sleep(0.06)
    assert (await credentials.authenticate(text, catalog_of)).name == "Anna"


async def test_the_cache_is_bounded(house: House) -> None:
    credentials = Credentials(house.engine, size=1)
    ann = await house.member("Ann")
    one, two = (await issue(house, ann))[0], (await issue(house, ann))[0]
    first = await credentials.authenticate(one, catalog_of)
    await credentials.authenticate(two, catalog_of)
    again = await credentials.authenticate(one, catalog_of)
    assert again is not first
    assert again == first


async def test_a_new_catalog_gives_new_grants_at_once(house: House) -> None:
    books: list[Book] = [BOOK]

    async def newest(company: Company) -> RoleBook:
        return books[-1]

    credentials = Credentials(house.engine)
    text, _ = await issue(house, house.owner_id, "seller")
    assert (await credentials.authenticate(text, newest)).grants.of("account", Operation.READ) == ()
    books.append(make_book({**SELLER, "entities": {"account": {"read": True}}}))
    assert len((await credentials.authenticate(text, newest)).grants.of("account", Operation.READ)) == 1


async def test_a_token_gives_at_most_what_its_maker_has_now_and_later(house: House) -> None:
    ann = await house.member("Ann", roles=["seller"])
    actor = house.actor(ann, "seller")
    issued: Issued = await create_token(house.writer(actor), house.company.id, ann, "mine", ["owner"])
    assert issued.text is None
    assert [fault.path for fault in issued.faults] == [("roles",)]
    text, _ = await issue(house, ann, "seller", maker=actor)
    credentials = Credentials(house.engine)
    assert (await credentials.authenticate(text, catalog_of)).roles == ("seller",)
    assert (await update_member(house.writer(), ann, {"roles": []})).faults == ()
    credentials.forget(house.company.namespace)
    demoted = await credentials.authenticate(text, catalog_of)
    assert demoted.roles == ()
    assert demoted.grants.entities == {}


async def end_of_member(house: House, member_id: str, how: str) -> None:
    if how == "inactive":
        assert (await update_member(house.writer(), member_id, {"status": "INACTIVE"})).faults == ()
        return
    # no verb deletes a member; the rows of one who was deleted would look like this
    member = MEMBER.clause
    gone = Query(
        sa.update(member).where(member.c["id"] == parameter("id", UUID)).values(deleted_at=parameter("at", TIMESTAMP)),
        {"id": UUID, "at": TIMESTAMP},
    )
    statement = gone.execute(house.engine.dialect, id=member_id, at=now())
    batch = Batch(timestamp(now()), new_id(), Cause(None, "system"), 1, statements=(statement,))
    assert isinstance(await house.engine.apply(house.company.namespace, batch), Applied)


@pytest.mark.parametrize("how", ["inactive", "deleted"])
async def test_a_maker_who_is_not_active_gives_nothing(house: House, how: str) -> None:
    boss, ann = await house.member("Boss", roles=["owner"]), await house.member("Ann", roles=["seller"])
    text, _ = await issue(house, ann, "seller", maker=house.actor(boss, "owner"))
    credentials = Credentials(house.engine)
    assert (await credentials.authenticate(text, catalog_of)).roles == ("seller",)
    await end_of_member(house, boss, how)
    credentials.forget(house.company.namespace)
    left = await credentials.authenticate(text, catalog_of)
    assert (left.member_id, left.roles, left.grants.entities) == (ann, (), {})


async def test_tokens_of_others_need_a_right(house: House) -> None:
    ann = await house.member("Ann", roles=["seller"])
    writer = house.writer(house.actor(ann, "seller"))
    with pytest.raises(Forbidden):
        await create_token(writer, house.company.id, house.owner_id, "theirs", [])
    _, theirs = await issue(house, house.owner_id)
    _, mine = await issue(house, ann)
    with pytest.raises(Forbidden):
        await revoke_token(writer, theirs)
    with pytest.raises(Forbidden):
        await revoke_token(writer, new_id())
    assert (await revoke_token(writer, mine)).faults == ()
    assert [token.id for token in await list_tokens(house.engine, house.company.namespace)] == [theirs]


async def test_bad_inputs_of_tokens(house: House) -> None:
    writer = house.writer()
    issued = await create_token(
        writer, house.company.id, new_id(1), "", ["nobody"], expires_at=now() - timedelta(seconds=1)
    )
    assert {fault.path for fault in issued.faults} == {("name",), ("memberId",), ("expiresAt",), ("roles",)}
    assert (await revoke_token(writer, new_id())).faults[0].code == "NOT_FOUND"


async def test_a_token_that_expires_makes_none_that_live_longer(house: House) -> None:
    ann = await house.member("Ann", roles=["seller"])
    until = now() + timedelta(hours=1)
    first = await create_token(house.writer(), house.company.id, ann, "first", ["seller"], until)
    credentials = Credentials(house.engine)
    actor = await credentials.authenticate(str(first.text), catalog_of)
    assert actor.expires_at == until
    writer = house.writer(actor)

    async def made(expires_at: datetime | None) -> Issued:
        return await create_token(writer, house.company.id, ann, "more", ["seller"], expires_at)

    later = await made(until + timedelta(microseconds=1))
    assert later.text is None
    assert [(fault.path, fault.code) for fault in later.faults] == [(("expiresAt",), "VALIDATION")]
    assert timestamp(until) in later.faults[0].text.en
    passed = await made(now() - timedelta(hours=1))
    assert [fault.text.en for fault in passed.faults] == ["This instant has passed"]
    earlier = until - timedelta(minutes=1)
    for asked, kept in ((None, until), (until, until), (earlier, earlier)):
        actor = await credentials.authenticate(str((await made(asked)).text), catalog_of)
        assert actor.expires_at == kept
    text, _ = await issue(house, ann, "seller", maker=house.actor(ann, "seller"))
    assert (await credentials.authenticate(text, catalog_of)).expires_at is None


async def test_the_system_acts_in_a_members_name(house: House) -> None:
    team = await house.team("Sales")
    ann = await house.member("Ann", teamIds=[team], roles=["seller", "clerk"])
    actor = await act_as(house.engine, house.company, ann, BOOK, Resolver())
    assert (actor.member_id, actor.roles, actor.team_ids) == (ann, ("clerk", "seller"), (team,))
    assert (actor.token_id, actor.default_team_id) == (None, team)
    await update_member(house.writer(), ann, {"status": "INACTIVE"})
    for member_id in (ann, new_id(1)):
        with pytest.raises(NotFound):
            await act_as(house.engine, house.company, member_id, BOOK, Resolver())
