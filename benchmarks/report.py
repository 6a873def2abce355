"""The results: what was measured, what was wanted, what it means; as a table, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. `target` is what it should at least (or, with `at_most`, at most) be; None: shown for comparison."""

    name: str
    value: float
    unit: str = ""
    target: float | None = None
    at_most: bool = False
    meaning: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    def shown(self) -> tuple[str, str, str, str]:
        """Name, value, target and verdict as text."""
        target = "" if self.target is None else f"{'<=' if self.at_most else '>='} {_number(self.target)}"
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        return self.name, f"{_number(self.value)} {self.unit}".strip(), target, verdict


@dataclass
class Report:
    """All figures of a run by section, and what was left out."""

    conditions: dict[str, str] = field(default_factory=dict)
    sections: dict[str, list[Figure]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def add(self, section: str, *figures: Figure) -> None:
        """Add figures and print them at once: a run takes minutes."""
        known = self.sections.setdefault(section, [])
        if not known:
            print(f"\n{section}", flush=True)
        known += figures
        for figure in figures:
            name, value, target, verdict = figure.shown()
            print(f"  {name:<58} {value:>16}  {target:>10}  {verdict}", flush=True)

    def skip(self, what: str) -> None:
        """Say plainly what was not measured."""
        self.skipped.append(what)
        print(f"  skipped: {what}", flush=True)

    def write(self, folder: Path, stem: str, command: str = "make bench") -> None:
        """Write Markdown and JSON; `command` makes them again."""
        (folder / f"{stem}.md").write_text(self._markdown(command))
        shown: Mapping[str, object] = {
            "conditions": self.conditions,
            "sections": {
                name: [{**asdict(item), "met": item.met} for item in figures] for name, figures in self.sections.items()
            },
            "skipped": self.skipped,
        }
        (folder / f"{stem}.json").write_text(json.dumps(shown, indent=2) + "\n")

    def _markdown(self, command: str) -> str:
        figures = [item for section in self.sections.values() for item in section if item.met is not None]
        missed = [item.name for item in figures if not item.met]
        lines = [
            "# Benchmark results",
            "",
            f"Written by `{command}`; how each figure is taken stands in README.md. Absolute figures belong to the "
            "machine of the run, ratios are the point.",
            "",
            *(f"* {name}: {value}" for name, value in self.conditions.items()),
            "",
            f"{len(figures) - len(missed)} of {len(figures)} targets met."
            + (f" Missed: {'; '.join(missed)}." if missed else ""),
        ]
        lines += [f"\nNot measured: {item}." for item in self.skipped]
        for name, section in self.sections.items():
            lines += ["", f"## {name}", "", "| figure | value | target | | meaning |", "|---|--:|--:|---|---|"]
            for item in section:
                lines.append(f"| {' | '.join(item.shown())} | {item.meaning} |")
        return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"
