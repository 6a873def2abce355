"""Names that an actor may not use look like names that do not exist: the refusals are equal byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import orjson

from access.actor import Actor
from metadata.catalog import Entity
from metadata.field import RelationKind
from schema.request import Reply
from tests.campaigns.budget import Budget
from tests.campaigns.rendering import Request
from tests.campaigns.worlds import World

_CHECKS = 12


async def check_names(budget: Budget, here: World, actor: Actor, random: Random) -> None:
    """Ask with hidden names and with rubbish of the same length in their places."""
    hidden = list(_hidden(here, actor))
    for name, template in random.sample(hidden, min(_CHECKS, len(hidden))):
        rubbish = name[0] + "q" * (len(name) - 1)
        one, other = [
            await here.answers(actor, Request(template.replace("NAME", word)), frozenset()) for word in (name, rubbish)
        ]
        budget.checked += 1
        for seat, reply in one.items():
            shown, wanted = _refusal(reply, name, rubbish), _refusal(other[seat], rubbish, rubbish)
            if shown != wanted or reply.code != "BAD_USER_INPUT":
                budget.fault(f"{seat} knows a hidden name", template, name, shown, wanted)


def _refusal(reply: Reply, name: str, rubbish: str) -> bytes:
    """The bytes of a refusal, with rubbish where its messages repeat the name."""
    found = orjson.loads(reply.body)
    for error in found["errors"]:
        error["message"] = re.sub(rf"\b{name}\b", rubbish, error["message"])
    return orjson.dumps(found)


def _hidden(here: World, actor: Actor) -> Iterator[tuple[str, str]]:
    """Hidden names with documents to put them into."""
    surface = here.surface(actor).entities
    for entity in here.catalog.entities.values():
        if entity.name in surface:
            yield from _hidden_fields(entity, surface[entity.name].readable, surface[entity.name].relations)
        else:
            yield entity.plural, "{ NAME { totalCount } }"
            yield entity.name, '{ NAME(id: "x") { id } }'
            yield entity.type_name, '{ node(id: "x") { ... on NAME { id } } }'
            yield f"{entity.type_name}Filter", "query($f: NAME) { nodes(ids: []) { id } }"


def _hidden_fields(entity: Entity, readable: frozenset[str], relations: frozenset[str]) -> Iterator[tuple[str, str]]:
    for item in entity.by_api_name.values():
        if item.name not in readable:
            yield item.api_name, f"{{ {entity.plural} {{ nodes {{ NAME }} }} }}"
            yield item.api_name, f"{{ {entity.plural}(filter: {{NAME: {{isNull: true}}}}) {{ totalCount }} }}"
            yield item.api_name, f"{{ {entity.plural}(filter: {{not: {{NAME: null}}}}) {{ totalCount }} }}"
            yield item.api_name, f"{{ {entity.plural}(orderBy: [{{NAME: ASC}}]) {{ totalCount }} }}"
            yield item.api_name, f"{{ {entity.plural} {{ aggregate {{ distinctCount {{ NAME }} }} }} }}"
    for relation in entity.relations.values():
        if relation.name not in relations:
            one = relation.kind is RelationKind.TO_ONE
            inner = "{ id }" if one else "{ totalCount }"
            tree = "{}" if one else "{some: {}}"
            yield relation.name, f"{{ {entity.plural} {{ nodes {{ NAME {inner} }} }} }}"
            yield relation.name, f"{{ {entity.plural}(filter: {{NAME: {tree}}}) {{ totalCount }} }}"
