"""The log of errors: each has its line, and its trace unless that stands there already."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from server import requests
from server.requests import RequestLog


def failing(message: str) -> Exception:
    """An error as it is caught: with its trace and its cause."""
    try:
        try:
            raise OSError(message)
        except OSError as error:
            raise ValueError("the database is away") from error
    except ValueError as error:
        return error


def lines(stream: io.BytesIO, log: RequestLog) -> list[dict[str, Any]]:
    """What was written."""
    log.flush()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_the_trace_of_an_error_that_comes_again_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    log = RequestLog(stream)
    for message in ("refused", "refused", "another cause"):
        log.error("r", failing(message))
    monkeypatch.setattr(requests, "TRACE_SECONDS", 0.0)
    log.error("r", failing("refused"))
    found = lines(stream, log)
    assert [line["error"] for line in found] == ["ValueError: the database is away"] * 4
    assert ["trace" in line for line in found] == [True, False, True, True]
    assert "OSError: another cause" in found[2]["trace"]
