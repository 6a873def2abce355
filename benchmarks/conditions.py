"""What a run was made on and with."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime


def conditions(scale: str, load: str | None = None) -> dict[str, str]:
    """The lines above a run's results, by their names."""
    return {
        "taken": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load average {os.getloadavg()[0]:.1f} before the run",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "Python": " ".join(sys.version.split()),
        "scale": scale,
        **({} if load is None else {"load": load}),
    }
