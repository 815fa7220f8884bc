"""One fault: what is done to a machine, and what must come of it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.faults.machine import Ill

Left = Literal["nothing", "FAILED", "KILLED", "FINISHED", "waiting", "gone"]
"""What is left of the new run; `waiting` is FINISHED and not yet in MLflow, `gone` what somebody else removed."""
RUN = ("run", "experiments/callback.yaml")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault.

    Attributes:
        name: as the page of failures names it. group: the page's heading. told: what happens, in the page's words.
        code: the exit code. says: what stderr must match; nothing but progress where it is empty. left: see `Left`.
        before: done to the project first; `@` in ills stands for its root. server: what listens as tracking server.
        slow: left to `make validate`.
    """

    name: str
    group: str
    code: int
    left: Left
    told: str
    says: str = ""
    words: tuple[str, ...] = RUN
    world: tuple[Ill, ...] = ()
    ills: tuple[Ill, ...] = ()
    environment: Mapping[str, str | None] = field(default_factory=dict)
    stdout: str | None = None
    before: Callable[[Path], AbstractContextManager[None] | None] | None = None
    server: Callable[[], AbstractContextManager[str]] | None = None
    slow: bool = False
