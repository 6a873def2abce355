"""Content negotiation as GraphQL over HTTP asks for it, and the language of messages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"
"""The media type of subscriptions; no door answers with it alone."""

MAX_HEADER_CHARS = 1_000
"""A longer Accept or Accept-Language is read up to here: no client needs more, and answers are kept by header."""


def response_type(accept: bytes | None) -> str | None:
    """`application/graphql-response+json` or `application/json`, whichever the client likes better; None for neither.

    Without a header, or when any type will do, it is `application/json`: the older of the two.
    """
    return JSON if accept is None else _response_type(accept[:MAX_HEADER_CHARS])


def locale_of(accept_language: bytes | None) -> str:
    """`en`, `zh-Hans`, or empty when the client names neither of them: then the member's own language counts."""
    return "" if accept_language is None else _locale(accept_language[:MAX_HEADER_CHARS])


def is_json(content_type: bytes | None) -> bool:
    """Whether a body is announced as JSON in UTF-8 (the default of JSON)."""
    return content_type == b"application/json" or (content_type is not None and _is_json(content_type))


@lru_cache(maxsize=512)
def _response_type(accept: bytes) -> str | None:
    liked = {media: _liking(media, accept) for media in (GRAPHQL, JSON)}
    best = max(liked.values())
    if best[0] <= 0:
        return None
    return GRAPHQL if liked[GRAPHQL] == best and (liked[JSON] != best or best[1] == 2) else JSON


def _liking(media: str, accept: bytes) -> tuple[float, int]:
    """(quality, how exactly it is named); the most exact range counts, RFC 9110 section 12.5.1."""
    main = media.partition("/")[0]
    ranks = {media: 2, f"{main}/*": 1, "*/*": 0}
    found = [(ranks[name], quality) for name, quality in _ranges(accept) if name in ranks]
    if not found:
        return 0.0, -1
    rank = max(rank for rank, _ in found)
    return max(quality for at, quality in found if at == rank), rank


@lru_cache(maxsize=512)
def _locale(header: bytes) -> str:
    best, chosen = 0.0, ""
    for tag, quality in _ranges(header):
        language = tag.partition("-")[0]
        locale = {"en": "en", "zh": "zh-Hans"}.get(language, "")
        if locale and quality > best:
            best, chosen = quality, locale
    return chosen


@lru_cache(maxsize=128)
def _is_json(content_type: bytes) -> bool:
    media, *parameters = (part.strip().lower() for part in content_type.decode("latin-1").split(";"))
    charsets = [
        value.strip('" ') for name, _, value in (item.partition("=") for item in parameters) if name == "charset"
    ]
    return media == JSON and all(charset in ("utf-8", "utf8") for charset in charsets)


def _ranges(header: bytes) -> Iterator[tuple[str, float]]:
    """The elements of an Accept-like header with their qualities; what cannot be read has quality 0."""
    for part in header.decode("latin-1").lower().split(","):
        name, *parameters = (item.strip() for item in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                quality = _quality(value.strip())
        if name:
            yield name, quality


def _quality(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0 <= value <= 1 else 0.0
