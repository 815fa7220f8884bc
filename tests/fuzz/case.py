"""One case: what was made of which number, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How one case ended.

    Attributes:
        kind: plans, csvs or files.
        seed, number: which make it again.
        steps: what was done to a good file.
        outcome: the verbs that were run, with their exit codes.
        codes: of the problems that were told.
        cpu, wall: seconds of the slowest verb, but for runs of plans.
        run_cpu: seconds of the processor that a plan's slowest run took; 0 where it was not run.
        faults: what must not be; empty where all is well.
        files: what to look at, by name, where all isn't.
    """

    kind: str
    seed: int
    number: int
    steps: tuple[str, ...]
    outcome: str
    codes: tuple[str, ...] = ()
    cpu: float
    wall: float
    run_cpu: float = 0.0
    faults: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """How the case is named, and run again."""
        return f"{self.kind} {self.seed}:{self.number}"
