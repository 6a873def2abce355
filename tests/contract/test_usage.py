"""Evidence of use: what was run is counted by token and document, and the preview tells who would notice."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from access.table import Query
from base.clock import now, timestamp
from base.ids import new_id
from base.limits import DEFAULTS
from metadata.usage import Use, forget_old_uses, read_uses
from pliant.house import House
from storage.batch import Batch, Cause, Execute, Sql
from storage.types import TEXT
from tests.contract.conftest import SELLER
from tests.contract.test_preview import previewed
from tests.houses import Client
from tests.schema.samples import OPPORTUNITY

QUERY = """query Pipeline($f: OpportunityFilter) {
  opportunities(filter: $f, orderBy: [{score: DESC}]) { nodes { name stage lines { nodes { text } } } } }"""


def without(field: str) -> dict[str, Any]:
    """The seller's role when a field of opportunities is gone."""
    role = deepcopy(SELLER)
    for grant in role["entities"]["opportunity"].values():
        grant["fields"].pop(field, None)
    return role


async def uses(client: Client) -> list[Use]:
    """What is written of a company's use."""
    actor, house = await client.actor(), client.house
    usage = house.runtime.usage
    assert usage is not None
    await usage.flush()
    return list(await read_uses(house.engine, actor.namespace, DEFAULTS))


async def test_runs_are_counted_by_document_shape_and_token(owner: Client, seller: Client) -> None:
    for amount in (1, 2, 3):
        await owner.data(QUERY, f={"amount": {"gt": amount}})
    await owner.data(QUERY, f={"probability": {"gt": 1}})
    found = {use.document.coordinates: use for use in await uses(owner)}
    (three,) = (use for names, use in found.items() if "OpportunityFilter.amount" in names)
    (one,) = (use for names, use in found.items() if "OpportunityFilter.probability" in names)
    assert (three.count, one.count) == (3, 1)
    assert three.token == (await owner.actor()).token_id
    assert three.document.name == "Pipeline"
    wanted = {
        *("Query.opportunities", "Query.opportunities(filter:)", "Opportunity.name", "OpportunityConnection.nodes"),
        *("OpportunityOrderBy.score", "PliantDecimalFilter.gt", "OpportunityFilter", "Line.text", "PliantOrder.DESC"),
    }
    assert wanted <= set(three.document.coordinates)


async def test_two_processes_add_their_counts(owner: Client) -> None:
    await owner.data("{ accounts { totalCount } }")
    await uses(owner)
    await owner.data("{ accounts { totalCount } }")
    (use,) = await uses(owner)
    assert use.count == 2


async def test_runs_are_counted_by_form(owner: Client) -> None:
    text = "{ accounts { totalCount } }"
    for form in ("", "lead-capture", "crm/web", "lead-capture"):
        await owner.send(text, form=form)
    await uses(owner)
    await owner.send(text, form="crm/web")  # added to what another flush wrote
    found = await uses(owner)
    assert {use.form: use.count for use in found} == {None: 1, "lead-capture": 2, "crm/web": 2}
    assert len({use.document.id for use in found}) == 1


async def test_old_use_is_forgotten_and_what_a_form_still_uses_is_kept(owner: Client, monkeypatch: Any) -> None:
    house, namespace = owner.house, (await owner.actor()).namespace
    usage = house.runtime.usage
    assert usage is not None
    then = now() - timedelta(days=DEFAULTS.use_days + 1)
    monkeypatch.setattr("metadata.usage.now", lambda: then)
    await owner.send("query Gone { accounts { totalCount } }")
    await owner.send("query GoneToo { accounts { totalCount } }", form="old-form")
    await owner.send("query Kept { accounts { totalCount } }", form="old-form")
    await usage.flush()
    monkeypatch.undo()
    await owner.send("query Kept { accounts { totalCount } }", form="new-form")
    await usage.flush()
    await forget_old_uses(house.engine, namespace, DEFAULTS)
    (use,) = await uses(owner)
    assert (use.document.name, use.form, use.count) == ("Kept", "new-form", 1)
    assert [row["name"] for row in await _names(owner)] == ["Kept"]


async def test_use_of_aliases_is_told(owner: Client, house: House) -> None:
    document = deepcopy(OPPORTUNITY)
    document["properties"]["value"] = {**document["properties"].pop("amount"), "x-was": ["amount"]}
    stage = document["properties"]["stage"]
    stage["enum"] = ["PROSPECTING", "CLOSED", "OLD"]
    stage["x-choices"].append({"value": "CLOSED", "x-was": ["WON"]})
    seller = without("amount")
    await house.publish((await owner.actor()).company, [document, seller])
    text = "query($s: OpportunityStage) { opportunities(filter: {stage: {eq: $s}}) { nodes { amount } } }"
    await owner.data(text, s="CLOSED")
    await owner.data(text, s="WON")
    await owner.data(text, s="WON")
    told = sorted((tuple(use.document.aliases.items()), use.count) for use in await uses(owner))
    assert told == [
        ((("Opportunity.amount", "value"),), 1),
        ((("Opportunity.amount", "value"), ("OpportunityStage.WON", "CLOSED")), 2),
    ]


async def test_a_document_that_ran_before_the_rename_is_told_when_it_runs_after_it(owner: Client, house: House) -> None:
    text = "query Old { opportunities { nodes { amount } } }"
    for _ in range(3):
        await owner.send(text, form="deal-card")
    await uses(owner)
    document = deepcopy(OPPORTUNITY)
    document["properties"]["value"] = {**document["properties"].pop("amount"), "x-was": ["amount"]}
    await house.publish((await owner.actor()).company, [document, without("amount")])
    for _ in range(2):
        await owner.send(text, form="deal-card")
    told = {tuple(use.document.aliases.items()): (use.form, use.count) for use in await uses(owner)}
    assert told == {(): ("deal-card", 3), (("Opportunity.amount", "value"),): ("deal-card", 2)}
    (alias,) = (await owner.administer("{ aliasUse { coordinate form count } }"))["aliasUse"]
    assert alias == {"coordinate": "Opportunity.amount", "form": "deal-card", "count": 2}
    del document["properties"]["value"]["x-was"]
    (client,) = (await previewed(owner, document)).clients
    assert (client.name, client.form, client.count) == ("Old", "deal-card", 5)  # one line, not one from before


async def test_the_preview_names_clients_and_persisted_documents(owner: Client) -> None:
    await owner.data(QUERY, f=None)
    text = "query Persisted { opportunities { nodes { score } } }"
    register = 'mutation($t: String!) { registerDocument(text: $t, name: "scores") { id } }'
    done = await owner.administer(register, t=text)
    document = deepcopy(OPPORTUNITY)
    del document["properties"]["score"]
    found = await previewed(owner, document, without("score"), allow_loss=("opportunity.score",))
    seen, persisted = found.clients
    assert (seen.name, seen.coordinates, seen.count, seen.token_name) == (
        "Pipeline", ("OpportunityOrderBy.score",), 1, "owner",
    )  # fmt: skip
    assert (persisted.persisted, persisted.document) == (True, done["registerDocument"]["id"])
    assert "Opportunity.score" in persisted.coordinates


async def test_more_documents_than_are_told_apart_are_counted_together(owner: Client) -> None:
    house = owner.house
    few = house.runtime.usage
    assert few is not None
    few._limits = type(DEFAULTS)(use_documents=2)
    for number in range(5):
        await owner.data(f"query Q{number} {{ accounts {{ totalCount }} }}")
    found = {use.document.id: use.count for use in await uses(owner)}
    assert len(found) == 3
    assert found["other"] == 3


async def test_more_forms_than_are_told_apart_are_counted_together(owner: Client) -> None:
    few = owner.house.runtime.usage
    assert few is not None
    few._limits = type(DEFAULTS)(use_forms=2)
    for number in (0, 1, 2, 3, 4, 0):
        await owner.send("{ accounts { totalCount } }", form=f"form-{number}")
    assert sorted((use.form, use.count) for use in await uses(owner)) == [("form-0", 2), ("form-1", 1), ("other", 3)]
    for form in ("form-9", "form-0", ""):  # after what was written, too
        await owner.send("{ accounts { totalCount } }", form=form)
    found = sorted((use.form or "", use.count) for use in await uses(owner))
    assert found == [("", 1), ("form-0", 3), ("form-1", 1), ("other", 4)]


async def test_a_release_that_knows_no_forms_forgets_nothing_of_them(owner: Client) -> None:
    await owner.send("{ accounts { totalCount } }", form="lead-capture")
    house, namespace = owner.house, (await owner.actor()).namespace
    await uses(owner)
    sweep = Sql("DELETE FROM __ns__._use_document WHERE id NOT IN (SELECT document FROM __ns__._use)")
    batch = Batch(timestamp(now()), new_id(), Cause(None, "upkeep"), None, statements=(Execute(sweep, ()),))
    await house.engine.apply(namespace, batch)
    (use,) = await uses(owner)
    assert (use.form, use.count) == ("lead-capture", 1)


async def _names(client: Client) -> list[dict[str, Any]]:
    documents = Query(sa.text("SELECT name FROM __ns__._use_document"), columns={"name": TEXT})
    return await documents.rows(client.house.engine, (await client.actor()).namespace)
