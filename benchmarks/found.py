"""Founding the benchmark company through the house, as an operator would, before rows are loaded past the door."""

from __future__ import annotations

from dataclasses import dataclass

from access.team import add_team
from benchmarks.company import DOCUMENTS, SELLER
from metadata.catalog import Catalog
from pliant.house import House

COMPANY = "bench"


@dataclass(frozen=True, slots=True)
class Founding:
    """The company and who asks: a seller with limits, and the owner without any."""

    namespace: str
    catalog: Catalog
    head_office: str
    seller_token: str
    owner_token: str

    @property
    def numbers(self) -> dict[str, int]:
        """The entities' numbers in ids."""
        return {name: entity.number for name, entity in self.catalog.entities.items()}


async def found_company(house: House) -> Founding:
    """The company with its documents, a head office above all teams, and a seller who sits there."""
    for known in await house.companies():
        if known.id == COMPANY:
            await house.delete_company(COMPANY)
    founded = await house.create_company("Benchmark", documents=DOCUMENTS, company_id=COMPANY)
    head = await house.head(COMPANY)
    namespace = founded.company.namespace
    team = await add_team(house.runtime.writer(namespace, head, None), {"name": "Head office"})
    assert team.id is not None
    member = await house.add_member(
        COMPANY, {"name": "Seller", "email": "seller@benchmark.example", "teamIds": [team.id], "roles": [SELLER]}
    )
    token = await house.create_token(COMPANY, member, "benchmark", [SELLER])
    return Founding(namespace, head.catalog, team.id, token, founded.token)
