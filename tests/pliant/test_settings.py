"""Settings out of the environment, and a house that is opened with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from base.errors import BadInput, Conflict, NotFound
from pliant.house import House
from pliant.settings import Settings, read_settings
from tests.houses import Client
from tests.schema.samples import SALES


def test_defaults_live_in_a_folder() -> None:
    settings = read_settings({})
    assert settings == Settings()
    assert settings.place == Path("pliant-data")


def test_everything_can_be_said() -> None:
    settings = read_settings(
        {
            "PLIANT_DATA_DIR": "/srv/pliant",
            "PLIANT_DATABASE_URL": "postgresql://db/x",
            "PLIANT_SECRET_KEY": "new, old",
            "PLIANT_COMPILED": "off",
            "PLIANT_LIMIT_PAGE_SIZE": "20",
            "PLIANT_LIMIT_ACTOR_SECONDS": "1.5",
        }
    )
    assert (settings.place, settings.secret_keys, settings.compiled) == ("postgresql://db/x", ("new", "old"), False)
    assert (settings.limits.page_size, settings.limits.actor_seconds) == (20, 1.5)


@pytest.mark.parametrize("variable", ["PLIANT_LIMIT_NOPE", "PLIANT_LIMIT_PAGE_SIZE"])
def test_wrong_limits_are_told(variable: str) -> None:
    with pytest.raises(BadInput, match=variable):
        read_settings({variable: "many"})


async def test_a_house_without_compiling(tmp_path: Path) -> None:
    house = await House.open(Settings(tmp_path, secret_keys=("k",), compiled=False))
    try:
        client = Client(house, (await house.create_company("Acme", documents=SALES)).token)
        text = 'mutation { createAccount(input: {name: "A"}) { account { name owner { name } } userErrors { code } } }'
        made = (await client.data(text))["createAccount"]
        assert made == {"account": {"name": "A", "owner": {"name": "Owner"}}, "userErrors": []}
        assert await client.data("{ accounts { totalCount } }") == {"accounts": {"totalCount": 1}}
    finally:
        await house.close()


async def test_companies_come_and_go(tmp_path: Path) -> None:
    house = await House.open(Settings(tmp_path, secret_keys=("k",)))
    try:
        founded = await house.create_company("Acme", "Ann", "ann@x.org", company_id="acme")
        assert [company.id for company in await house.companies()] == ["acme"]
        with pytest.raises(Conflict):
            await house.create_company("Acme", company_id="acme")
        assert (await house.owner("acme")).member_id == founded.owner_id
        with pytest.raises(BadInput):
            await house.add_member("acme", {"name": "Bo", "roles": ["nope"]})
        published = await house.publish("acme", SALES)
        assert (published.version, (await house.head("acme")).version) == (2, 2)
        member = await house.add_member("acme", {"name": "Bo", "roles": ["owner"]})
        token = await house.create_token("acme", member, "t", ["owner"])
        assert (await house.authenticate(token)).member_id == member
        await house.delete_company("acme")
        with pytest.raises(NotFound):
            await house.company("acme")
    finally:
        await house.close()


async def test_a_restart_finds_everything(tmp_path: Path) -> None:
    settings = Settings(tmp_path, secret_keys=("k",))
    house = await House.open(settings)
    token = (await house.create_company("Acme", documents=SALES)).token
    page = "query($a: String) { accounts(first: 1, after: $a) { pageInfo { endCursor hasNextPage } nodes { name } } }"
    await Client(house, token).data('mutation { createAccounts(input: [{name: "A"}, {name: "B"}]) { count } }')
    first = (await Client(house, token).data(page))["accounts"]
    await house.close()
    house = await House.open(settings)
    try:
        second = (await Client(house, token).data(page, a=first["pageInfo"]["endCursor"]))["accounts"]
        assert {first["nodes"][0]["name"], second["nodes"][0]["name"]} == {"A", "B"}
        assert second["pageInfo"]["hasNextPage"] is False
    finally:
        await house.close()
