"""What a run was made on and with."""

from __future__ import annotations

import os
import platform
import sysconfig
from datetime import UTC, datetime


def conditions(scale: str, load: str | None = None) -> dict[str, str]:
    """The lines above a run's results, by their names."""
    return {
        "taken": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load average {os.getloadavg()[0]:.1f} before the run",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "Python": _python(),
        "scale": scale,
        **({} if load is None else {"load": load}),
    }


def _python() -> str:
    """Its version, and whether a profile optimised its interpreter: one without takes half as long again."""
    built = sysconfig.get_config_var("CONFIG_ARGS") or ""
    profiled = "--enable-optimizations" in built
    return f"{platform.python_version()}, {'with' if profiled else 'without'} profile-guided optimisation"
