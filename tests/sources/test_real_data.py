"""The public CRM Sales Opportunities data, as docs/recipes/crm-data.md loads it. `PLIANT_REAL_DATA` is its folder."""

from __future__ import annotations

import csv
import os
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from sources import CRM, Options, Summary, import_file, read_mapping, survey, template_mapping
from tests.sources.world import World

DATA = os.environ.get("PLIANT_REAL_DATA", "")
STEPS = (
    ("account", "accounts", "crm_accounts.csv"),
    ("product", "products", "crm_products.csv"),
    ("agent", "agents", "crm_sales_teams.csv"),
    ("opportunity", "opportunities", "crm_sales_pipeline.csv"),
)

pytestmark = pytest.mark.skipif(not DATA, reason="PLIANT_REAL_DATA names no folder with the real data")


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a file."""
    with (Path(DATA) / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def load(world: World) -> list[Summary]:
    """The four imports of the recipe."""
    found = []
    for entity, mapping, name in STEPS:
        options = Options(state=world.folder / "state.json", faults=world.folder / "faults.csv")
        mapped = read_mapping(template_mapping(CRM, mapping))
        found.append(await import_file(world.seat, entity, survey(Path(DATA) / name), mapped, options))
    return found


async def test_totals_equal_the_files(world: World) -> None:
    summaries = await load(world)
    assert [item.counts.created for item in summaries] == [len(rows(name)) for _, _, name in STEPS]
    assert [item.counts.failed for item in summaries] == [0, 0, 0, 0]
    assert not (world.folder / "faults.csv").exists()

    deals = rows("crm_sales_pipeline.csv")
    stages = Counter(row["deal_stage"].upper() for row in deals)
    amounts: Counter[str] = Counter()
    products: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for row in deals:
        product = {"GTXPro": "GTX Pro"}.get(row["product"], row["product"])
        amounts[row["deal_stage"].upper()] += Decimal(row["close_value"] or 0)  # type: ignore[assignment]
        products[product] += Decimal(row["close_value"] or 0)  # type: ignore[assignment]
        counts[product] += 1
    for stage, count in stages.items():
        data = await world.ask(
            f"{{ opportunities(filter: {{stage: {{eq: {stage}}}}}) {{ totalCount aggregate {{ sum {{ amount }} }} }} }}"
        )
        assert data["opportunities"]["totalCount"] == count
        assert Decimal(data["opportunities"]["aggregate"]["sum"]["amount"] or 0) == amounts[stage]
    data = await world.ask("{ products { nodes { name opportunities { totalCount aggregate { sum { amount } } } } } }")
    found = {node["name"]: node["opportunities"] for node in data["products"]["nodes"]}
    assert {name: item["totalCount"] for name, item in found.items()} == counts
    assert {name: Decimal(item["aggregate"]["sum"]["amount"]) for name, item in found.items()} == products


async def test_everything_is_linked(world: World) -> None:
    await load(world)
    deals, accounts = rows("crm_sales_pipeline.csv"), rows("crm_accounts.csv")
    data = await world.ask(
        "{ all: opportunities { totalCount }"
        " bare: opportunities(filter: {accountId: {isNull: true}}) { totalCount }"
        " open: opportunities(filter: {closeOn: {isNull: true}}) { totalCount }"
        " linked: opportunities(filter: {agent: {name: {isNull: false}}, product: {name: {isNull: false}}}) {"
        " totalCount }"
        " subsidiaries: accounts(filter: {subsidiaryOf: {name: {isNull: false}}}) { totalCount }"
        " technology: accounts(filter: {sector: {eq: TECHNOLOGY}}) { totalCount }"
        ' first: opportunities(filter: {engagedOn: {eq: "2016-10-20"}}) { nodes { number } } }'
    )
    assert data["all"]["totalCount"] == data["linked"]["totalCount"] == len(deals) == 8_800
    assert data["bare"]["totalCount"] == sum(not row["account"] for row in deals)
    assert data["open"]["totalCount"] == sum(not row["close_date"] for row in deals)
    assert data["subsidiaries"]["totalCount"] == sum(bool(row["subsidiary_of"]) for row in accounts)
    assert data["technology"]["totalCount"] == sum(row["sector"] == "technolgy" for row in accounts)
    assert [node["number"] for node in data["first"]["nodes"]] == ["1C1I7A6R"]
    again = await load(world)
    assert all(item.counts.unchanged == item.counts.rows for item in again)
