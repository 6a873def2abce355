"""Identifiers: UUIDv7 (RFC 9562) with the entity's number in the 12 `rand_a` bits, and short public ids.

Layout: 48 bits of milliseconds, version 7, 12 bits of entity number, variant, 20 bits of nanoseconds inside the
millisecond, 42 random bits. So ids that one process makes one after the other for an entity also sort in that order:
where nothing else orders a list, rows of one bulk create come back as they were given.
"""

from __future__ import annotations

import os
import re
import secrets
import struct
import time
from collections.abc import Iterator

MAX_ENTITY_NUMBER = 4095
"""An entity's number has 12 bits and is never used again in a company's life."""

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PUBLIC_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


_words: Iterator[int] = iter(())


def _random_word() -> int:
    """64 random bits. They are read from the system 512 at a time: one call can cost more than the rest of a write."""
    global _words
    while (word := next(_words, None)) is None:  # taking one is atomic, so threads never share any
        _words = iter(struct.unpack("<512Q", os.urandom(4096)))
    return word


def _forget_words() -> None:
    global _words
    _words = iter(())


if hasattr(os, "register_at_fork"):  # a child must not give out what its parent gives out
    os.register_at_fork(after_in_child=_forget_words)


def new_id(number: int = 0) -> str:
    """A fresh UUIDv7 in lower-case text that carries `number` (0 for rows that are no records)."""
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    tail = nanoseconds << 42 | _random_word() & 0x3FF_FFFF_FFFF
    time_high, time_low = milliseconds >> 16 & 0xFFFF_FFFF, milliseconds & 0xFFFF
    variant, node = 0x8000 | tail >> 48, tail & 0xFFFF_FFFF_FFFF
    return f"{time_high:08x}-{time_low:04x}-7{number & 0xFFF:03x}-{variant:04x}-{node:012x}"


def entity_number(record_id: str) -> int:
    """The entity number inside a record id made by `new_id`; text that is no UUIDv7 gives -1."""
    if len(record_id) != 36 or record_id[14] != "7":
        return -1
    try:
        return int(record_id[15:18], 16)
    except ValueError:
        return -1


def canonical_id(value: object) -> str | None:
    """The lower-case form of an id; None for what is no text of 36 characters as RFC 9562 writes a UUID."""
    if not isinstance(value, str):
        return None
    if _CANONICAL.fullmatch(value):
        return value  # what clients send back is what they were given
    lowered = value.lower()
    return lowered if _CANONICAL.fullmatch(lowered) else None


def public_id(length: int = 10) -> str:
    """A short random id without look-alike letters, for company ids and token prefixes."""
    return "".join(secrets.choice(_PUBLIC_ALPHABET) for _ in range(length))
