"""The public files on the scoreboard: a draw is a replication, and its truth is the mean effect on its own units."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.public_files import REPLICATIONS, Replication, files
from benchmarks.scoreboard_worlds import Drawn, Target


@dataclass(frozen=True, kw_only=True)
class Filed:
    """One file and one question to it."""

    file: str
    replication: Callable[[int], Replication]
    target: Target
    limit: int = REPLICATIONS

    @property
    def name(self) -> str:
        """The file, and whose effect is asked for."""
        return f"{self.file}, {'everybody' if self.target == 'ate' else 'the treated'}"

    @property
    def stem(self) -> str:
        """The name of the file that keeps its estimates."""
        return f"{self.file.lower().replace(' ', '')}-{self.target}"

    def draw(self, seed: int) -> Drawn:
        """Return a replication, counted from 0."""
        units = self.replication(seed)
        return Drawn(x=units.x, treated=units.arm.astype(np.int8), y=units.y)

    def truth(self, seed: int, /) -> float:
        """Return the mean true effect on a replication's units, or on its treated."""
        units = self.replication(seed)
        asked = units.arm == 1 if self.target == "att" else np.full(len(units.arm), fill_value=True)
        return float(units.effect[asked].mean())


def filed() -> Iterator[Filed]:
    """Yield both questions to every file that is there."""
    targets: tuple[Target, ...] = ("ate", "att")
    for name, replication in files():
        for target in targets:
            yield Filed(file=name, replication=replication, target=target)
