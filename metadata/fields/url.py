"""url: a web address; http and https only, unless `x-schemes` says otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from base.errors import Fault, Text
from base.json import Json
from metadata.faults import invalid
from metadata.field import FieldContext, ValueRefused
from metadata.fields.shapes import TextShape, text_of
from metadata.fields.words import is_string, kept, read_lengths

WEB = ("http", "https")

_FORBIDDEN = frozenset({"javascript", "data", "vbscript", "file", "blob"})  # they run or read where they are clicked
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,30}")
_BLANK = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029<>\"\\^`{|}]")


class UrlType(TextShape):
    """An address with one of the allowed schemes (options) and, for the web, a host."""

    name = "url"
    keywords = TextShape.keywords | {"x-schemes"}
    most = 2_048
    sample: ClassVar[Json] = {"type": "string", "format": "uri"}
    examples = ("https://example.com", "http://example.com:8080/a%20b?q=1#top", "https://例子.cn/赢单")
    refused = ("example.com", "javascript:alert(1)", "ftp://example.com", "http://", "http://a b", "//a.com", 1)

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """A string with `format: uri` or `iri`."""
        return is_string(prop) and prop.get("format") in ("uri", "iri", "url")

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """The allowed schemes."""
        read_lengths(prop, "minLength", "maxLength", context.path, faults, self.most)
        schemes = prop.get("x-schemes", WEB)
        listed = list(schemes) if isinstance(schemes, list | tuple) else []
        good = [item for item in listed if isinstance(item, str) and _SCHEME.fullmatch(item)]
        if not good or len(good) != len(listed) or _FORBIDDEN & set(good):
            where = (*context.path, "x-schemes")
            faults.append(
                invalid(
                    where,
                    "must list schemes in lower case that are safe to follow, like https",
                    "必须列出可安全访问的小写协议，例如 https",
                )
            )
        return tuple(good)

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """A string of a web address; the format `iri` also takes addresses that are not ASCII."""
        words = kept(prop, "minLength", "pattern", "enum", "const")
        return {"type": "string", "format": "iri", "maxLength": prop.get("maxLength", self.most), **words}

    def logical(self, options: object, value: Json) -> Any:
        """The address as written, once its scheme and host are accepted."""
        text = text_of(value)
        schemes = options if isinstance(options, tuple) and options else WEB
        try:
            parts = urlsplit(text)
            host = parts.hostname if parts.port != 0 else None
        except ValueError:
            raise _refused(schemes) from None
        if parts.scheme.lower() not in schemes or _BLANK.search(text) or (parts.scheme.lower() in WEB and not host):
            raise _refused(schemes)
        return text

    def argument(self, options: object, value: Json) -> Any:
        """Any text: a filter may look for what could not be saved today."""
        return text_of(value)


def _refused(schemes: tuple[str, ...]) -> ValueRefused:
    names = ", ".join(f"{scheme}:" for scheme in schemes)
    return ValueRefused(Text(f"must be a whole address that begins with {names}", f"必须是以 {names} 开头的完整地址"))
