"""Generated sequences of writes: on both engines faults, rows, links and log are those of the model."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from records.command import (
    Command,
    Create,
    Delete,
    DeleteWhere,
    Merge,
    Purge,
    Restore,
    Saved,
    Update,
    UpdateWhere,
    Upsert,
)
from records.writing.writeplan import plans_of
from tests.engines import ENGINES, place_of
from tests.examples import examples
from tests.records.write_model import DEFAULTS, Model, Refused
from tests.records.write_world import WriteWorld, faults_of, write_world

ENTITIES = ("account", "contact", "product", "deal", "line")
NAMES = ("a", "A", "b", "ß", "ss")

Step = tuple[str, int, int, int, str]
"""What to do, three numbers that choose records, and a name."""

STEPS = st.tuples(
    st.sampled_from(
        [
            *("create " + entity for entity in ENTITIES), *("update " + entity for entity in ENTITIES),
            "create deal", "delete", "delete", "restore", "restore", "purge", "upsert", "bulk update", "bulk delete",
            "merge", "merge", "links", "lines", "lines set",
        ]
    ),
    st.integers(0, 7), st.integers(0, 7), st.integers(0, 7), st.sampled_from(NAMES),
)  # fmt: skip


class Player:
    """Plays steps on a company and on the model, and compares."""

    def __init__(self, world: WriteWorld) -> None:
        self.world = world
        self.model = Model()
        self.ids: dict[str, list[str]] = {entity: [] for entity in ENTITIES}

    def pick(self, entity: str, number: int) -> str | None:
        """One of the records ever made of an entity, or none."""
        ids = self.ids[entity]
        return ids[-1 - number % len(ids)] if ids else None

    async def play(self, step: Step) -> None:
        """One step on both sides."""
        kind, one, two, three, name = step
        verb, _, entity = kind.partition(" ")
        match verb:
            case "create":
                await self._create(entity, self._values(entity, one, two, name))
            case "update":
                await self._update(entity, one, self._values(entity, two, three, name))
            case "delete" | "restore" | "purge":
                await self._one(verb, ENTITIES[one % len(ENTITIES)], two)
            case "upsert":
                await self._upsert(name, three)
            case "bulk":
                await self._bulk(entity, one)
            case "merge":
                await self._merge(one, two, three)
            case "links":
                await self._links(one, two, three)
            case _:
                await self._lines(one, two, three, whole=entity == "set")

    def _values(self, entity: str, one: int, two: int, name: str) -> dict[str, Any]:
        match entity:
            case "account":
                return {
                    "name": name,
                    "sector": name if one % 2 else None,
                    "parentId": self.pick("account", two) if two < 4 else None,
                }
            case "contact":
                return {
                    "email": f"{len(name)}{one}@example.com" if two else None,
                    "accountId": self.pick("account", one),
                }
            case "product":
                return {"code": name, "price": float(one)}
            case "deal":
                return {"name": name, "accountId": self.pick("account", one) if two < 6 else None}
            case _:
                return {"label": name, "productId": self.pick("product", one), "dealId": self.pick("deal", two)}

    async def _create(self, entity: str, values: dict[str, Any]) -> None:
        if entity == "line" and values["dealId"] is None:
            return
        saved = await self.world.save(Create(entity, values))

        def expected(model: Model) -> None:
            model.need_targets(entity, values)
            model.add("new", entity, values)
            model.check_unique()

        self._compare(saved, expected, {"new": entity})

    async def _update(self, entity: str, number: int, values: dict[str, Any]) -> None:
        record_id = self.pick(entity, number)
        if record_id is None or (entity == "line" and values["dealId"] is None):
            return
        saved = await self.world.save(Update(entity, record_id, values))
        self._compare(saved, lambda model: model.update(str(record_id), entity, values))

    async def _one(self, verb: str, entity: str, number: int) -> None:
        record_id = self.pick(entity, number)
        if record_id is None:
            return
        commands: Mapping[str, Command] = {
            "delete": Delete(entity, record_id),
            "restore": Restore(entity, record_id),
            "purge": Purge(entity, record_id),
        }
        saved = await self.world.save(commands[verb])
        actions: Mapping[str, Callable[[Model], None]] = {
            "delete": lambda model: model.delete([str(record_id)], entity),
            "restore": lambda model: model.restore(str(record_id)),
            "purge": lambda model: model.purge(str(record_id)),
        }
        self._compare(saved, actions[verb])

    async def _upsert(self, name: str, number: int) -> None:
        values: dict[str, Any] = {"code": name, "price": float(number)}
        saved = await self.world.save(Upsert("product", values, ("code",)))
        known = [key for key, row in self.model.live("product").items() if row.values["code"] == name]
        if known:
            self._compare(saved, lambda model: model.update(known[0], "product", values))
            assert saved.results[0].id == known[0]
        else:
            self._compare(saved, lambda model: model.add("new", "product", values), {"new": "product"})

    async def _bulk(self, verb: str, number: int) -> None:
        chosen = {"price": {"gte": number}}
        matching = [key for key, row in self.model.live("product").items() if (row.values["price"] or 0) >= number]
        command: Command = UpdateWhere("product", chosen, {"price": 3.0}, at_most=2)
        if verb == "delete":
            command = DeleteWhere("product", chosen, at_most=2)
        saved = await self.world.save(command)

        def expected(model: Model) -> None:
            if len(matching) > 2:
                raise Refused("LIMIT")
            if verb == "delete":
                model.delete(matching, "product")
            else:
                for record_id in matching:
                    model.update(record_id, "product", {"price": 3.0})

        self._compare(saved, expected)

    async def _merge(self, one: int, two: int, three: int) -> None:
        keep = self.pick("account", one)
        losers = list(dict.fromkeys(str(self.pick("account", number)) for number in (two, three)))
        losers = [item for item in losers if item != keep]
        if keep is None or not losers:
            return
        saved = await self.world.save(Merge("account", tuple(losers), keep))
        self._compare(saved, lambda model: model.merge(str(keep), losers))

    async def _links(self, one: int, two: int, three: int) -> None:
        deal, product, other = self.pick("deal", one), self.pick("product", two), self.pick("product", three)
        if deal is None or product is None or other is None:
            return
        asked = {"set": [product, other]} if one % 2 else {"connect": [product]}
        saved = await self.world.save(Update("deal", deal, {"products": asked}))

        def expected(model: Model) -> None:
            model.need("deal", deal)
            live = set(model.live("product"))
            now = {there for here, there in model.links if here == deal and there in live}
            wanted = set(next(iter(asked.values())))
            for item in wanted - now:
                model.need("product", item)
            after = wanted if "set" in asked else now | wanted
            model.links -= {(str(deal), item) for item in now - after}
            model.links |= {(str(deal), item) for item in after}
            model.update(str(deal), "deal", {}, linked=after != now)

        self._compare(saved, expected)

    async def _lines(self, one: int, two: int, three: int, *, whole: bool) -> None:
        deal, line, product = self.pick("deal", one), self.pick("line", two), self.pick("product", three)
        if deal is None or line is None:
            return
        if one != 7 and line in self.model.rows:
            deal = self.model.rows[line].values["dealId"]  # mostly its own
        new = {"label": "n", "productId": product}
        asked: dict[str, Any] = {"create": [new], "delete": [line]}
        if whole:
            asked = {"set": [{"input": new}, {"id": line, "input": {"label": "s"}}]}
        saved = await self.world.save(Update("deal", deal, {"lines": asked}))

        def expected(model: Model) -> None:
            model.need("deal", deal)
            own = [key for key, row in model.live("line").items() if row.values["dealId"] == deal]
            if line not in own:
                raise Refused("NOT_FOUND")
            model.need("product", product)
            model.add("new", "line", {**new, "dealId": deal})
            if whole:
                model.update(str(line), "line", {"label": "s"})
            gone = [item for item in own if item != line] if whole else [str(line)]
            if gone:
                model.delete(gone, "line")

        self._compare(saved, expected, {"new": "line"})

    def _compare(self, saved: Saved, action: Callable[[Model], None], made: Mapping[str, str] | None = None) -> None:
        tried = copy.deepcopy(self.model)
        expected: set[str] = set()
        try:
            action(tried)
        except Refused as error:
            expected.add(str(error))
        assert {code for code, _ in faults_of(saved)} == expected
        if expected:
            return
        self.model = tried
        if made and "new" in tried.rows:
            self._rename("new", made["new"], saved)

    def _rename(self, placeholder: str, entity: str, saved: Saved) -> None:
        """A new record gets the id that the company gave it; nested ones are found afterwards by `settle`."""
        record_id = str(saved.results[0].id)
        if entity == "line" and record_id in self.model.rows:
            self.pending = placeholder
            return
        self.model.rows[record_id] = self.model.rows.pop(placeholder)
        self.model.events[record_id] = self.model.events.pop(placeholder)
        self.ids[entity].append(record_id)

    pending: str | None = None

    async def settle(self) -> None:
        """Find the id of a nested record that was made."""
        if self.pending is None:
            return
        rows = await self.world.rows("line", deleted=True)
        (record_id,) = set(rows) - set(self.ids["line"])
        self.model.rows[record_id] = self.model.rows.pop(self.pending)
        self.model.events[record_id] = self.model.events.pop(self.pending)
        self.ids["line"].append(record_id)
        self.pending = None

    async def check(self) -> None:
        """Rows, links and log are those of the model; the log's last images are the rows."""
        found: dict[str, Any] = {}
        images: dict[str, Any] = {}
        plans = plans_of(self.world.snapshot())
        for entity in ENTITIES:
            plan = plans.of(entity)
            for record_id, row in (await self.world.rows(entity, deleted=True)).items():
                values = {key: row[key] for key in DEFAULTS[entity]}
                found[record_id] = (entity, values, row["version"], row["deletedAt"] is None)
                shown = plan.images(row)
                images[record_id] = {slot.column: shown.get(slot.api) for slot in plan.order if slot.shown}
        assert found == {
            key: (row.entity, row.values, row.version, row.deletion is None) for key, row in self.model.rows.items()
        }
        assert await self.world.links("deal", "products") == self.model.links
        await self._check_log(images)

    async def _check_log(self, images: Mapping[str, Any]) -> None:
        events: dict[str, list[tuple[str, int]]] = {}
        last: dict[str, Any] = {}
        log = await self.world.log()
        for event in log:
            events.setdefault(event["record_id"], []).append((event["op"], event["record_version"]))
            last[event["record_id"]] = event
        assert events == self.model.events
        positions = [event["position"] for event in log]
        assert positions == list(range(positions[0], positions[0] + len(positions))) if positions else True
        assert {key: event["after"] for key, event in last.items() if event["op"] != "PURGED"} == images
        ends = [event["transaction_id"] for event in log if event["last"]]
        assert len(ends) == len(set(ends)) == len({event["transaction_id"] for event in log})


async def play_all(place: str, steps: list[Step]) -> None:
    """Play steps in a new company and compare everything at the end."""
    async with write_world(place) as world:
        player = Player(world)
        for step in steps:
            await player.play(step)
            await player.settle()
        await player.check()


PHASES = (Phase.explicit, Phase.generate)  # shrinking plays hundreds of companies: ask for it where it is wanted
EXAMPLES = {"sqlite": 10, "postgresql": 5}


@pytest.mark.parametrize("engine", ENGINES)
def test_writes_are_those_of_the_model(engine: str) -> None:
    with TemporaryDirectory() as folder:
        place = place_of(engine, Path(folder))

        @settings(
            max_examples=examples(EXAMPLES[engine]), deadline=None, database=None,
            suppress_health_check=list(HealthCheck), phases=PHASES,
        )  # fmt: skip
        @given(st.lists(STEPS, min_size=20, max_size=60))
        def play(steps: list[Step]) -> None:
            asyncio.run(play_all(place, steps))

        play()
