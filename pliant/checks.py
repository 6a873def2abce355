"""What `pliant doctor` looks at: one function for each thing, each telling what it found and what to do."""

from __future__ import annotations

import importlib.util
import os
import re
import stat
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import metadata as packages
from pathlib import Path

from access.sweep import Unmigrated, companies_behind, list_unmigrated
from base.clock import timestamp
from base.errors import PliantError, Text
from pliant.house import House
from pliant.secret import KEY_FILE, passing_keys
from pliant.settings import Settings
from pliant.terminal import with_cause
from server.explore import BUILT
from storage.description import describe

ROOMS = (
    "base", "storage", "expressions", "events", "access", "metadata", "records", "sources", "resolvers", "schema",
    "server", "pliant", "templates",
)  # fmt: skip
"""Our top-level packages. Some of these names are taken on PyPI; such a package would overwrite ours without a word."""

PINNED = ("strawberry-graphql", "graphql-core")
"""Packages of which private names are used: exactly the versions of pyproject.toml."""


_HOME = Path(__file__).resolve().parent.parent


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    NOTE = "note"  # works, but somebody should know
    WRONG = "WRONG"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; the text says what to do when it is not ok."""

    check: str
    verdict: Verdict
    text: Text
    unreachable: bool = False


Check = Callable[[Settings], Awaitable[list[Finding]]]


async def check_python(settings: Settings) -> list[Finding]:
    """The interpreter."""
    shown = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    return [_finding("python", good, f"Python {shown}", f"Python {shown} is too old: 3.11 or newer is needed")]


async def check_packages(settings: Settings) -> list[Finding]:
    """Installed packages against what Pliant asks for; pinned ones exactly."""
    found: list[Finding] = []
    for requirement in packages.requires("pliant") or []:
        name = re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0]
        if "extra ==" in requirement or (";" in requirement and name == "uvloop" and sys.platform == "win32"):
            continue
        try:
            version = packages.version(name)
        except packages.PackageNotFoundError:
            found.append(Finding("packages", Verdict.WRONG, _same(f"{name} is missing: pip install '{name}'")))
            continue
        pin = re.search(r"==([0-9][^,; ]*)", requirement)
        if pin is not None and pin[1] != version:
            text = f"{name} is {version}, but exactly {pin[1]} is needed: pip install '{name}=={pin[1]}'"
            found.append(Finding("packages", Verdict.WRONG, _same(text)))
    if not found:
        pinned = ", ".join(f"{name} {packages.version(name)}" for name in PINNED)
        found.append(Finding("packages", Verdict.OK, _same(f"all there; {pinned}")))
    return found


async def check_rooms(settings: Settings) -> list[Finding]:
    """Our packages are ours: each lies beside this one."""
    home = _HOME
    foreign = [name for name in ROOMS if not _is_ours(name, home)]
    if not foreign:
        return [Finding("rooms", Verdict.OK, _same(f"all {len(ROOMS)} in {home}"))]
    names = ", ".join(foreign)
    text = Text(
        f"{names}: another package of this name hides ours; install Pliant in an environment of its own",
        f"{names}：被其他同名软件包覆盖；请在独立的虚拟环境中安装 Pliant",
    )
    return [Finding("rooms", Verdict.WRONG, text)]


async def check_folder(settings: Settings) -> list[Finding]:
    """The data folder is writable, and only where it is used."""
    folder = settings.data_dir
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    good = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    return [_finding("folder", good, f"{folder} can be written", f"{folder} cannot be written: set PLIANT_DATA_DIR")]


async def check_key(settings: Settings) -> list[Finding]:
    """The key that seals cursors."""
    if settings.secret_keys:
        weak = any(len(key) < 16 for key in settings.secret_keys)
        wrong = "PLIANT_SECRET_KEY is too short: use 32 random bytes"
        return [_finding("key", not weak, "PLIANT_SECRET_KEY is set", wrong)]
    path = settings.data_dir / KEY_FILE
    if not path.exists():
        text = f"none yet: pliant serve makes {path}; several processes need one PLIANT_SECRET_KEY"
        return [Finding("key", Verdict.NOTE, _same(text))]
    private = stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    return [_finding("key", private, f"{path} (mode 0600)", f"others can read it: chmod 600 {path}")]


async def check_database(settings: Settings) -> list[Finding]:
    """The database answers: its kind and version."""
    if settings.database is None and not settings.data_dir.exists():
        text = f"SQLite in {settings.data_dir}, which the first use creates"
        return [Finding("database", Verdict.OK, _same(text))]
    try:
        house = await House.open(replace(settings, secret_keys=passing_keys()))
    except PliantError as error:
        return [Finding("database", Verdict.WRONG, with_cause(error), unreachable=True)]
    try:
        companies = len(await house.companies())
        about = await describe(house.engine)
        icu = "" if about.product == "SQLite" else f", ICU: {'yes' if about.icu else 'no'}"
        text = f"{about.product} {about.version}{icu}; companies: {companies}"
        return [Finding("database", Verdict.OK, _same(text)), *([] if about.shared else [_ONE_PROCESS])]
    finally:
        await house.close()


_ONE_PROCESS = Finding(
    "database",
    Verdict.NOTE,
    Text(
        "let only one process serve this folder: this SQLite may damage a file that several write; "
        "3.51.3, 3.50.7 and 3.44.6 are mended",
        "只让一个进程使用此文件夹：当前 SQLite 版本在多进程写入时可能损坏文件；3.51.3、3.50.7、3.44.6 已修复",
    ),
)


async def check_companies(settings: Settings) -> list[Finding]:
    """The tables of all companies are those of this release."""
    if settings.database is None and not settings.data_dir.exists():
        return []
    try:
        house = await House.open(replace(settings, secret_keys=passing_keys()))
    except PliantError:  # the database's own finding says so
        return []
    try:
        behind, failed = await companies_behind(house.engine), await list_unmigrated(house.engine)
    finally:
        await house.close()
    return [*_failures(failed), _behind(len(behind), Counter(name for names in behind.values() for name in names))]


def _behind(count: int, lacking: Counter[str]) -> Finding:
    if not count:
        fine = Text("the tables of all are those of this release", "所有公司的表均为当前版本")
        return Finding("companies", Verdict.OK, fine)
    listed = ", ".join(f"{name} ({number})" for name, number in sorted(lacking.items()))
    text = Text(
        f"{count} are behind this release; a server brings them up to date, pliant migrate does it now: {listed}",
        f"{count} 家公司的表落后于当前版本；服务运行时会自动更新，也可立即执行 pliant migrate：{listed}",
    )
    return Finding("companies", Verdict.NOTE, text)


def _failures(failed: Sequence[Unmigrated]) -> list[Finding]:
    return [
        Finding(
            "companies",
            Verdict.WRONG,
            Text(
                f"{item.namespace}: migration {item.migration} failed at {timestamp(item.failed_at)}: {item.error}",
                f"{item.namespace}：迁移 {item.migration} 于 {timestamp(item.failed_at)} 失败：{item.error}",
            ),
        )
        for item in failed
    ]


async def check_explorer(settings: Settings) -> list[Finding]:
    """The page of /explore is built."""
    if (BUILT / "explore.js").is_file():
        return [Finding("explore", Verdict.OK, _same("built"))]
    return [Finding("explore", Verdict.NOTE, _same("not built: make assets (needs Node.js); the API works without it"))]


CHECKS: tuple[Check, ...] = (
    check_python, check_packages, check_rooms, check_folder, check_key, check_database, check_companies,
    check_explorer,
)  # fmt: skip
"""Everything that is looked at, in order."""


def _is_ours(name: str, home: Path) -> bool:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None and Path(spec.origin).resolve().parent.parent == home


def _finding(check: str, good: bool, fine: str, wrong: str) -> Finding:
    return Finding(check, Verdict.OK if good else Verdict.WRONG, _same(fine if good else wrong))


def _same(text: str) -> Text:
    return Text(text, text)
