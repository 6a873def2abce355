"""What a part of the run found: checks that passed or failed, and parts that could not be run here."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried. `detail` says why it failed."""

    name: str
    passed: bool
    detail: str = ""


@dataclass
class Tally:
    """Checks as they come in, told on standard output at once."""

    passed: int = 0
    failed: list[Check] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)

    def begin(self, part: str) -> None:
        """Say which part begins."""
        print(f"\n{part}", flush=True)

    def add(self, check: Check, quiet: bool = False) -> None:
        """Count a check; a passed one is not printed when `quiet`."""
        if check.passed:
            self.passed += 1
            if not quiet:
                print(f"  ok    {check.name}", flush=True)
            return
        self.failed.append(check)
        print(f"  FAIL  {check.name}", flush=True)
        for line in check.detail.splitlines()[:40]:
            print(f"        {line}", flush=True)

    def skip(self, part: str, reason: str, required: bool) -> None:
        """Note a part that cannot be run here; a required one has failed."""
        if required:
            self.add(Check(part, False, f"required (PLIANT_TEST_REQUIRE), but {reason}"))
            return
        self.not_run.append(f"{part}: {reason}")
        print(f"  NOT RUN  {part}: {reason}", flush=True)

    def close(self) -> int:
        """The closing lines, and the exit code of the run."""
        print()
        for line in self.not_run:
            print(f"not run: {line}")
        for check in self.failed:
            print(f"failed: {check.name}")
        print(f"{self.passed} passed, {len(self.failed)} failed", flush=True)
        return 1 if self.failed else 0
