"""The metaschema of app.json: the company-wide settings."""

from __future__ import annotations

from collections.abc import Mapping

from base.json import Json
from metadata.metaschemas.definitions import DIALECT, OWN_PREFIX, document_properties

APP_METASCHEMA: Mapping[str, Json] = {
    "$schema": DIALECT,
    "$id": "/schemas/app.json",
    "title": "App",
    "description": "Settings that hold for a whole company.",
    "type": "object",
    "properties": {
        **document_properties("app"),
        "locale": {
            "description": "The default language of titles and messages.",
            "type": "string",
            "pattern": "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$",
            "default": "en",
        },
        "timeZone": {
            "description": "An IANA time zone: Asia/Shanghai.",
            "type": "string",
            "maxLength": 64,
            "default": "UTC",
        },
        "currency": {
            "description": "The base currency, ISO 4217.",
            "type": "string",
            "pattern": "^[A-Z]{3}$",
            "default": "USD",
        },
        "weekStart": {
            "description": "The first day of a week: 1 Monday to 7 Sunday.",
            "type": "integer",
            "minimum": 1,
            "maximum": 7,
            "default": 1,
        },
        "fiscalYearStart": {
            "description": "The month in which the fiscal year begins.",
            "type": "integer",
            "minimum": 1,
            "maximum": 12,
            "default": 1,
        },
    },
    "patternProperties": {OWN_PREFIX: True},
    "required": ["kind", "name"],
    "additionalProperties": False,
}
"""JSON Schema 2020-12 of an app document."""
