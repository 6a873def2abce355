"""Layers: who ships a document, what the company has made of it, and upgrades that overwrite nothing."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.errors import DocumentsInvalid
from events.log import read_page
from metadata.changesets import MIGRATIONS as CHANGE_SETS
from metadata.folder import LAYERS, read_folder, write_folder
from metadata.layers import (
    MIGRATIONS,
    Application,
    Layer,
    layer_of,
    parse_application,
    read_layers,
    record_layers,
    shipped_by,
    upgrade_proposal,
)
from metadata.merging import same
from tests.engines import ENGINES, opened, place_of
from tests.metadata.documents import Documents, sales
from tests.metadata.test_merging import DOCUMENTS

CRM = Application("crm", "1.0")
ACCOUNT, SELLER = ("entity", "account"), ("role", "seller")


def with_words(documents: Documents, key: tuple[str, str], **words: Any) -> Documents:
    """The documents with other keywords in one of them."""
    return {**documents, key: {**documents[key], **words}}


@pytest.mark.parametrize("engine", ENGINES)
async def test_layers_are_kept_with_their_events(engine: str, tmp_path: Path) -> None:
    async with opened(place_of(engine, tmp_path), (*MIGRATIONS, *CHANGE_SETS)) as opened_engine:
        await opened_engine.create("c")
        first = shipped_by(CRM, sales())
        await record_layers(opened_engine, "c", first, None)
        await record_layers(opened_engine, "c", first, None)
        newer = Layer(Application("crm", "1.1"), {**sales()[SELLER], "title": "Agent"})
        await record_layers(opened_engine, "c", {SELLER: newer}, None)
        assert await read_layers(opened_engine, "c") == {**first, SELLER: newer}
        await opened_engine.sequence("c")
        events = await read_page(opened_engine, "c", 0, 100)
        assert [(item.entity, item.op) for item in events] == [("layer", "CREATED")] * 5 + [("layer", "UPDATED")]
        assert (events[-1].record_id, events[-1].before) == (
            "role/seller",
            {"application": "crm@1.0", "document": sales()[SELLER]},
        )


def test_a_document_is_modified_or_as_shipped() -> None:
    layers = shipped_by(CRM, sales())
    account = sales()[ACCOUNT]
    assert not layers[ACCOUNT].modified(dict(reversed(account.items()))), "the order of keys means nothing"
    assert layers[ACCOUNT].modified({**account, "title": "Customer"})
    customer = {**account, "name": "customer", "x-was": ["account"]}
    assert layer_of(layers, ("entity", "customer"), customer, [("entity", "customer")]) == layers[ACCOUNT]
    assert layer_of(layers, ("entity", "own"), {"kind": "entity", "name": "own"}, []) is None


def test_layers_travel_with_an_export(tmp_path: Path) -> None:
    layers = shipped_by(CRM, {key: sales()[key] for key in (SELLER, ACCOUNT)})
    write_folder(tmp_path, sales(), layers)
    text = (tmp_path / LAYERS).read_bytes()
    found = read_folder(tmp_path)
    assert (found.layers, found.documents.keys()) == (layers, sales().keys())
    write_folder(tmp_path, found.documents, dict(reversed([*found.layers.items()])))
    assert (tmp_path / LAYERS).read_bytes() == text
    write_folder(tmp_path, sales())
    assert not (tmp_path / LAYERS).exists()
    assert read_folder(tmp_path).layers == {}


@pytest.mark.parametrize("text", ["{", "[]", '{"layers": {}}', '{"layers": [{"kind": "entity"}]}', '{"layers": [1]}'])
def test_a_file_of_layers_that_is_none(tmp_path: Path, text: str) -> None:
    write_folder(tmp_path, sales())
    (tmp_path / LAYERS).parent.mkdir()
    (tmp_path / LAYERS).write_text(text, encoding="utf-8")
    with pytest.raises(DocumentsInvalid) as error:
        read_folder(tmp_path)
    assert error.value.faults[0].path[0] == LAYERS


@pytest.mark.parametrize("text", ["crm", "crm@", "@1", "CRM@1", "crm@1@2", "crm@ 1", "../x@1", "crm@1\n"])
def test_an_application_is_named_with_its_version(text: str) -> None:
    assert parse_application("crm@1.2.0-rc.1") == Application("crm", "1.2.0-rc.1")
    with pytest.raises(DocumentsInvalid):
        parse_application(text)


def test_an_upgrade_takes_what_the_company_left_alone() -> None:
    theirs = with_words(sales(), ACCOUNT, title="Customer")
    del theirs[SELLER]
    theirs["entity", "task"] = {"kind": "entity", "name": "task", "type": "object", "properties": {}}
    found = upgrade_proposal(sales(), sales(), theirs)
    assert found.documents == {ACCOUNT: theirs[ACCOUNT], ("entity", "task"): theirs["entity", "task"]}
    assert (found.removals, found.contested) == ((SELLER,), ())


def test_an_upgrade_overwrites_nothing() -> None:
    ours = with_words(sales(), ACCOUNT, title="Client", description="Ours")
    ours["entity", "own"] = {"kind": "entity", "name": "own"}
    theirs = with_words(sales(), ACCOUNT, **{"title": "Customer", "x-acme-a": 1})
    found = upgrade_proposal(sales(), ours, theirs)
    (contested,) = found.contested
    assert (contested.name, [item.path for item in contested.meetings]) == ("account", [("title",)])
    assert (found.documents, found.removals) == ({}, ())
    del theirs[ACCOUNT]["title"], ours[ACCOUNT]["title"]
    merged = upgrade_proposal(sales(), ours, theirs).documents[ACCOUNT]
    assert (merged["description"], merged["x-acme-a"]) == ("Ours", 1)


def test_a_document_of_the_company_under_a_name_that_is_now_shipped() -> None:
    task = {"kind": "entity", "name": "task"}
    ours, theirs = {**sales(), ("entity", "task"): task}, {**sales(), ("entity", "task"): {**task, "title": "T"}}
    (contested,) = upgrade_proposal(sales(), ours, theirs).contested
    assert (contested.name, contested.shipped) == ("task", None)
    assert upgrade_proposal(sales(), ours, {**sales(), ("entity", "task"): dict(task)}).contested == ()


def test_an_upgrade_follows_what_the_company_has_renamed() -> None:
    ours = sales()
    ours["entity", "customer"] = {**ours.pop(ACCOUNT), "name": "customer", "x-was": ["account"]}
    theirs = with_words(sales(), ACCOUNT, description="News")
    found = upgrade_proposal(sales(), ours, theirs)
    assert found.contested == ()
    assert {key: item["description"] for key, item in found.documents.items()} == {("entity", "customer"): "News"}


SETS = st.dictionaries(st.sampled_from([("entity", "a"), ("entity", "b"), ("role", "c")]), DOCUMENTS)


@given(SETS, SETS, SETS)
def test_an_upgrade_touches_only_what_the_application_changed(base: Any, ours: Any, theirs: Any) -> None:
    found = upgrade_proposal(deepcopy(base), ours, theirs)
    changed = {key for key in {*base, *theirs} if not same(base.get(key), theirs.get(key))}
    contested = {(item.kind, item.name) for item in found.contested}
    assert {*found.documents, *found.removals, *contested} <= changed
    for key in changed - contested:
        if same(base.get(key), ours.get(key)):
            assert same(found.documents.get(key), theirs.get(key))
    nothing = upgrade_proposal(base, ours, base)
    assert (nothing.documents, nothing.removals, nothing.contested) == ({}, (), ())
