"""Names in SQL: quoted identifiers, and the namespaces that are allowed to exist."""

from __future__ import annotations

import re
from functools import lru_cache

from storage.batch import NAMESPACE

_NAMESPACE = re.compile(r"[a-z][a-z0-9_]{0,50}\Z")
_PREFIX = NAMESPACE + "."


def quoted(name: str) -> str:
    """A name as it stands in SQL, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def checked_namespace(name: str) -> str:
    """The name itself, safe as a file's or a schema's name. Raises `ValueError` for any other text."""
    if _NAMESPACE.match(name) is None:
        raise ValueError("a namespace is a small letter and up to 50 small letters, digits and underscores")
    return name


@lru_cache(maxsize=8192)
def placed(text: str, schema: str) -> str:
    """A statement's text with the quoted schema in the namespace's place; nothing there when `schema` is empty."""
    return text.replace(_PREFIX, f"{quoted(schema)}." if schema else "")
