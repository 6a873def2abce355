"""The state of an import: how far it has come, kept in a file after each batch, so that a killed one goes on.

A batch is noted before it is written, with its commands and under an idempotency key, and forgotten when it is done:
whatever happens in between, sending the same commands with the same key again writes nothing twice.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from base.clock import now, timestamp
from base.errors import Conflict, Text
from base.json import Json, JsonInvalid, parse, pretty
from sources.progress import Counts

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """What an import is: it can only be continued as the same."""

    company: str
    entity: str
    file: str  # SHA-256 of its bytes
    mapping: str  # digest of the mapping and the key
    batch: int


@dataclass(slots=True)
class State:
    """How far an import is. `pending` is the batch that was about to be written."""

    identity: Identity
    run: str
    phase: str = "rows"  # rows | links
    row: int = 0  # the last row that is done in this phase
    done: int = 0  # how many rows are done in this phase
    counts: Counts = field(default_factory=Counts)
    faults: int = 0  # bytes of the fault file
    pending: Mapping[str, Json] | None = None
    at: datetime = field(default_factory=now)


def default_state_path(folder: Path, company: str, entity: str, file: Path) -> Path:
    """Where the state of importing a file is kept unless told: below `folder`, by the file's place."""
    place = hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:16]
    return folder / "imports" / f"{company}-{entity}-{place}.json"


def load_state(path: Path, wanted: Identity) -> State | None:
    """The state of an unfinished import; None when there is none. Raises `Conflict` when it is of another one."""
    try:
        body = cast(Mapping[str, Any], parse(path.read_bytes()))
        identity = Identity(**body["identity"])
        if body["format"] != FORMAT:
            raise ValueError
    except FileNotFoundError:
        return None
    except (OSError, JsonInvalid, ValueError, TypeError, KeyError):
        raise Conflict(
            Text(
                f"{path.name} is no state of an import that can be read: use --restart to begin anew",
                f"无法读取导入状态文件 {path.name}：请用 --restart 重新开始",
            )
        ) from None
    _check_same(identity, wanted)
    return State(
        identity,
        body["run"],
        body["phase"],
        body["row"],
        body["done"],
        Counts.from_json(body["counts"]),
        body["faults"],
        body["pending"],
        datetime.fromisoformat(body["at"]),
    )


def save_state(path: Path, state: State) -> None:
    """Keep a state, whole or not at all. Raises `Conflict` when the place cannot be written."""
    state.at = now()
    identity = state.identity
    body: dict[str, Json] = {
        "format": FORMAT,
        "identity": {name: getattr(identity, name) for name in Identity.__slots__},
        "run": state.run,
        "phase": state.phase,
        "row": state.row,
        "done": state.done,
        "counts": state.counts.as_json(),
        "faults": state.faults,
        "pending": state.pending,
        "at": timestamp(state.at),
    }
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as file:
            file.write(pretty(body))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        reason = error.strerror or "error"
        raise Conflict(
            Text(
                f"the state of the import cannot be kept in {path} ({reason}): name another file with --state",
                f"无法将导入状态写入 {path}（{reason}）：请用 --state 指定其他文件",
            )
        ) from None


def drop_state(path: Path) -> None:
    """Forget a finished import."""
    path.unlink(missing_ok=True)


def _check_same(found: Identity, wanted: Identity) -> None:
    told = {
        "file": ("the file has changed since", "文件已被修改"),
        "mapping": ("the mapping or the key is another one than", "映射或查找字段已改变"),
        "batch": (f"the batch size was {found.batch} when", f"批大小原为 {found.batch}"),
        "entity": ("the entity is another one than when", "实体已改变"),
        "company": ("the company is another one than when", "公司已改变"),
    }
    for name, (en, zh) in told.items():
        if getattr(found, name) != getattr(wanted, name):
            raise Conflict(
                Text(
                    f"an import was begun and not finished, and {en} it began: put that back to continue, "
                    "or use --restart to begin anew",
                    f"有一个未完成的导入，但{zh}：请恢复原状以继续，或用 --restart 重新开始",
                ),
                {"changed": name},
            )
