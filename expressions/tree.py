"""The typed tree of an expression; as JSON it is what the browser will interpret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from base.json import Json
from expressions.types import Type


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. `value` is None, bool, int, Decimal or str."""

    value: object
    type: Type
    position: int = 0


@dataclass(frozen=True, slots=True)
class Name:
    """A path of names: `("account", "sector")`."""

    path: tuple[str, ...]
    type: Type
    position: int = 0


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator over operands: `! neg + - * / % == != < <= > >= && || in ?:` and `list`."""

    operator: str
    operands: tuple[Node, ...]
    type: Type
    position: int = 0


Node: TypeAlias = Literal | Name | Operation


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression: its text as written, its tree, its type, and every path that it reads."""

    source: str
    tree: Node
    type: Type
    reads: frozenset[tuple[str, ...]] = field(default_factory=frozenset)

    def as_json(self) -> Json:
        """The tree as JSON: `{"op": "==", "args": [...]}`, `{"name": [...]}`, `{"value": ..., "type": ...}`."""
        return _as_json(self.tree)


def _as_json(node: Node) -> Json:
    match node:
        case Literal(value, type_):
            return {
                "value": value if value is None or isinstance(value, bool | int | str) else str(value),
                "type": type_.value,
            }
        case Name(path, _):
            return {"name": list(path)}
        case Operation(operator, operands, _):
            return {"op": operator, "args": [_as_json(operand) for operand in operands]}
