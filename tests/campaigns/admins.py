"""Admins who publish random changes, refuse to lose values first and then allow it, wait, cancel, go back, and some
who empty the trash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import httpx2

from tests.campaigns.clients import Caller, Refused, scalars
from tests.campaigns.reshaping import Documents, Reshape, reshape

_PUBLISH = """mutation($d: [JSON!]!, $r: [PliantDocumentKey!], $loss: [String!], $v: Int) {
  publish(documents: $d, removals: $r, allowLoss: $loss, expectedVersion: $v) {
    version publication { id state version } userErrors { path code message details } } }"""
_STATE = "query($id: ID!) { publication(id: $id) { id state version step userErrors { code message } } }"
_CANCEL = "mutation($id: ID!) { cancelPublication(id: $id) { publication { state } userErrors { code } } }"
_TRASH = "{ trash { id } }"
_DISCARD = "mutation($id: ID!) { discardTrash(id: $id) { userErrors { code } } }"

_STANDS = frozenset({"DOCUMENT_LOSS", "DOCUMENT_ROWS", "CONFLICT"})
_LOOK_SECONDS = 0.05
_WAIT_SECONDS = 60.0


class Admin(Caller):
    """One admin. `allowed` remembers, by version, the losses that were allowed over it."""

    allowed: dict[int, set[str]]
    past: list[Documents]
    tidy = False
    published = 0

    async def run(self, going: Callable[[], bool]) -> None:
        """Publish until told to stop."""
        while going():
            if await self.learn():
                self.past.append(deepcopy(dict(self.documents)))
            if self.tidy and self.random.random() < 0.3:
                await self._discard()
            await self._publish(reshape(self.random, self.documents, self.past))
            await asyncio.sleep(self.random.uniform(0, 0.3))

    async def _discard(self) -> None:
        """Drop one thing in the trash; it may have come back or gone, or somebody publishes just now."""
        found, _ = await self.post("/graphql/admin", _TRASH)
        if found["data"]["trash"]:
            await self.post("/graphql/admin", _DISCARD, self.random.choice(found["data"]["trash"]))

    async def _publish(self, change: Reshape) -> None:
        base, loss = self.version, set[str]()
        for _ in range(3):
            payload = await self._sent(change, base, loss)
            if payload is None:
                self.budget.note("publishes whose server died")
                return
            errors = payload["userErrors"]
            if not errors:
                await self._done(change, payload)
                return
            codes = {error["code"] for error in errors}
            if not codes <= _STANDS:
                self.budget.fault("documents that hold are refused", change, payload)
                return
            wanted = {error["details"]["allowLoss"] for error in errors if error["code"] == "DOCUMENT_LOSS"}
            if codes != {"DOCUMENT_LOSS"} or wanted <= loss or self.random.random() < 0.3:
                self.budget.note(f"publishes refused: {', '.join(sorted(codes))}")
                return
            loss |= wanted

    async def _sent(self, change: Reshape, base: int, loss: set[str]) -> dict[str, Any] | None:
        """The payload of one try; None when the server died over it."""
        self.allowed.setdefault(base, set()).update(loss)
        variables = {
            "d": change.documents,
            "r": [{"kind": "entity", "name": name} for name in change.removals],
            "loss": sorted(loss),
            "v": base,
        }
        try:
            found, _ = await self.post("/graphql/admin", _PUBLISH, variables, patient=False)
        except httpx2.HTTPError:
            return None
        self.budget.checked += 1
        if "errors" in found:
            error = found["errors"][0]
            if error["extensions"]["code"] != "CONFLICT":
                self.budget.fault("a publish is an error", change, found)
            return {"userErrors": [{"code": "CONFLICT", "message": error["message"]}]}
        payload: dict[str, Any] = found["data"]["publish"]
        return payload

    async def _done(self, change: Reshape, payload: Mapping[str, Any]) -> None:
        """Look at what was published, or wait until it is; now and then cancel it, or do not wait."""
        version, begun = payload["version"], payload["publication"]
        if version is None and begun is None:
            self.budget.fault("a publish without errors gives no version", change, payload)
            return
        if version is None and self.random.random() < 0.1:
            await self.post("/graphql/admin", _CANCEL, {"id": begun["id"]})
        if version is None and self.random.random() < 0.1:
            return
        if version is None:
            version = await self._waited(begun["id"])
        if version is None:
            return
        self.published += 1
        self.budget.note(f"published: {change.title}")
        self.budget.note("published by a publication" if begun else "published at once")
        await self._look(version)

    async def _waited(self, publication: str) -> int | None:
        """The version that a publication became; None when it did not."""
        for _ in range(round(_WAIT_SECONDS / _LOOK_SECONDS)):
            found, _ = await self.post("/graphql/admin", _STATE, {"id": publication})
            shown = found["data"]["publication"]
            if shown["state"] == "ACTIVE":
                return int(shown["version"])
            if shown["state"] in ("FAILED", "CANCELLED"):
                self.budget.note(f"publications {shown['state'].lower()}")
                return None
            await asyncio.sleep(_LOOK_SECONDS)
        self.budget.fault("a publication does not end", shown)
        return None

    async def _look(self, version: int) -> None:
        """Whatever server is asked now, it knows what was published."""
        await self.learn()
        if self.version < version:
            self.budget.fault("a published version is not the head", version, self.version)
        roots = [
            f"{item['x-plural']}(first: 3) {{ nodes {{ id {' '.join(scalars(item))} }} }}"
            for item in self.documents.values()
        ]
        try:
            data = await self.ask(f"{{ meta {{ catalogVersion }} {' '.join(roots)} }}")
        except Refused:
            return
        if data["meta"]["catalogVersion"] < version:
            self.budget.fault("a server answers an older version than was published", version, data["meta"])
