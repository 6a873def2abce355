"""`pliant serve`: the server in the foreground, until SIGTERM or SIGINT."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import click

from pliant.house import House
from pliant.secret import with_secret_key
from pliant.settings import read_settings
from pliant.terminal import guarded
from server.app import Doors, build_app
from server.metrics import Gauge
from server.requests import RequestLog
from server.serving import listen, run, url_of
from server.serving import serve as serve_app


class LogKind(StrEnum):
    """What the log on standard error holds."""

    REQUESTS = "requests"  # one line for each request, and errors
    ERRORS = "errors"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen, what to log, which foreign pages may call."""

    host: str
    port: int
    log: LogKind
    origins: Sequence[str] = ()


host_option = click.option("--host", envvar="PLIANT_HOST", default="127.0.0.1", show_default=True, show_envvar=True)
port_option = click.option(
    "--port", envvar="PLIANT_PORT", type=click.IntRange(0, 65535), default=8000, show_default=True, show_envvar=True
)
origins_option = click.option(
    "--origin",
    "origins",
    multiple=True,
    envvar="PLIANT_ORIGINS",
    help="Origin whose pages may call the API (CORS); may be repeated. None by default.  [env var: PLIANT_ORIGINS]",
)


def log_option(default: LogKind) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option that says what is logged."""
    return click.option(
        "--log", "log", envvar="PLIANT_LOG", type=click.Choice([kind.value for kind in LogKind]), default=default.value,
        show_default=True, show_envvar=True, help="What standard error gets, as lines of JSON.",
    )  # fmt: skip


@click.command()
@host_option
@port_option
@log_option(LogKind.REQUESTS)
@origins_option
def serve(host: str, port: int, log: str, origins: Sequence[str]) -> None:
    """Serve the API in the foreground. One process; start more of them on PostgreSQL for more cores."""
    guarded(False, partial(run, _serve(Address(host, port, LogKind(log), origins))))


async def _serve(address: Address) -> None:
    house = await House.open(with_secret_key(read_settings()))
    await serve_house(house, address, lambda url: click.echo(f"url: {url}"))


async def serve_house(house: House, address: Address, bound: Callable[[str], None]) -> None:
    """Serve an open house and close it in the end. `bound` is told the URL before the first request is answered."""
    log = RequestLog(sys.stderr.buffer, requests=address.log is LogKind.REQUESTS)
    handler = log.handler()
    logging.getLogger().addHandler(handler)
    try:
        sock = listen(address.host, address.port)
        limits = house.settings.limits
        app = build_app(Doors(house.desk, limits, log, partial(gauges, house), address.origins))
        await house.appear()
        bound(url_of(sock))
        sys.stdout.flush()
        await serve_app(app, sock, limits.request_seconds)
    finally:
        await house.close()
        logging.getLogger().removeHandler(handler)
        log.flush()


def gauges(house: House) -> Iterator[Gauge]:
    """Numbers of a house for /metrics."""
    yield Gauge("pliant_info", "The database behind this process.", 1, {"engine": house.engine.dialect})
    for cache, size in house.desk.cached().items():
        yield Gauge("pliant_cached", "What this process keeps in memory, by kind.", size, {"cache": cache})
    if house.sweep.behind is not None:
        yield Gauge("pliant_companies_behind", "Companies whose tables await migrations.", house.sweep.behind)
    for migration, count in Counter(item.migration for item in house.sweep.failed.values()).items():
        help_text = "Companies in which a migration failed."
        yield Gauge("pliant_migrations_failed", help_text, count, {"migration": migration})
