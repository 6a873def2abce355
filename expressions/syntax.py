"""The untyped tree: what the parser makes and the checker types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from expressions.tree import Literal


@dataclass(frozen=True, slots=True)
class Path:
    """A path of names with the position of each."""

    names: tuple[str, ...]
    positions: tuple[int, ...]

    @property
    def position(self) -> int:
        """Where its first name stands."""
        return self.positions[0]


@dataclass(frozen=True, slots=True)
class Application:
    """An operator over operands, named as in `expressions.tree.Operation`.

    `depth` counts the levels of its tree, `conditions` those that are not arithmetic; a chain of `c ? x : d ? y : z`
    is one of them.
    """

    operator: str
    operands: tuple[Syntax, ...]
    position: int
    depth: int
    conditions: int


Syntax: TypeAlias = Literal | Path | Application


ARITHMETIC: Final = frozenset(("+", "-", "*", "/", "%", "neg"))
"""Operators whose operands and result are numbers."""


def apply(operator: str, operands: tuple[Syntax, ...], position: int) -> Application:
    """The application with its levels counted."""
    below = [conditions(operand) for operand in operands]
    if operator == "?:" and isinstance(operands[2], Application) and operands[2].operator == "?:":
        below[2] -= 1  # written as one CASE
    levels = max(below, default=0) + (operator not in ARITHMETIC)
    return Application(operator, operands, position, 1 + max(map(depth, operands), default=0), levels)


def conditions(node: Syntax) -> int:
    """How many levels of a tree are not arithmetic."""
    return node.conditions if isinstance(node, Application) else 0


def depth(node: Syntax) -> int:
    """How many levels a tree has; a literal or a path is one."""
    return node.depth if isinstance(node, Application) else 1
