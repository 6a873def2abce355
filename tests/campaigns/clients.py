"""Clients of a company whose model changes under them: they speak the names of the version that they believe in.

A request is refused for its names only when the model has moved on; then the documents are read again. No answer at
all, from a server that was killed, means to ask again under the same key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any

import httpx2

from tests.campaigns.budget import Budget
from tests.campaigns.reshaping import FAMILY, NAME, Document, Documents, family, kind_of, open_choices, unsigned

OWN = 40
"""Live records of a family for each writer: beyond that it changes what it has."""

_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 0.05
_MOVED = frozenset({"BAD_USER_INPUT", "SCHEMA_CHANGED"})
_LATE = frozenset({"REQUIRED", "VALIDATION", "NOT_FOUND", "RULE"})
"""User errors that a model which has moved on may cause."""

_RESULT = "userErrors { code path message }"
_LEARN = "{ catalogVersion documents { kind body } }"


class Refused(Exception):
    """The model has moved on. `lost`: an earlier try of the same request was never answered, so it may have worked."""

    def __init__(self, lost: bool) -> None:
        super().__init__(lost)
        self.lost = lost


@dataclass
class Own:
    """A record of one writer. `writes` are the values that were acknowledged, by record version and API name."""

    id: str
    family: str
    name: str
    version: int = 1
    deleted: bool = False
    seen: int = 0  # the version of the model that its writer believed in when it was seen last
    writes: dict[int, Mapping[str, Any]] = field(default_factory=dict)


@dataclass
class Ledger:
    """What all clients have been told."""

    records: dict[str, Own] = field(default_factory=dict)
    maybe: set[str] = field(default_factory=set)  # names of records that were perhaps created
    acknowledged: int = 0
    reads: int = 0


class Caller:
    """Asks whatever server lives, and knows the documents of some version."""

    def __init__(self, name: str, urls: Callable[[], list[str]], token: str, ledger: Ledger, budget: Budget) -> None:
        self.name = name
        self.ledger = ledger
        self.budget = budget
        self.random = Random(f"{budget.seed} {name}")
        self.version = 0
        self.documents: Documents = {}
        self._urls = urls
        self._client = httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=20)

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()

    async def post(
        self, path: str, query: str, variables: Mapping[str, Any] | None = None, patient: bool = True
    ) -> tuple[dict[str, Any], bool]:
        """The response of whatever server lives, and whether an earlier try got none. Not `patient`: raises instead."""
        body = {"query": query, "variables": variables or {}}
        last: object = None
        lost = False
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while True:
                    try:
                        url = self.random.choice(self._urls())
                        response = await self._client.post(url + path, json=body)
                        found: dict[str, Any] = response.json()
                        last = found
                        code = found["errors"][0]["extensions"]["code"] if "errors" in found else None
                        if response.status_code == 503:
                            self.budget.note("answers that a server was busy")
                        elif code == "INTERNAL":
                            self.budget.fault("an error that no client causes", body, found)
                        elif code != "CONFLICT" or path != "/graphql":
                            return found, lost
                    except httpx2.HTTPError as error:
                        last = repr(error)
                        if not patient:
                            raise
                    lost = True
                    await asyncio.sleep(_PAUSE_SECONDS)
        except TimeoutError:
            self.budget.fault("a request is never answered", body, last)
            raise

    async def sdl(self) -> str:
        """The schema as a server tells it."""
        return (await self._client.get(f"{self.random.choice(self._urls())}/schema.graphql")).text

    async def learn(self) -> bool:
        """Read the documents of the head; whether it has moved since."""
        found, _ = await self.post("/graphql/admin", _LEARN)
        data = found["data"]
        moved: bool = data["catalogVersion"] > self.version
        if data["catalogVersion"] < self.version:
            self.budget.fault("a server shows an older head than was shown before", self.version, data)
        self.version = data["catalogVersion"]
        self.documents = {item["body"]["name"]: item["body"] for item in data["documents"] if item["kind"] == "entity"}
        return moved

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The data of an answer. Raises `Refused` when the model has moved on."""
        found, lost = await self.post("/graphql", query, variables)
        if "errors" not in found:
            data: dict[str, Any] = found["data"]
            return data
        codes = {error["extensions"]["code"] for error in found["errors"]}
        if codes <= _MOVED and await self.learn():
            self.budget.note("requests refused because the model had moved")
        else:
            self.budget.fault("a request that fits the head is refused", self.version, query, variables, found)
        raise Refused(lost)


def scalars(document: Document) -> list[str]:
    """The API names of an entity's fields."""
    return [
        f"{name}Id" if kind_of(prop, name) == "reference" else name for name, prop in document["properties"].items()
    ]


def title(document: Document) -> str:
    """The GraphQL type of an entity."""
    name: str = document["name"]
    return name[:1].upper() + name[1:]


class Reader(Caller):
    """Reads records with all their fields, with documents that may be some seconds old."""

    async def run(self, going: Callable[[], bool]) -> None:
        """Read until told to stop."""
        await self.learn()
        while going():
            document = self.random.choice(list(self.documents.values()))
            plural, names = document["x-plural"], scalars(document)
            ordered = self.random.choice(
                [NAME, *(unsigned(name) for listed in document["x-index"] for name in listed[:1])]
            )
            query = (
                f"{{ meta {{ catalogVersion position }} {plural}(first: 30, orderBy: [{{{ordered}: DESC}}]) "
                f"{{ totalCount nodes {{ id version {' '.join(names)} }} }} }}"
            )
            try:
                data = await self.ask(query)
            except Refused:
                continue
            self.ledger.reads += 1
            self.budget.checked += 1
            for node in data[plural]["nodes"]:
                own = self.ledger.records.get(node["id"])
                if own is not None and node[NAME] != own.name:
                    self.budget.fault("a record has another name", node, own)
            await asyncio.sleep(self.random.uniform(0, 0.05))


class Writer(Caller):
    """Writes records of its own. One that is `slow` to learn believes in old documents until they are refused."""

    slow = False
    _count = 0
    _own: list[Own]
    _referred: list[Own]

    async def run(self, going: Callable[[], bool]) -> None:
        """Write until told to stop; the operation under way is finished."""
        self._own = getattr(self, "_own", [])
        await self.learn()
        while going():
            if not self.slow and self.random.random() < 0.2:
                await self.learn()
            await self._step()

    async def _step(self) -> None:
        document = self.random.choice(list(self.documents.values()))
        own = [item for item in self._own if item.family == document[FAMILY]]
        live, gone = [item for item in own if not item.deleted], [item for item in own if item.deleted]
        choice = self.random.random()
        if not live or (len(live) < OWN and choice < 0.5):
            await self._create(document)
        elif gone and choice < 0.58:
            await self._mark(document, self.random.choice(gone), "restore")
        elif choice < 0.64:
            await self._mark(document, self.random.choice(live), "delete")
        elif choice < 0.75:
            await self._see(document, self.random.choice(live))
        else:
            await self._update(document, self.random.choice(live))

    # -- operations --------------------------------------------------------------------------------------------------

    async def _create(self, document: Document) -> None:
        self._count += 1
        own = Own("", document[FAMILY], f"{self.name}-{self._count}")
        given = {NAME: own.name, **self._values(document, document["properties"])}
        kind, one = title(document), document["name"]
        text = (
            f"mutation($input: {kind}CreateInput!, $key: String) {{ r: create{kind}(input: $input, idempotencyKey: "
            f"$key) {{ {one} {{ id version {' '.join(given)} }} {_RESULT} }} }}"
        )
        try:
            answer = await self._send(text, {"input": given}, self._referred)
        except Refused as refused:
            if refused.lost:
                self.ledger.maybe.add(own.name)
            return
        made = answer[one]
        if made is None:
            return
        own.id, own.seen = made["id"], self.version
        if self.ledger.records.setdefault(own.id, own) is not own:
            self.budget.fault("two records have one id", own)
        self._own.append(own)
        self._compare(document, made, 1, given)
        own.writes[1] = given

    async def _update(self, document: Document, own: Own) -> None:
        names = [name for name in document["properties"] if name != NAME]
        given = self._values(document, self.random.sample(names, min(len(names), self.random.randint(1, 3))))
        if not given:
            return
        kind, one = title(document), document["name"]
        text = (
            f"mutation($id: ID!, $input: {kind}UpdateInput!, $version: Int, $key: String) {{ r: update{kind}(id: $id, "
            f"input: $input, expectedVersion: $version, idempotencyKey: $key) {{ {one} {{ id version "
            f"{' '.join(given)} }} {_RESULT} }} }}"
        )
        version = own.version if self.random.random() < 0.5 else None
        try:
            answer = await self._send(text, {"id": own.id, "input": given, "version": version}, [own, *self._referred])
        except Refused as refused:
            await self._uncertain(own, refused)
            return
        if answer[one] is None:
            self._give_up(own, answer)
            return
        if answer[one]["version"] != own.version:  # what changes nothing is no write
            own.version += 1
            own.writes[own.version] = given
        self._compare(document, answer[one], own.version, given)

    async def _mark(self, document: Document, own: Own, verb: str) -> None:
        kind, one = title(document), document["name"]
        text = (
            f"mutation($id: ID!, $key: String) {{ r: {verb}{kind}(id: $id, idempotencyKey: $key) "
            f"{{ {one} {{ id version }} {_RESULT} }} }}"
        )
        try:
            answer = await self._send(text, {"id": own.id}, [own])
        except Refused as refused:
            await self._uncertain(own, refused)
            return
        if answer[one] is None:
            self._give_up(own, answer)
            return
        own.version += 1
        own.deleted = verb == "delete"
        if answer[one]["version"] != own.version:
            self.budget.fault(f"{verb} answers another version", own, answer)

    async def _see(self, document: Document, own: Own) -> None:
        """What was acknowledged is seen on every server."""
        one = document["name"]
        text = f"query($id: ID!) {{ {one}(id: $id) {{ id version {' '.join(scalars(document))} }} }}"
        try:
            found = (await self.ask(text, {"id": own.id}))[one]
        except Refused:
            return
        self.budget.checked += 1
        if found is None:
            if not self._older([own]) and not await self.learn():
                self.budget.fault("a record is gone", own)
            self._give_up(own, found)
        elif found["version"] != own.version:
            self.budget.fault("a read does not see what was acknowledged", own, found)
        else:
            own.seen = self.version

    async def _uncertain(self, own: Own, refused: Refused) -> None:
        """Find out whether a write without an answer was done; who cannot leaves the record alone."""
        if not refused.lost:
            return
        self._own.remove(own)
        self.ledger.maybe.add(own.name)

    def _give_up(self, own: Own, answer: Any) -> None:
        """The record's table went with its documents, or another one has its place: it is not written any more."""
        if answer is not None and {error["code"] for error in answer["userErrors"]} != {"NOT_FOUND"}:
            return
        self.budget.note("records that went with their entity")
        self._own.remove(own)

    def _compare(self, document: Document, made: Mapping[str, Any], version: int, given: Mapping[str, Any]) -> None:
        """The answer shows what was given; a publish that came between may have put a default or another choice."""
        if made["version"] != version:
            self.budget.fault("a write answers another version", version, made)
        for name, value in given.items():
            prop = document["properties"].get(name, {"x-type": "reference"})
            plain = value is not None and kind_of(prop, name) != "choice"
            if plain and not _same(value, made[name]):
                self.budget.fault("a write answers another value", name, value, made)

    def _older(self, named: Sequence[Own]) -> bool:
        """Whether the model has moved since these records were seen, so that their table may have gone."""
        return any(own.seen < self.version for own in named)

    # -- sending -----------------------------------------------------------------------------------------------------

    def _values(self, document: Document, names: Any) -> dict[str, Any]:
        """A value for each of these fields, under its API name."""
        found = {}
        self._referred = []
        for name in names:
            if name == NAME:
                continue
            prop = document["properties"][name]
            kind = kind_of(prop, name)
            wanted = name in document["required"]
            value = None if not wanted and self.random.random() < 0.15 else self._value(prop, kind)
            found[f"{name}Id" if kind == "reference" else name] = value
        return found

    def _value(self, prop: Mapping[str, Any], kind: str) -> Any:
        random = self.random
        match kind:
            case "code":
                self._count += 1
                return f"{self.name}:{self._count}"
            case "text":
                number = random.randrange(10_000)
                return random.choice(
                    ["LOW", " mid", "large", "", f"{number}", f" {number}", f"{number}.5", f"{number}"]
                )
            case "integer":
                return random.randrange(10_000)
            case "decimal":
                return f"{random.randrange(10_000)}.{random.choice(['0000', '5000', '1250'])}"
            case "boolean":
                return random.random() < 0.5
            case "choice":
                return random.choice(open_choices(prop))
        part = family(self.documents, "part")
        parts = [item for item in self._own if part and item.family == "part" and not item.deleted]
        if not parts:
            return None
        self._referred.append(random.choice(parts))
        return self._referred[-1].id

    async def _send(self, text: str, variables: dict[str, Any], named: Sequence[Own]) -> Any:
        """The payload of a write that names some records. Raises `Refused` when it does not fit the model any more."""
        key = f"{self.random.getrandbits(64):x}"
        answer = (await self.ask(text, {**variables, "key": key}))["r"]
        codes = {error["code"] for error in answer["userErrors"]}
        if "NOT_UNIQUE" in codes:
            self.budget.note("writes that were not unique")
        elif codes and not (codes <= _LATE and (self._older(named) or await self.learn())):
            self.budget.fault("a write has user errors", self.version, text, variables, answer)
        for own in () if codes else named:
            own.seen = self.version
        self.budget.checked += 1
        self.ledger.acknowledged += 1
        return answer


def _same(given: Any, shown: Any) -> bool:
    """Whether a value is what was given: a number may meanwhile belong to a field of another type of number."""
    try:
        return given == shown or Decimal(str(given)) == Decimal(str(shown))
    except InvalidOperation:
        return False
