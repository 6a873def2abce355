"""A real server on a real socket: bytes that are no HTTP, slow and idle clients, stopping."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from server.protocol import HEAD_BYTES
from tests.programs import Served, served, wait_until


@contextmanager
def connection(server: Served, seconds: float = 15) -> Iterator[socket.socket]:
    with closing(socket.create_connection((server.host, server.port), timeout=seconds)) as sock:
        yield sock


def said(sock: socket.socket, answers: int = 1) -> bytes:
    """Everything that the server says until it closes or, after so many answers, is silent for a moment."""
    heard = b""
    try:
        while part := sock.recv(65_536):
            heard += part
            if heard.count(b"HTTP/1.1 ") >= answers:
                sock.settimeout(0.3)
    except (TimeoutError, ConnectionResetError):
        pass
    return heard


def statuses(answer: bytes) -> list[int]:
    return [int(line.split()[1]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


def request(server: Served, body: bytes = b'{"query":"{ __typename }"}', extra: bytes = b"") -> bytes:
    head = f"POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n".encode()
    return head + b"Content-Type: application/json\r\n" + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body


GARBAGE = [
    b"\x00" * 100,
    b"\xff" * 5_000 + b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"POST /graphql HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /graphql HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    b"POST /graphql HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    b"POST /graphql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    b"POST /graphql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET /\xff\xfe%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /graphql?%ff=%00&documentId=%ff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
    b"GET /graphql HTTP/1.1\r\nHo st: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS hello
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


@pytest.mark.parametrize("data", GARBAGE, ids=lambda data: repr(data[:30]))
def test_bad_bytes_never_get_a_5xx(server: Served, data: bytes) -> None:
    with connection(server, 3) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        answer = said(sock)
    assert all(400 <= status < 500 for status in statuses(answer)), answer
    assert b"Traceback" not in answer
    with connection(server) as sock:
        sock.sendall(request(server))
        assert statuses(said(sock)) == [200]


def test_numbers_of_the_house_are_among_the_metrics(server: Served) -> None:
    with connection(server) as sock:
        sock.sendall(request(server))
        assert statuses(said(sock)) == [200]
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        text = said(sock)
    assert b'pliant_info{engine="sqlite"} 1' in text
    assert b'pliant_cached{cache="actors"} 1' in text


def test_pipelined_requests_are_answered_in_order(server: Served) -> None:
    with connection(server) as sock:
        sock.sendall(b"".join(request(server, extra=b"X-Request-Id: n%d\r\n" % number) for number in range(5)))
        answer = said(sock, 5)
    found = [line.split(b": ")[1] for line in answer.split(b"\r\n") if line.startswith(b"x-request-id")]
    assert found == [b"n0", b"n1", b"n2", b"n3", b"n4"]


def test_a_body_in_small_pieces_is_put_together(server: Served) -> None:
    with connection(server) as sock:
        for byte in request(server):
            sock.sendall(bytes([byte]))
        assert b'{"data":{"__typename":"Query"}}' in said(sock)


def test_large_heads_end_the_connection(server: Served) -> None:
    with connection(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        answer = b""
        try:
            for _ in range(2 * HEAD_BYTES // 1_000):
                sock.sendall(b"X-A: " + b"a" * 995)
                time.sleep(0.001)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = said(sock)
    assert statuses(answer) in ([431], [])


def test_an_upgrade_is_an_ordinary_request(server: Served) -> None:
    with connection(server) as sock:
        sock.sendall(
            b"GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert statuses(said(sock)) == [405]


def test_a_large_body_is_refused_before_it_arrives(server: Served) -> None:
    with connection(server) as sock:
        head = request(server).partition(b"Content-Length")[0]
        sock.sendall(head + b"Content-Length: 5000000000\r\n\r\n")
        answer = said(sock)
    assert statuses(answer) == [413]
    assert b"LIMIT_EXCEEDED" in answer


def test_300_idle_sockets_do_not_hinder(server: Served) -> None:
    with ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(connection(server))
        started = time.monotonic()
        with connection(server) as sock:
            sock.sendall(request(server))
            assert statuses(said(sock)) == [200]
        assert time.monotonic() - started < 12


def test_hanging_up_in_the_middle_does_no_harm(server: Served) -> None:
    for cut in (10, 80, 150):
        with connection(server) as sock:
            sock.sendall(request(server)[:cut])
    with connection(server) as sock:
        sock.sendall(request(server))
        assert statuses(said(sock)) == [200]


def test_a_body_that_never_comes_is_timed_out(tmp_path: Path) -> None:
    with served(tmp_path, PLIANT_LIMIT_REQUEST_SECONDS="0.5") as slow, connection(slow) as sock:
        sock.sendall(request(slow)[:-5])
        answer = said(sock)
    assert statuses(answer) == [408]
    assert b"application/problem+json" in answer


def test_a_stop_finishes_what_is_in_flight(tmp_path: Path) -> None:
    with served(tmp_path) as running, connection(running) as sock:
        whole = request(running)
        sock.sendall(whole[:-5])
        with connection(running) as other:  # answered after those bytes were read
            other.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in said(other)
        os.kill(running.process.pid, signal.SIGTERM)
        wait_until(lambda: _refuses(running))
        sock.sendall(whole[-5:])
        assert b'{"data":{"__typename":"Query"}}' in said(sock)
        assert running.process.wait(60) == 0
    lines = [json.loads(line) for line in (tmp_path / "stderr").read_text().splitlines()]
    assert [line["status"] for line in lines] == [200, 200]


def _refuses(running: Served) -> bool:
    try:
        with connection(running, 1):
            return False
    except OSError:
        return True


def test_answers_without_a_body_and_answers_in_a_row_come_whole(server: Served) -> None:
    head = b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\nOPTIONS /graphql HTTP/1.1\r\nHost: x\r\n\r\n"
    with connection(server) as sock:
        sock.sendall(head + request(server) * 3)
        answer = said(sock, 5)
    assert answer.count(b"HTTP/1.1 ") == 5  # a body has no line end
    assert answer.count(b'{"data":{"__typename":"Query"}}') == 3
    with connection(server) as sock:
        sock.sendall(request(server, extra=b"Expect: 100-continue\r\n"))
        answer = said(sock, 2)
    assert statuses(answer)[-1] == 200
