"""The log of errors: each has its line, and its trace unless that stands there already."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from server import requests
from server.requests import OPERATION_CHARS, PATH_CHARS, RequestLog


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


def test_of_what_clients_name_the_log_keeps_a_part() -> None:
    stream = io.BytesIO()
    log = RequestLog(stream)
    log.request("r", "POST", "/" + "p" * 5_000, 200, 0.1, operation="名" * 5_000)
    log.request("r", "POST", "/", 200, 0.1)
    long, short = lines(stream, log)
    assert (len(long["path"]), long["operation"]) == (PATH_CHARS, "名" * OPERATION_CHARS)
    assert "operation" not in short
