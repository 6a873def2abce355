"""Cross-origin requests: off, unless the operator lists origins. No wildcard: a token is worth a list."""

from __future__ import annotations

from collections.abc import Collection

METHODS = b"POST, GET"
REQUEST_HEADERS = b"authorization, content-type, accept, accept-language, x-request-id, x-pliant-form"
RESPONSE_HEADERS = b"x-request-id, etag"
MAX_AGE_SECONDS = 7_200

RawHeaders = list[tuple[bytes, bytes]]


class Cors:
    """The allow-list of origins, such as `https://crm.example.com`."""

    def __init__(self, origins: Collection[str] = ()) -> None:
        self._origins = frozenset(origin.rstrip("/").lower().encode("latin-1") for origin in origins)

    def allows(self, origin: bytes | None) -> bool:
        """Whether pages of an origin may read answers."""
        return origin is not None and origin.lower() in self._origins

    def headers(self, origin: bytes | None) -> RawHeaders:
        """What an answer carries for a request of this origin; `Vary` as soon as the answer depends on it."""
        if not self._origins:
            return []
        if origin is None or not self.allows(origin):
            return [(b"vary", b"Origin")]
        return [
            (b"vary", b"Origin"),
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", RESPONSE_HEADERS),
        ]

    def preflight(self, origin: bytes | None) -> RawHeaders:
        """What the answer to an OPTIONS request carries beside `headers`."""
        if not self.allows(origin):
            return []
        return [
            (b"access-control-allow-methods", METHODS),
            (b"access-control-allow-headers", REQUEST_HEADERS),
            (b"access-control-max-age", b"%d" % MAX_AGE_SECONDS),
        ]
