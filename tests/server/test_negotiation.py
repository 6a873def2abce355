"""Which media type, which language: RFC 9110 as GraphQL over HTTP uses it."""

from __future__ import annotations

import pytest

from server.negotiation import GRAPHQL, JSON, is_json, locale_of, response_type


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        (b"*/*", JSON),
        (b"", None),
        (b"application/*", JSON),
        (b"application/json", JSON),
        (b"application/json; charset=utf-8", JSON),
        (b"application/graphql-response+json", GRAPHQL),
        (b"application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", GRAPHQL),
        (b"application/json, application/graphql-response+json", GRAPHQL),
        (b"application/json;q=1, application/graphql-response+json;q=0.5", JSON),
        (b"application/json;q=0.1, application/graphql-response+json;q=0.5", GRAPHQL),
        (b"APPLICATION/JSON", JSON),
        (b"application/graphql-response+json, */*;q=0.1", GRAPHQL),
        (b"application/json;q=0, */*", GRAPHQL),
        (b"application/json;q=0", None),
        (b"application/json;q=nan", None),
        (b"application/json;q=7", None),
        (b"text/event-stream", None),
        (b"text/event-stream, application/json", JSON),
        (b"text/html", None),
        (b"*/*;q=0", None),
        (b",,;;q=,=", None),
        (b"\xff\xfe", None),
    ],
)
def test_response_type(accept: bytes | None, chosen: str | None) -> None:
    assert response_type(accept) == chosen


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        (None, ""),
        (b"zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        (b"en-GB", "en"),
        (b"en;q=0.1, zh-Hans;q=0.2", "zh-Hans"),
        (b"de", ""),
        (b"de, en;q=0.3", "en"),
        (b"zh;q=0", ""),
        (b"*", ""),
    ],
)
def test_locale(header: bytes | None, locale: str) -> None:
    assert locale_of(header) == locale


@pytest.mark.parametrize(
    ("header", "good"),
    [
        (b"application/json", True),
        (b"Application/JSON ; charset=UTF-8", True),
        (b'application/json; charset="utf-8"', True),
        (b"application/json; charset=latin1", False),
        (b"text/plain", False),
        (b"", False),
        (None, False),
    ],
)
def test_is_json(header: bytes | None, good: bool) -> None:
    assert is_json(header) is good
