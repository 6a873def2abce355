"""Fault files: the rows that were refused, why, and their original cells, so that they can be mended and imported."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from base.errors import BadInput, Fault, Text
from base.json import Json
from sources.binding import OWN_COLUMNS

KEPT = 20
"""Faults kept in memory to be shown; the file has them all."""


@dataclass(frozen=True, slots=True)
class RowFault:
    """One refused row: its number in a spreadsheet, and what is wrong with which column (empty: the whole row)."""

    row: int
    faults: tuple[tuple[str, Fault], ...]

    def as_json(self, locale: str = "en") -> dict[str, Json]:
        """The fault for programs."""
        told: list[Json] = [
            {"column": column or None, "code": fault.code, "message": fault.text.localized(locale)}
            for column, fault in self.faults
        ]
        return {"row": self.row, "faults": told}

    def texts(self, locale: str) -> tuple[str, str, str]:
        """Columns, codes and messages, each joined."""
        columns = "; ".join(dict.fromkeys(column for column, _ in self.faults if column))
        codes = "; ".join(dict.fromkeys(fault.code for _, fault in self.faults))
        messages = "; ".join(_message(column, fault, locale) for column, fault in self.faults)
        return columns, codes, messages


def _message(column: str, fault: Fault, locale: str) -> str:
    """What is wrong, and where: in a column, or in a field that none fills."""
    where = column or ".".join(fault.path)
    text = fault.text.localized(locale)
    return f"{where}: {text}" if where else text


class FaultFile:
    """Collects refused rows: in memory the first few, in a CSV file (if there is one) all of them.

    The file begins when the first row is refused. Cells are written exactly as they were read.
    """

    def __init__(self, path: Path | None, header: Sequence[str], locale: str = "en") -> None:
        self.path = path
        self.first: list[RowFault] = []
        self._header = header
        self._locale = locale

    def begin(self, position: int = 0) -> None:
        """Start anew, or go on behind byte `position`, where the last finished batch ended. Raises `BadInput`."""
        if self.path is None:
            return
        try:
            if position and self.path.exists():
                os.truncate(self.path, position)
            else:
                self.path.unlink(missing_ok=True)
                self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from None

    def write(self, refused: Iterable[tuple[RowFault, Sequence[str]]]) -> None:
        """Add refused rows with their cells. Raises `BadInput` when the file cannot be written."""
        rows = list(refused)
        self.first += [fault for fault, _ in rows][: KEPT - len(self.first)]
        if self.path is None or not rows:
            return
        kept = [index for index, name in enumerate(self._header) if name not in OWN_COLUMNS]
        try:
            new = not self.path.exists()
            with self.path.open("a", encoding="utf-8-sig" if new else "utf-8", newline="") as file:
                writer = csv.writer(file)
                if new:
                    writer.writerow([*OWN_COLUMNS, *(self._header[index] for index in kept)])
                for fault, cells in rows:
                    own = [cells[index] if index < len(cells) else "" for index in kept]
                    writer.writerow([fault.row, *fault.texts(self._locale), *own, *cells[len(self._header) :]])
        except OSError as error:
            raise self._unwritable(error) from None

    @property
    def position(self) -> int:
        """The bytes written so far."""
        return self.path.stat().st_size if self.path is not None and self.path.exists() else 0

    def _unwritable(self, error: OSError) -> BadInput:
        reason = error.strerror or "error"
        return BadInput(
            Text(
                f"the fault file cannot be written ({reason}): name another",
                f"无法写入错误文件（{reason}）：请另行指定",
            )
        )
