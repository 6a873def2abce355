"""Reading the fixed fields of members and teams out of an input: API names to columns, mistakes gathered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from access.store import Draft
from access.system import ACTIVE, INACTIVE
from base.errors import Text
from base.ids import canonical_id
from base.json import Json, JsonInvalid, check_text
from base.registry import hint

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]+\Z")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")

NAME_CHARS = 200
EMAIL_CHARS = 254
"""RFC 5321: a path has 256 octets, two of them angle brackets."""


class Refused(ValueError):
    """A value that a field does not take; carries the text for its author."""

    def __init__(self, en: str, zh: str) -> None:
        self.text = Text(en, zh)
        super().__init__(en)


Reader = Callable[[Json], Any]


def read_name(value: Json) -> str:
    """A name: text with something in it."""
    text = _text(value).strip()
    if not 0 < len(text) <= NAME_CHARS:
        raise Refused(f"A name has 1 to {NAME_CHARS} characters", f"名称应为 1 到 {NAME_CHARS} 个字符")
    return text


def read_email(value: Json) -> str:
    """An e-mail address, in lower case so that it is unique whatever its spelling."""
    text = _text(value).strip().lower()
    if len(text) > EMAIL_CHARS or not _EMAIL.match(text):
        raise Refused("This is no e-mail address", "电子邮箱格式不正确")
    return text


def read_locale(value: Json) -> str:
    """A BCP 47 language tag."""
    text = _text(value)
    if len(text) > 35 or not _LOCALE.match(text):
        raise Refused("This is no language tag such as en or zh-Hans", "语言标签不正确，例如 en 或 zh-Hans")
    return text


def read_time_zone(value: Json) -> str:
    """A time zone of the IANA database."""
    text = _text(value)
    if text not in _zones():
        near = hint(text, _zones())
        raise Refused(f"Unknown time zone '{text[:64]}'{near.en}", f"未知时区“{text[:64]}”{near.zh}")
    return text


def read_date(value: Json) -> date:
    """A day, ISO 8601."""
    try:
        return date.fromisoformat(_text(value))
    except ValueError:
        raise Refused("This is no date such as 2026-11-23", "日期格式不正确，例如 2026-11-23") from None


def read_status(value: Json) -> str:
    """ACTIVE or INACTIVE."""
    if value not in (ACTIVE, INACTIVE):
        raise Refused(f"The status is {ACTIVE} or {INACTIVE}", f"状态应为 {ACTIVE} 或 {INACTIVE}")
    return str(value)


def read_id(value: Json) -> str:
    """An id, in canonical form."""
    found = canonical_id(_text(value))
    if found is None:
        raise Refused("This is no id", "不是有效的 ID")
    return found


def read_list(value: Json, read: Callable[[Json], str]) -> tuple[str, ...]:
    """A list, each item once, in order."""
    if not isinstance(value, list | tuple):
        raise Refused("This must be a list", "此处必须是列表")
    return tuple(dict.fromkeys(read(item) for item in value))


def read_values(
    draft: Draft, input: Mapping[str, Json], readers: Mapping[str, tuple[str, Reader]], required: frozenset[str]
) -> dict[str, Any]:
    """The given keys as columns and logical values; null clears, except for required ones. Faults go to the draft."""
    values: dict[str, Any] = {}
    for key, value in input.items():
        if key not in readers:
            near = hint(key, readers)
            draft.fault((key,), "VALIDATION", f"Unknown field '{key}'{near.en}", f"未知字段“{key}”{near.zh}")
            continue
        column, read = readers[key]
        if value is None:
            if key in required:
                draft.fault((key,), "REQUIRED", "This is required", "此项为必填")
            values[column] = None
            continue
        try:
            values[column] = read(value)
        except Refused as error:
            draft.fault((key,), "VALIDATION", error.text.en, error.text.zh)
    return values


def require_keys(draft: Draft, input: Mapping[str, Json], required: frozenset[str]) -> None:
    """On creation: keys that must be there."""
    for key in sorted(required - set(input)):
        draft.fault((key,), "REQUIRED", "This is required", "此项为必填")


def read_text(value: Json) -> str:
    """Any text that a database can keep."""
    return _text(value)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise Refused("This must be a text", "此处必须是文本")
    try:
        check_text(value)
    except JsonInvalid:
        raise Refused("This holds characters that cannot be kept", "包含无法保存的字符") from None
    return value
