"""The key that seals cursors, kept in the data folder where the environment gives none."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from pathlib import Path

from base.errors import PliantError, Text
from pliant.settings import Settings

KEY_FILE = "secret.key"
KEY_BYTES = 32


class FolderUnusable(PliantError):
    """The data folder cannot be written: choose another one with PLIANT_DATA_DIR."""

    code = "BAD_USER_INPUT"


def passing_keys() -> tuple[str, ...]:
    """A key for one command: it seals nothing that outlives it."""
    return (secrets.token_urlsafe(KEY_BYTES),)


def with_secret_key(settings: Settings) -> Settings:
    """The settings with a key: the environment's, else the data folder's, made at the first use (mode 0600).

    Raises `FolderUnusable`.
    """
    if settings.secret_keys:
        return settings
    path = settings.data_dir / KEY_FILE
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            write_private(path, secrets.token_urlsafe(KEY_BYTES) + "\n")
        return replace(settings, secret_keys=(path.read_text(encoding="ascii").strip(),))
    except (OSError, UnicodeDecodeError) as error:
        text = Text(
            f"The folder {settings.data_dir} cannot be used: {error}", f"无法使用目录 {settings.data_dir}：{error}"
        )
        raise FolderUnusable(text) from error


def write_private(path: Path, text: str) -> None:
    """Write a whole file that only its owner may read; it is never seen half written."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
