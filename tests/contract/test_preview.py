"""The preview of a publish on real rows: what fails and who may see it, who needs what goes, what it costs."""

from __future__ import annotations

import copy
from typing import Any

from resolvers.preview import Preview
from resolvers.publishing import proposal_of
from schema.preview import preview_of
from tests.contract.conftest import SELLER
from tests.houses import Client, hire
from tests.schema.samples import ACCOUNT, OPPORTUNITY

CREATE = """mutation($i: [OpportunityCreateInput!]!) {
  createOpportunities(input: $i) { count userErrors { path message } } }"""


async def previewed(client: Client, *documents: dict[str, Any], allow_loss: tuple[str, ...] = ()) -> Preview:
    """The preview that a client is given."""
    actor = await client.actor()
    head = await client.house.head(actor.company)
    return await preview_of(
        client.house.runtime, actor, head, proposal_of(list(documents), (), allow_loss)
    )  # fmt: skip


async def filled(owner: Client) -> None:
    """Ten opportunities: probabilities 0 to 90, names of ten lengths, every other without an amount."""
    rows = [
        {"name": "n" * (place + 1), "probability": place * 10, **({"amount": "5.5"} if place % 2 else {})}
        for place in range(10)
    ]
    assert (await owner.data(CREATE, i=rows))["createOpportunities"]["count"] == 10


def changed(**properties: dict[str, Any]) -> dict[str, Any]:
    """The opportunity's document with properties put over its own."""
    document = copy.deepcopy(OPPORTUNITY)
    document["properties"].update(properties)
    return document


async def test_failing_rows_are_counted_and_listed(owner: Client) -> None:
    await filled(owner)
    document = changed(
        probability={"type": "integer", "minimum": 0, "maximum": 50},
        name={**OPPORTUNITY["properties"]["name"], "maxLength": 7},
    )
    document["required"] = ["name", "amount"]
    found = await previewed(owner, document)
    told = {item.path: item for item in found.rows}
    bound = told["entity", "opportunity", "properties", "probability"]
    assert (bound.count, bound.blocks, bound.scanned) == (4, False, None)
    assert bound.text.en == "have a probability above 50"
    missing = told["entity", "opportunity", "properties", "amount"]
    assert (missing.count, missing.blocks) == (5, True)
    assert [fault.details["count"] for fault in found.faults] == [5]
    assert told["entity", "opportunity", "properties", "name"].count == 3
    for item in (bound, missing):
        assert item.query is not None
        listed = (await owner.data(item.query))["opportunities"]
        assert listed["totalCount"] == item.count
        assert {sample.id for sample in item.samples} <= {node["id"] for node in listed["nodes"]}
    long = told["entity", "opportunity", "properties", "name"]
    assert long.query is not None
    assert [node["name"] for node in (await owner.data(long.query))["nodes"]] == ["n" * 8, "n" * 9, "n" * 10]
    assert [sample.display for sample in long.samples] == ["n" * 8, "n" * 9, "n" * 10]


async def test_decimal_bounds_are_counted_between_two_steps_of_the_scale(owner: Client) -> None:
    await filled(owner)
    document = changed(amount={"type": "number", "multipleOf": 0.0001, "exclusiveMaximum": 5.50001})
    below = changed(amount={"type": "number", "multipleOf": 0.0001, "maximum": 5.4})
    assert [item.count for item in (await previewed(owner, below)).rows] == [5]
    assert (await previewed(owner, document)).rows == ()


async def test_patterns_and_conditions_are_tested_record_by_record(owner: Client) -> None:
    await filled(owner)
    document = changed(name={**OPPORTUNITY["properties"]["name"], "pattern": "^n{1,8}$"})
    document["if"] = {"properties": {"probability": {"minimum": 80}}, "required": ["probability"]}
    document["then"] = {"required": ["amount"]}
    found = {item.path: item for item in (await previewed(owner, document)).rows}
    assert found["entity", "opportunity", "properties", "name"].count == 2
    assert found["entity", "opportunity", "properties", "amount"].count == 1
    assert all(item.scanned is None and not item.blocks for item in found.values())


async def test_rules_are_counted_whether_they_are_enforced_or_not(owner: Client) -> None:
    await filled(owner)
    for enforced in (False, True):
        document = changed()
        rule: dict[str, Any] = {"name": "likely", "check": "probability >= 30", "message": "too unlikely"}
        document["x-rules"] = [{**rule, "enforce": "now"} if enforced else rule]
        (item,) = (await previewed(owner, document)).rows
        assert (item.count, item.blocks) == (3, enforced)
    document["x-rules"] = [{"name": "far", "check": "account.name == 'x'", "message": "no"}]
    (item,) = (await previewed(owner, document)).rows
    assert (item.count, item.blocks) == (10, False)


async def test_uniques_and_choices_that_go(owner: Client) -> None:
    rows: list[dict[str, Any]] = [{"name": "a", "stage": "WON"}, {"name": "a"}, {"name": "b", "stage": "WON"}]
    await owner.data(CREATE, i=rows)
    document = changed(stage={"enum": ["PROSPECTING", "OLD"]})
    document["x-unique"] = [["name"]]
    found = await previewed(owner, document)
    assert [(item.path[-2:], item.count, item.blocks) for item in found.rows] == [
        (("stage", "enum"), 2, True),
        (("x-unique", "0"), 2, True),
    ]
    asked = "{ opportunities(filter: {stage: {eq: WON}}, first: 50) { totalCount nodes { id name } } }"
    assert found.rows[0].query == asked
    assert (await owner.data(asked))["opportunities"]["totalCount"] == 2


async def test_samples_are_what_the_asking_actor_may_read(owner: Client) -> None:
    await filled(owner)
    admin: dict[str, Any] = {
        "kind": "role",
        "name": "modeller",
        "platform": ["documents.publish", "documents.read"],
        "entities": {"opportunity": {"read": {"rows": ["own"], "fields": {"*": True, "name": False}}}},
    }
    company = (await owner.actor()).company
    await owner.house.publish(company, [admin])
    modeller = await hire(owner, "Mo", "modeller")
    document = changed(probability={"type": "integer", "maximum": 50})
    (item,) = (await previewed(modeller, document)).rows
    assert (item.count, item.samples) == (4, ())


async def test_documents_that_name_what_goes(owner: Client) -> None:
    renamed = copy.deepcopy(ACCOUNT)
    renamed["properties"]["income"] = {**renamed["properties"].pop("revenue"), "x-was": ["revenue"]}
    seller = copy.deepcopy(SELLER)
    fields = seller["entities"]["account"]["read"]["fields"]
    fields["income"] = fields.pop("revenue")
    found = await previewed(owner, renamed, seller)
    assert found.faults == ()
    told = {(item.thing, item.document) for item in found.dependents}
    assert (("account", "revenue"), ("role", "seller")) in told


async def test_the_cost_tells_tables_rows_and_whether_it_is_one_transaction(owner: Client) -> None:
    await filled(owner)
    document = changed(size={"type": "integer"})
    document["x-index"] = [["size"]]
    cost = (await previewed(owner, document)).cost
    (table,) = cost.tables
    assert (table.work.table, table.work.rows, table.work.columns, cost.prepared) == ("opportunity", 10, 1, False)
    assert table.work.indexes >= 1


async def test_documents_that_cannot_be_built_still_show_what_they_change(owner: Client) -> None:
    document = changed(account={"x-type": "reference", "x-entity": "nobody"})
    found = await previewed(owner, document)
    assert [fault.code for fault in found.faults] == ["DOCUMENT_UNKNOWN_NAME"]
    assert [item.document for item in found.documents] == [("entity", "opportunity")]
    assert found.changes == ()


async def test_a_removal_that_another_document_needs_names_both_sides(owner: Client) -> None:
    document = changed()
    del document["properties"]["score"]
    (fault,) = (await previewed(owner, document)).faults
    assert fault.path[:3] == ("role", "seller", "entities")
    assert fault.details["removed"] == ["entity", "opportunity", "properties", "score"]
    assert "removes entity/opportunity/properties/score" in fault.text.en


PREVIEW = """query($d: [JSON!]!) { preview(documents: $d, allowLoss: ["opportunity.lines"]) {
  changes { kind path } documents { kind name change changes { path kind before after } }
  schema { severity coordinate message } records { path message count blocks samples { id display } query }
  dependents { thing kind name path } clients { coordinates documentId count persisted }
  cost { prepared seconds blockedMs tables { table rows columns indexes fills } } userErrors { code message } } }"""


async def test_the_administration_answers_all_of_it(owner: Client) -> None:
    await filled(owner)
    document = changed(probability={"type": "integer", "maximum": 50})
    del document["properties"]["lines"]
    await owner.data("{ opportunities { nodes { lines { totalCount } } } }")
    found = (await owner.administer(PREVIEW, d=[document]))["preview"]
    assert found["userErrors"] == []
    assert found["documents"][0]["name"] == "opportunity"
    breaking = [item["coordinate"] for item in found["schema"] if item["severity"] == "BREAKING"]
    assert "Opportunity.lines" in breaking
    (failing,) = found["records"]
    assert (failing["count"], failing["blocks"], len(failing["samples"])) == (4, False, 4)
    (client,) = found["clients"]
    assert "Opportunity.lines" in client["coordinates"]
    assert found["cost"]["prepared"] is False
    chinese = Client(owner.house, owner.token, "zh-Hans")
    told = (await chinese.administer(PREVIEW, d=[document]))["preview"]
    assert told["records"][0]["message"] == "的“probability”大于 50"


async def test_the_administration_tells_who_uses_aliases(owner: Client) -> None:
    document = copy.deepcopy(ACCOUNT)
    document["properties"]["company"] = {**document["properties"].pop("name"), "x-was": ["name"]}
    document.update({"x-display": "company", "required": ["company"], "x-unique": [["company"]]})
    await owner.house.publish((await owner.actor()).company, [document])
    old = "query Old { accounts { nodes { name } } }"
    await owner.data(old)
    for _ in range(2):
        await owner.send(old, form="lead-capture")
    told = (await owner.administer("{ aliasUse { coordinate current name tokenId form count lastAt } }"))["aliasUse"]
    assert all(use.pop("lastAt") for use in told)
    same = {
        "coordinate": "Account.name", "current": "company", "name": "Old", "tokenId": (await owner.actor()).token_id,
    }  # fmt: skip
    assert told == [{**same, "form": "lead-capture", "count": 2}, {**same, "form": None, "count": 1}]
