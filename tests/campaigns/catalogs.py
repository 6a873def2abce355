"""Companies' documents at random: entities with every field type and relations of every kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import cycle
from random import Random
from typing import Any

from metadata.fields.registry import FIELD_TYPES

NAMES = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")

RELATIONAL = frozenset({"reference", "references", "children", "member", "team"})
"""Types that lead to another entity; they are spread by the generator, not from their samples."""

_CHOICES = ("OPEN", "WON", "LOST", "OLD")
_RETIRED = {"value": "OLD", "title": "Old", "x-titles": {"zh-Hans": "旧"}, "retired": True}


class Documents:
    """Makes companies one after the other; every field type comes again and again."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._types: Iterator[str] = cycle([name for name in FIELD_TYPES.names if name not in RELATIONAL])

    def entities(self) -> list[dict[str, Any]]:
        """Three to five entities, and the settings of the company."""
        random = self._random
        names = NAMES[: random.randint(3, 5)]
        found = {name: self._entity(name) for name in names}
        self._relations(found)
        for document in found.values():
            document["x-index"] = self._indexes(document["properties"])
        return [self._app(), *found.values()]

    def _app(self) -> dict[str, Any]:
        zones = ("UTC", "Asia/Shanghai", "America/New_York", "Pacific/Apia")
        return {
            "kind": "app", "name": "app", "title": "Campaign", "timeZone": self._random.choice(zones),
            "weekStart": self._random.randint(1, 7), "fiscalYearStart": self._random.randint(1, 12),
        }  # fmt: skip

    def _entity(self, name: str) -> dict[str, Any]:
        random = self._random
        properties: dict[str, Any] = {
            "name": {"type": "string", "maxLength": 200, "x-titles": {"zh-Hans": "名称"}},
            "code": {"type": "string", "maxLength": 60},
        }
        for index in range(random.randint(6, 11)):
            kind = next(self._types)
            properties[f"{kind}{index}"] = self._property(kind)
        if random.random() < 0.3:
            properties["pin"] = {"type": "string", "writeOnly": True}
        texts = [key for key, item in properties.items() if item.get("type") == "string" and "format" not in item]
        search = [key for key in texts if key != "pin" and random.random() < 0.6]
        return {
            "kind": "entity", "name": name, "title": name.title(), "type": "object", "x-display": "name",
            "properties": properties, "x-unique": [{"fields": ["code"], "ignoreCase": random.random() < 0.5}],
            **({"x-search": search} if search else {}),
        }  # fmt: skip

    def _property(self, kind: str) -> dict[str, Any]:
        random = self._random
        sample = FIELD_TYPES.get(kind)
        assert sample is not None
        assert isinstance(sample.sample, Mapping)
        prop: dict[str, Any] = dict(sample.sample)
        match kind:
            case "choice":
                prop = {"enum": list(_CHOICES), "x-choices": [_RETIRED]}
            case "choices":
                prop = {"type": "array", "items": {"enum": list(_CHOICES)}}
            case "decimal":
                prop = {"x-type": "decimal", "x-scale": random.choice([0, 2, 4, 6])}
            case "percent":
                prop = {"x-type": "percent"}
            case _:
                pass
        return prop

    def _relations(self, entities: dict[str, dict[str, Any]]) -> None:
        random = self._random
        names = list(entities)
        for name, document in entities.items():
            properties = document["properties"]
            for index in range(random.randint(1, 2)):
                prop: dict[str, Any] = {"x-type": "reference", "x-entity": random.choice(names), "x-onDelete": "keep"}
                if random.random() < 0.8:
                    prop["x-inverse"] = f"{name}List{index}"
                properties[f"ref{index}"] = prop
            if random.random() < 0.6:
                links: dict[str, Any] = {"x-type": "references", "x-entity": random.choice(names)}
                if random.random() < 0.8:
                    links["x-inverse"] = f"{name}Linked"
                properties["links"] = links
            if random.random() < 0.5:
                kind = random.choice(["member", "team"])
                properties[kind + "Of"] = {"x-type": kind} | (
                    {"x-inverse": f"{name}Held"} if random.random() < 0.5 else {}
                )
        parent, child = random.sample(names, 2)
        entities[parent]["properties"]["parts"] = {"x-type": "children", "x-entity": child, "x-inverse": "whole"}

    def _indexes(self, properties: Mapping[str, Any]) -> list[list[str]]:
        plain = [key for key, item in properties.items() if item.get("type") in ("string", "integer", "number")]
        plain = [key for key in plain if key != "pin"]
        return [self._random.sample(plain, min(len(plain), 2)) for _ in range(self._random.randint(0, 1))]
