"""Headers that every answer carries: nothing of ours is sniffed, framed or told on to other sites."""

from __future__ import annotations

import hashlib

SECURITY: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""For everything that is no page."""

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""For our own pages: everything from this server, nothing inline."""


def etag_of(body: bytes) -> str:
    """A strong ETag (quoted) of what is sent."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
