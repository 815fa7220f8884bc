"""One tree of errors, each with the exit code that the command line returns for it.

    CxCausalError          1  our bug, when nothing more specific applies
    ├── UsageError         2  the command was called wrongly
    ├── PlanError          3  the plan, or a configuration file, is wrong
    ├── DataError          4  the data are wrong
    ├── GateError          5  a validity gate withheld the verdict, or the effect is not identified
    ├── MachineError       6  the machine, a server or a file system failed
    └── IntegrityError     7  a record does not match its hash

Exit 8 (a rerun flipped the decision) is a result and not an error. When several errors are told at once, the one
named first in `PRECEDENCE` gives the exit code.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from cxcausal.core.signs import visible


class ExitCode(IntEnum):
    """What the process returns."""

    OK = 0
    BUG = 1
    USAGE = 2
    PLAN = 3
    DATA = 4
    GATE = 5
    ENVIRONMENT = 6
    INTEGRITY = 7
    FLIP = 8


PRECEDENCE = (
    ExitCode.INTEGRITY,
    ExitCode.ENVIRONMENT,
    ExitCode.DATA,
    ExitCode.GATE,
    ExitCode.FLIP,
    ExitCode.PLAN,
    ExitCode.USAGE,
    ExitCode.BUG,
    ExitCode.OK,
)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong: where, what, and how to mend it.

    `where` is `file:line:col` for plans, `file row R column C` for data, or a name for the environment.

    Example:
        >>> print(Problem(where="a.yaml:3:1", code="P201", what="unknown key 'colour'", mend="did you mean 'column'?"))
        a.yaml:3:1 P201 unknown key 'colour' — did you mean 'column'?
    """

    where: str
    code: str
    what: str
    mend: str

    def __post_init__(self) -> None:
        """Let no sign of a file reach a terminal, a log or a page that could move its cursor or hide itself."""
        for name in ("where", "what", "mend"):
            object.__setattr__(self, name, visible(getattr(self, name)))

    def __str__(self) -> str:
        """Return the one line that users see: what can't be printed could break it, or move a terminal's cursor."""
        return f"{self.where} {self.code} {self.what} — {self.mend}".strip()


class CxCausalError(Exception):
    """Any error that cxcausal raises on purpose; `problems` holds all of them, in the order of the file."""

    exit_code = ExitCode.BUG

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        """Collect one problem or many."""
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(CxCausalError):
    """The command or function was called wrongly."""

    exit_code = ExitCode.USAGE


class PlanError(CxCausalError):
    """The plan, or a configuration file it needs, is wrong."""

    exit_code = ExitCode.PLAN


class DataError(CxCausalError):
    """The data are not what the plan says."""

    exit_code = ExitCode.DATA


class GateError(CxCausalError):
    """A validity gate refuses to go on."""

    exit_code = ExitCode.GATE


class MachineError(CxCausalError):
    """The machine, a server or the file system failed."""

    exit_code = ExitCode.ENVIRONMENT


class IntegrityError(CxCausalError):
    """A stored record does not match its hash."""

    exit_code = ExitCode.INTEGRITY


def exit_code_of(codes: Sequence[ExitCode]) -> ExitCode:
    """Return the code that wins when several apply.

    Example:
        >>> exit_code_of([ExitCode.PLAN, ExitCode.DATA]).name
        'DATA'
    """
    return min(codes, key=PRECEDENCE.index, default=ExitCode.OK)
