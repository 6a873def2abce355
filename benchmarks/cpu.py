"""CPU seconds of process trees, read from /proc: they mean something on a machine that is not alone with the load."""

from __future__ import annotations

import os
import socket
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(root: int) -> float:
    """User and system time of a process, of its living descendants, and of those that it has waited for."""
    tree = _tree(root)
    own = sum(sum(found[1:3]) for pid in tree if (found := _stat(pid)) is not None)
    top = _stat(root)
    return (own + (sum(top[3:5]) if top is not None else 0)) / _TICKS


def resident_bytes(root: int) -> int:
    """Memory that a process and its descendants hold."""
    total = 0
    for pid in _tree(root):
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
    return total * os.sysconf("SC_PAGE_SIZE")


def listener(port: int) -> int | None:
    """The process that listens on a local port, where the system lets us see it."""
    wanted = {f"{port:04X}"}
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:] if Path(table).exists() else []:
            parts = line.split()
            if parts[3] == "0A" and parts[1].rpartition(":")[2] in wanted:
                inodes.add(f"socket:[{parts[9]}]")
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(link) in inodes for link in (entry / "fd").iterdir()):
                return _topmost(int(entry.name))
        except OSError:
            continue
    return None


def free_port() -> int:
    """A port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def parent(pid: int) -> int | None:
    """The parent of a process."""
    found = _stat(pid)
    return found[0] if found is not None else None


def _topmost(pid: int) -> int:
    """The first of a chain of processes that run the same program."""
    while (above := parent(pid)) and above > 1 and _program(above) == _program(pid):
        pid = above
    return pid


def _program(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def _tree(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        found = _stat(int(entry.name))
        if found is not None:
            children.setdefault(found[0], []).append(int(entry.name))
    tree, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        tree.append(pid)
        waiting += children.get(pid, [])
    return tree


def _stat(pid: int) -> tuple[int, int, int, int, int] | None:
    """Parent, user, system, and both times of children that were waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[1]), *(int(value) for value in fields[11:15]))  # type: ignore[return-value]
