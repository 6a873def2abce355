"""System documents: the entities `member` and `team`, and the role `owner`. Plain JSON, published like any other.

Their rows stand in ordinary entity tables that publishing creates; the fixed fields change by the verbs of this room
only. A company may add fields of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from access.grant import Operation

OWNER = "owner"
"""The built-in role that may do everything."""

SYSTEM_WORD = "x-system"
"""The keyword that makes a document the platform's own; no company's document may be published with it."""

ACTIVE = "ACTIVE"
INACTIVE = "INACTIVE"

_MEMBER: Mapping[str, Any] = {
    "kind": "entity",
    "name": "member",
    "title": "Member",
    "x-titles": {"zh-Hans": "成员"},
    "description": "A person or a service that works in this company.",
    SYSTEM_WORD: True,
    "x-plural": "members",
    "x-display": "name",
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 200, "title": "Name", "x-titles": {"zh-Hans": "姓名"}},
        "email": {"x-type": "email", "title": "E-mail", "x-titles": {"zh-Hans": "电子邮箱"}},
        "locale": {"type": "string", "maxLength": 35, "title": "Language", "x-titles": {"zh-Hans": "语言"}},
        "timeZone": {"type": "string", "maxLength": 64, "title": "Time zone", "x-titles": {"zh-Hans": "时区"}},
        "status": {
            "enum": [ACTIVE, INACTIVE],
            "default": ACTIVE,
            "title": "Status",
            "x-titles": {"zh-Hans": "状态"},
            "x-choices": [
                {"value": ACTIVE, "title": "Active", "x-titles": {"zh-Hans": "在职"}, "color": "green"},
                {"value": INACTIVE, "title": "Inactive", "x-titles": {"zh-Hans": "停用"}, "color": "gray"},
            ],
        },
        "manager": {
            "x-type": "reference",
            "x-entity": "member",
            "x-inverse": "reports",
            "x-onDelete": "clear",
            "title": "Manager",
            "x-titles": {"zh-Hans": "上级"},
        },
        "hiredOn": {"type": "string", "format": "date", "title": "Hired on", "x-titles": {"zh-Hans": "入职日期"}},
        "leftOn": {"type": "string", "format": "date", "title": "Left on", "x-titles": {"zh-Hans": "离职日期"}},
    },
    "required": ["name", "status"],
    "x-unique": [["email"]],
}

_TEAM: Mapping[str, Any] = {
    "kind": "entity",
    "name": "team",
    "title": "Team",
    "x-titles": {"zh-Hans": "团队"},
    "description": "A group of members; teams form a tree.",
    SYSTEM_WORD: True,
    "x-plural": "teams",
    "x-display": "name",
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 200, "title": "Name", "x-titles": {"zh-Hans": "名称"}},
        "parent": {
            "x-type": "reference",
            "x-entity": "team",
            "x-inverse": "subteams",
            "x-onDelete": "restrict",
            "title": "Parent team",
            "x-titles": {"zh-Hans": "上级团队"},
        },
        "lead": {
            "x-type": "reference",
            "x-entity": "member",
            "x-inverse": "ledTeams",
            "x-onDelete": "clear",
            "title": "Lead",
            "x-titles": {"zh-Hans": "负责人"},
        },
    },
    "required": ["name"],
}

_OWNER: Mapping[str, Any] = {
    "kind": "role",
    "name": OWNER,
    "title": "Owner",
    "x-titles": {"zh-Hans": "所有者"},
    "description": "May do everything. At least one active member always holds it or a role like it.",
    SYSTEM_WORD: True,
    "entities": {"*": {operation.value: True for operation in Operation}},
    "platform": True,
}

SYSTEM_DOCUMENTS: tuple[Mapping[str, Any], ...] = (_MEMBER, _TEAM, _OWNER)
"""Published first in every company: member is entity number 1, team is number 2."""

MEMBER_NUMBER = 1
TEAM_NUMBER = 2
