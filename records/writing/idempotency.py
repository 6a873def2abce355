"""Idempotency: the same key with the same input gives the first answer again and writes nothing.

The memory is a row of the Batch itself, so it exists exactly when the write does: a mutation that was refused leaves
no memory and may be sent again. Scope: company, member and operation; it lasts `limits.idempotency_hours`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import sqlalchemy as sa

from base.clock import now, timestamp
from base.errors import BadInput, Conflict, Fault, Text
from base.json import Json, digest
from base.limits import Limits
from records.command import Commands, Result, Saved
from records.snapshot import Snapshot
from records.writing.probe import Values, probe
from storage.batch import NAMESPACE, IdempotencyRow, Replayed
from storage.types import TEXT, TIMESTAMP


class Key:
    """An idempotency key with the input that it came with."""

    def __init__(self, snapshot: Snapshot, commands: Commands, key: str) -> None:
        limit = snapshot.limits.idempotency_key_chars
        if not 0 < len(key) <= limit:
            raise BadInput(
                Text(f"idempotencyKey has 1 to {limit} characters", f"idempotencyKey 须为 1 到 {limit} 个字符")
            )
        actor = snapshot.actor
        try:
            given = [[type(item).__name__, _plain(item)] for item in commands.items]
            self.hash = digest([actor.company, actor.member_id, commands.operation, key])
            self.input_hash = digest([given, commands.atomic])
        except (ValueError, RecursionError):
            text = Text(
                "The input or its key holds text that cannot be kept", "输入或 idempotencyKey 包含无法保存的文本"
            )
            raise BadInput(text) from None

    def row(self, limits: Limits, instant: datetime, saved: Saved) -> IdempotencyRow:
        """The memory of an answer."""
        expires = instant + timedelta(hours=limits.idempotency_hours)
        return IdempotencyRow(self.hash, self.input_hash, _answer(saved), timestamp(expires))

    def replay(self, known: Replayed) -> Saved:
        """The first answer. Raises `BadInput` when it was given to another input."""
        if known.input_hash != self.input_hash:
            raise BadInput(
                Text(
                    "This idempotencyKey was used with another input: take a new key",
                    "该 idempotencyKey 已用于其他输入：请使用新的键",
                )
            )
        return _saved(known.answer)

    async def known(self, snapshot: Snapshot) -> Saved | None:
        """The first answer, if there is one already."""
        found = await _known_probe(snapshot).rows(snapshot, {"key": self.hash, "at": now()})
        if not found:
            return None
        input_hash, answer = (item.decode() if isinstance(item, bytes) else item for item in found[0])
        return self.replay(Replayed(input_hash, orjson.loads(answer)))


_UNDER_WAY: Final[set[tuple[int, str, str]]] = set()


@contextmanager
def under_way(snapshot: Snapshot, key: Key | None) -> Iterator[None]:
    """Hold a key while its mutation runs. Raises `Conflict` while another one in this process holds it.

    Another process is answered by the database: it waits for the first to commit and then has its answer.
    """
    if key is None:
        yield
        return
    held = (id(snapshot.engine), snapshot.namespace, key.hash)
    if held in _UNDER_WAY:
        raise Conflict(
            Text("A mutation with this idempotencyKey is under way", "使用该 idempotencyKey 的变更正在执行中")
        )
    _UNDER_WAY.add(held)
    try:
        yield
    finally:
        _UNDER_WAY.discard(held)


def _known_probe(snapshot: Snapshot) -> Any:
    dialect = snapshot.engine.dialect
    table = sa.table(
        "_idempotency",
        *[sa.column(name) for name in ("key", "input_hash", "answer", "expires_at")],
        schema=NAMESPACE,
    )

    def query(values: Values) -> sa.Select[Any]:
        wanted = sa.select(table.c.input_hash, sa.cast(table.c.answer, sa.Text()))
        return wanted.where(
            table.c.key == values.given("key", TEXT), table.c.expires_at > values.given("at", TIMESTAMP)
        )

    return probe(snapshot.limits, dialect, query)


def _plain(command: object) -> Json:
    return _json(asdict(command))  # type: ignore[call-overload]


def _json(value: Any) -> Json:
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return value  # type: ignore[no-any-return]


def _answer(saved: Saved) -> Mapping[str, Json]:
    return {
        "results": [{"id": item.id, "faults": [_fault_json(fault) for fault in item.faults]} for item in saved.results],
        "faults": [_fault_json(fault) for fault in saved.faults],
        "details": None if saved.details is None else dict(saved.details),
    }


def _fault_json(fault: Fault) -> Json:
    return {
        "path": list(fault.path),
        "code": fault.code,
        "text": {"en": fault.text.en, "zh": fault.text.zh},
        "details": dict(fault.details),
    }


def _saved(answer: Mapping[str, Any]) -> Saved:
    results = tuple(Result(item["id"], _faults(item["faults"])) for item in answer["results"])
    return Saved(results, _faults(answer["faults"]), answer["details"])


def _faults(items: list[Any]) -> tuple[Fault, ...]:
    return tuple(
        Fault(tuple(item["path"]), item["code"], Text(item["text"]["en"], item["text"]["zh"]), item["details"])
        for item in items
    )
