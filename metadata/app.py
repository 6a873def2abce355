"""The app document: company-wide settings."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from base.errors import Fault
from base.json import Json
from metadata.catalog import App
from metadata.document import check_keywords
from metadata.faults import invalid
from metadata.metaschemas.app import APP_METASCHEMA
from metadata.property import read_titles


def parse_app(document: Mapping[str, Json], faults: list[Fault]) -> App:
    """Read a document that has passed its metaschema."""
    name = str(document["name"])
    path = ("app", name)
    known = APP_METASCHEMA["properties"]
    check_keywords(document, set(known) if isinstance(known, Mapping) else (), path, faults)
    if name != "app":
        faults.append(invalid((*path, "name"), "the one app document is named 'app'", "应用文档的名称必须是 app"))
    defaults = App()
    zone = str(document.get("timeZone", defaults.time_zone))
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.append(invalid((*path, "timeZone"), f"no time zone is named {zone!r}", f"没有名为“{zone}”的时区"))
    return App(
        name=name,
        title=str(document.get("title", defaults.title)),
        titles=read_titles(document.get("x-titles")),
        locale=str(document.get("locale", defaults.locale)),
        time_zone=zone,
        currency=str(document.get("currency", defaults.currency)),
        week_start=_integer(document.get("weekStart"), defaults.week_start),
        fiscal_year_start=_integer(document.get("fiscalYearStart"), defaults.fiscal_year_start),
    )


def _integer(value: Json, default: int) -> int:
    return int(value) if isinstance(value, int | float) else default
