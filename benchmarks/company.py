"""The benchmark company: accounts, contacts and opportunities, and a seller with a row rule and hidden fields.

Its tables hold the rows of the peers' tables, so that every server answers the same question about the same data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

STAGES = ("LEAD", "QUALIFIED", "PROPOSAL", "NEGOTIATION", "WON", "LOST")
INDUSTRIES = ("Retail", "Finance", "Health", "Energy", "Software", "Logistics", "Media", "Public")
TIERS = ("A", "B", "C")
SOURCES = ("web", "event", "referral", "partner", "cold")
CREATED = "bench"
"""The source of the records that a benchmark creates; they are taken away after it."""

TEAMS = 20
"""Teams below the head office; rows are spread over them, and the seller of the benchmark sits in the head office."""

SELLER = "seller"

_MONEY: Mapping[str, Any] = {"type": "string", "format": "decimal", "x-scale": 2, "minimum": 0}


def _text(longest: int = 200) -> Mapping[str, Any]:
    return {"type": "string", "maxLength": longest}


ACCOUNT: Mapping[str, Any] = {
    "kind": "entity",
    "name": "account",
    "title": "Account",
    "x-plural": "accounts",
    "x-display": "name",
    "type": "object",
    "properties": {
        "name": {**_text(), "minLength": 1},
        "industry": _text(),
        "city": _text(),
        "tier": {"enum": list(TIERS)},
        "annualRevenue": _MONEY,
    },
    "required": ["name"],
    "x-index": [["+name"]],
}

CONTACT: Mapping[str, Any] = {
    "kind": "entity",
    "name": "contact",
    "title": "Contact",
    "x-plural": "contacts",
    "x-display": "name",
    "type": "object",
    "properties": {
        "account": {
            "x-type": "reference",
            "x-entity": "account",
            "x-inverse": "contacts",
            "x-onDelete": "cascade",
        },
        "name": {**_text(), "minLength": 1},
        "email": _text(),
        "phone": _text(50),
        "title": _text(),
    },
    "required": ["account", "name"],
}

OPPORTUNITY: Mapping[str, Any] = {
    "kind": "entity",
    "name": "opportunity",
    "title": "Opportunity",
    "x-plural": "opportunities",
    "x-display": "name",
    "type": "object",
    "properties": {
        "name": {**_text(), "minLength": 1},
        "account": {
            "x-type": "reference",
            "x-entity": "account",
            "x-inverse": "opportunities",
            "x-onDelete": "restrict",
        },
        "stage": {"enum": list(STAGES), "default": "LEAD"},
        "amount": _MONEY,
        "probability": {"type": "integer", "minimum": 0, "maximum": 100},
        "closeDate": {"type": "string", "format": "date"},
        "source": {"enum": [*SOURCES, CREATED]},
        "margin": {"type": "string", "format": "decimal", "x-scale": 2},
    },
    "required": ["name", "account", "stage"],
    "x-index": [["stage", "-amount"], ["-amount"], ["account", "-createdAt"], ["+closeDate"]],
    "x-rules": [
        {
            "name": "won-is-certain",
            "when": "stage == 'WON'",
            "check": "closeDate != null",
            "message": "A won opportunity needs its close date",
            "path": "closeDate",
        }
    ],
}

_HIDDEN = {"*": True, "margin": False}

SELLER_ROLE: Mapping[str, Any] = {
    "kind": "role",
    "name": SELLER,
    "title": "Seller",
    "description": "Reads what belongs to the own teams, and never sees margins and revenues.",
    "entities": {
        "opportunity": {
            "read": {"rows": ["own", "team+"], "fields": _HIDDEN},
            "create": {"check": "amount < 100000000", "fields": _HIDDEN},
            "update": {"rows": ["own"], "fields": _HIDDEN},
        },
        "account": {"read": {"rows": ["own", "team+"], "fields": {"*": True, "annualRevenue": False}}},
        "contact": {"read": True},
        "member": {"read": {"rows": "all", "fields": {"*": False, "name": True, "email": True}}},
    },
}

DOCUMENTS: Sequence[Mapping[str, Any]] = (ACCOUNT, CONTACT, OPPORTUNITY, SELLER_ROLE)
