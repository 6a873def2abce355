"""Settings: what an operator decides, read from the environment once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from base.errors import BadInput, Text
from base.limits import DEFAULTS, Limits

_LIMIT = "PLIANT_LIMIT_"
_OFF = frozenset({"off", "0", "no", "false"})


@dataclass(frozen=True, slots=True)
class Settings:
    """How a house is opened.

    `database` is an address as `storage.open_engine` takes it; without one the rows live in `data_dir` (SQLite).
    `secret_keys` seal cursors: the first seals, all open; without one cursors end with the process. `compiled` off
    answers every query by the stock executor.
    """

    data_dir: Path = Path("pliant-data")
    database: str | None = None
    secret_keys: tuple[str, ...] = ()
    compiled: bool = True
    limits: Limits = DEFAULTS

    @property
    def place(self) -> str | Path:
        """Where the rows live."""
        return self.database if self.database is not None else self.data_dir


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from `PLIANT_*` variables. Raises `BadInput` for a limit that is unknown or no number."""
    given = os.environ if environment is None else environment
    keys = tuple(key.strip() for key in given.get("PLIANT_SECRET_KEY", "").split(",") if key.strip())
    return Settings(
        data_dir=Path(given.get("PLIANT_DATA_DIR") or Settings().data_dir),
        database=given.get("PLIANT_DATABASE_URL") or None,
        secret_keys=keys,
        compiled=given.get("PLIANT_COMPILED", "on").strip().lower() not in _OFF,
        limits=_limits(given),
    )


def _limits(given: Mapping[str, str]) -> Limits:
    kinds = {item.name: float if item.type == "float" else int for item in fields(Limits)}
    changed: dict[str, float] = {}
    for variable, text in given.items():
        if not variable.startswith(_LIMIT):
            continue
        name = variable.removeprefix(_LIMIT).lower()
        try:
            changed[name] = kinds[name](text)
        except (KeyError, ValueError):
            raise BadInput(
                Text(
                    f"{variable} is no limit of Pliant or its value is no number: see docs/limits.md",
                    f"{variable} 不是 Pliant 的限制项，或其值不是数字：请参阅 docs/limits.md",
                )
            ) from None
    return replace(DEFAULTS, **changed)  # type: ignore[arg-type]
