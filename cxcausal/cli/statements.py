"""The statements of a run as one SQL script, each below a comment that says what it is for."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cxcausal.data.engine import Statement


def shown_statements(sent: "Sequence[Statement]") -> str:
    """Return the script; consecutive statements of one purpose stand below one heading."""
    lines = [f"-- {len(sent)} statements, in the order in which a run sends them. Only their results leave the engine."]
    for purpose, group in groupby(sent, key=lambda one: one.purpose):
        lines += ["", f"-- {purpose}"]
        lines += [f"{one.sql};" for one in group]
    return "\n".join([*lines, ""])
