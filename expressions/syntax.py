"""The untyped tree: what the parser makes and the checker types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

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
    """An operator over operands, named as in `expressions.tree.Operation`. `depth` counts the levels of its tree."""

    operator: str
    operands: tuple[Syntax, ...]
    position: int
    depth: int


Syntax: TypeAlias = Literal | Path | Application


def depth(node: Syntax) -> int:
    """How many levels a tree has; a literal or a path is one."""
    return node.depth if isinstance(node, Application) else 1
