"""Every worst request is answered soon and small; docs/worst-requests.md is the table of what was measured.

`make worst-requests` writes the table anew. A test run compares rows and answers with it, not the figures.
"""

from __future__ import annotations

import os
import time
import tracemalloc
from pathlib import Path

from tests.contract.site import answer_of, opened_site
from tests.contract.worst import WORST
from tests.programs import ROOT

TABLE = ROOT / "docs" / "worst-requests.md"
WRITE = "PLIANT_WRITE_WORST_REQUESTS"

MEMORY_MB = 60.0
"""More than any takes. Times are written down, never asserted: an explosion of work is one of memory or a hang."""

HEAD = """# Worst requests

What the smallest and the largest hostile requests cost one process on SQLite, each sent for the first time, with all
limits at their defaults: CPU of the whole answer, and the most memory that was held beyond what was there before.
Written by `make worst-requests` (tests/contract/worst.py has the requests); the figures are of one run on one machine.

| request | bytes | answer | CPU ms | memory MB |
|---|---:|---|---:|---:|
"""


async def test_worst_requests_cost_little(tmp_path: Path) -> None:
    rows: list[tuple[str, str, str, str, str]] = []
    async with opened_site(str(tmp_path)) as site:
        for worst in WORST:
            body = worst.body()
            before = time.process_time()
            response = await site.post(body, worst.path)
            seconds = time.process_time() - before
            tracemalloc.start()
            await site.post(body + b" ", worst.path)
            held = tracemalloc.get_traced_memory()[1] / 2**20
            tracemalloc.stop()
            assert held < MEMORY_MB, (worst.name, held)
            rows.append((worst.name, f"{len(body):,}", answer_of(response), f"{seconds * 1_000:.1f}", f"{held:.1f}"))
    text = HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)
    if os.environ.get(WRITE):
        TABLE.write_text(text, encoding="utf-8")
    kept = [line.split(" | ")[:3] for line in TABLE.read_text(encoding="utf-8").splitlines()]
    assert kept == [line.split(" | ")[:3] for line in text.splitlines()]
