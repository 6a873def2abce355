"""Documents with anything anywhere: they are published or refused with faults, and never fail otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base.errors import DocumentsInvalid, Fault
from metadata.adopting.adopt import Adopted, adopt
from metadata.build import next_catalog
from tests.examples import examples
from tests.metadata.documents import sales
from tests.metadata.wild import WILD

_WORDS = ["type", "properties", "$ref", "$defs", "enum", "x-type", "x-entity", "items", "name", "x-rules", "*", "a", ""]
_LEAVES = (
    st.none() | st.booleans() | st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["object", "string", "reference", "#/$defs/a", "#", "account", "", "a" * 70, "null", "赢", "(a"])
)  # fmt: skip
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=3)
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything inside a JSON value."""
    found = []
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            found += [(*path, key), *places(item, (*path, key))]
    return found


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with another value at a path."""
    if not path:
        return new
    items = value.items() if isinstance(value, dict) else enumerate(value)
    copied = {key: changed(item, path[1:], new) if key == path[0] else item for key, item in items}
    return copied if isinstance(value, dict) else list(copied.values())


_PLACES = [(key, path) for key, document in sales().items() for path in places(document)]
_WILD_PLACES = [(key, path) for key, document in WILD.items() if key != "doubling" for path in places(document)]


def faults_of(attempt: Callable[[], object]) -> tuple[Fault, ...]:
    """The faults with which something is refused; none when it goes well."""
    try:
        attempt()
    except DocumentsInvalid as error:
        return error.faults
    return ()


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(_PLACES), _JSON)
def test_mangled_documents(place: tuple[Any, Any], new: Any) -> None:
    documents: dict[Any, Any] = dict(sales())
    key, path = place
    documents[key] = changed(documents[key], path, new)
    assert all(fault.text.en and fault.text.zh for fault in faults_of(lambda: next_catalog(documents, None)))


@settings(max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(_WILD_PLACES), _JSON)
def test_mangled_wild_schemas(place: tuple[Any, Any], new: Any) -> None:
    key, path = place
    source = changed(WILD[key], path, new)
    adopted: list[Adopted] = []
    assert all(fault.text.en and fault.text.zh for fault in faults_of(lambda: adopted.append(adopt(source))))
    for made in adopted:
        next_catalog({("entity", str(made.document["name"])): made.document}, None)
