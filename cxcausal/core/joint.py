"""An effect's place among others whose intervals shall hold together."""

from dataclasses import dataclass

from cxcausal.core.rows import Floats as Array


@dataclass(frozen=True, kw_only=True)
class Joint:
    """An effect's place among others whose intervals shall hold together.

    Attributes:
        family: which others. place: among them.
        correlation: of all of them, shape (m, m).
    """

    family: str
    place: int
    correlation: Array
