"""Whatever JSON Schema is found in the wild becomes an entity that can be published, and nothing is lost silently."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.errors import DocumentsInvalid
from metadata.adopting.adopt import adopt
from metadata.adopting.legal import LegalNames, camel
from metadata.adopting.notes import WHAT
from metadata.build import next_catalog
from metadata.names import NAME
from metadata.validator import Validator
from tests.examples import examples
from tests.metadata.conftest import Company
from tests.metadata.wild import WILD, obj


@pytest.mark.parametrize("name", WILD)
def test_a_wild_schema_can_be_published(name: str) -> None:
    source = deepcopy(WILD[name])
    adopted = adopt(source)
    assert source == WILD[name], "the source is left alone"
    entity = str(adopted.document["name"])
    catalog = next_catalog({("entity", entity): adopted.document}, None)
    assert len(catalog.entities[entity].fields) > 11
    assert {note.what for note in adopted.notes} <= set(WHAT)
    assert adopt(adopted.document).document["properties"] == adopted.document["properties"], "adopting again is idle"


def test_names_choices_and_titles() -> None:
    document = adopt(WILD["chinese"]).document
    properties: Any = document["properties"]
    assert list(properties) == ["field1", "field2", "field3"]
    assert properties["field1"]["title"] == "客户名称"
    assert properties["field2"]["enum"] == ["CHOICE_1", "CHOICE_2", "CHOICE_3"]
    assert [item["title"] for item in properties["field2"]["x-choices"]] == ["赢单", "输单", "进行中"]
    assert properties["field2"]["default"] == "CHOICE_3"
    assert document["required"] == ["field1"]
    assert document["title"] == "商机"


def test_reserved_names_are_renamed_and_told() -> None:
    adopted = adopt(WILD["reserved"])
    properties: Any = adopted.document["properties"]
    assert list(properties) == [
        "sourceId", "sourceVersion", "sourceOwner", "sourceCreatedAt", "sourceNot", "sourceTeamId",
    ]  # fmt: skip
    assert adopted.document["name"] == "queryRecord"
    assert ("id",) in {note.path for note in adopted.notes if note.what == "renamed" and note.name == "sourceId"}
    assert adopt({"title": "PLIANT", "properties": {"a": {}}}).document["name"] == "adoptedPliant"


def test_conditions_follow_their_fields_and_choices() -> None:
    adopted = adopt(WILD["conditions"])
    entity = next_catalog({("entity", str(adopted.document["name"])): adopted.document}, None).entities["adopted"]
    check = Validator(entity)
    assert check.create({"country": "CHOICE_1"})
    assert not check.create({"country": "CHOICE_1", "postalCode": "100000"})
    assert not check.create({"country": "US", "state": "NY"})


@pytest.mark.parametrize("name, field", [
    ("remote reference", "geo"), ("file reference", "secret"), ("pattern properties", "labels"),
    ("open map", "counts"), ("union", "value"), ("tree", "children"), ("doubling", "a"), ("dynamic", "any"),
])  # fmt: skip
def test_what_cannot_be_published_becomes_json_with_its_source(name: str, field: str) -> None:
    adopted = adopt(WILD[name])
    prop: Any = adopted.document["properties"]
    assert prop[field]["x-type"] == "json"
    assert prop[field]["x-source"]["schema"]
    assert any(note.what == "refused" and note.path[0] == field for note in adopted.notes)


def test_null_is_not_required() -> None:
    assert adopt(WILD["pydantic"]).document["required"] == ["name", "color"]


def test_objects_of_all_of_become_one() -> None:
    properties: Any = adopt(WILD["all of"]).document["properties"]
    assert list(properties) == ["fullName", "salary"]


@pytest.mark.parametrize("source", [None, 3, "x", [], {}, {"type": "string"}, {"properties": 3}, True])
def test_what_is_no_object_is_refused(source: Any) -> None:
    with pytest.raises(DocumentsInvalid):
        adopt(source)


def test_over_budget_is_refused() -> None:
    with pytest.raises(DocumentsInvalid):
        adopt(obj({f"p{n}": {"type": "string"} for n in range(20_000)}))


def test_definitions_of_choices_and_plain_values_are_seen_through() -> None:
    color = {"enum": ["dark red", "green"], "title": "Color"}
    reference = {"$ref": "#/$defs/Color"}
    source = obj({
        "color": reference, "maybe": {"anyOf": [reference, {"type": "null"}]},
        "many": {"type": "array", "items": reference}, "titled": {"allOf": [reference], "default": "green"},
    }, required=["color", "maybe"], **{"$defs": {"Color": color}})  # fmt: skip
    document = adopt(source).document
    fields = next_catalog({("entity", "adopted"): document}, None).entities["adopted"].fields
    names = ("color", "maybe", "many", "titled")
    assert [fields[name].type.name for name in names] == ["choice", "choice", "choices", "choice"]
    assert [choice.value for choice in fields["color"].choices] == ["DARK_RED", "green"]
    assert document["required"] == ["color"], "what may be null is not required"


def test_a_long_enumeration_stays_one_definition() -> None:
    rules = {"enum": [f"R{number}" for number in range(900)]}
    listed = {"type": "array", "items": {"$ref": "#/definitions/Rule"}}
    source = obj({f"rules{number}": listed for number in range(30)}, definitions={"Rule": rules})
    assert len(str(adopt(source).document)) < 40_000


def test_a_root_of_alternatives_has_the_properties_of_all() -> None:
    options = [{"$ref": "#/definitions/card"}, obj({"iban": {"type": "string"}})]
    document = adopt({"oneOf": options, "definitions": {"card": obj({"number": {"type": "string"}})}}).document
    assert set(document["properties"]) == {"number", "iban"}  # type: ignore[arg-type]


async def test_an_adopted_schema_takes_rows(company: Company) -> None:
    adopted = adopt(WILD["snake case"])
    name = str(adopted.document["name"])
    done = await company.publish({("entity", name): dict(adopted.document)})
    await company.put(done.catalog, name, firstName="Ada", dateOfBirth="1815-12-10")
    assert await company.rows("SELECT first_name FROM __ns__.contact_person") == [("Ada",)]


@given(st.text(max_size=80))
def test_any_text_becomes_a_name(text: str) -> None:
    assert NAME.fullmatch(LegalNames().field(text, 1))
    assert camel(text) == "" or NAME.fullmatch(camel(text))


_TYPES = st.sampled_from(
    [{"type": "string"}, {"type": "integer"}, {"type": ["number", "null"]}, {"enum": ["a", "b c"]}, {"type": "array"},
     {"type": "object", "properties": {"x": {"type": "string"}}}, {"format": "date", "type": "string"}, {}, True]
)  # fmt: skip


@settings(max_examples=examples(60), deadline=None)
@given(st.dictionaries(st.text(max_size=20), _TYPES, min_size=1, max_size=8), st.text(max_size=20))
def test_generated_schemas_can_be_published(properties: dict[str, Any], title: str) -> None:
    safe = {name: prop for name, prop in properties.items() if "\x00" not in name}
    if not safe or "\x00" in title:
        return
    adopted = adopt(obj(safe, title=title))
    next_catalog({("entity", str(adopted.document["name"])): adopted.document}, None)
