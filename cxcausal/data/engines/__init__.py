"""Engines: where the tables of a plan are read and aggregated, and which of them a source needs."""

from importlib import import_module
from pathlib import Path

from cxcausal.core.errors import PlanError, Problem
from cxcausal.data.engine import Engine
from cxcausal.data.sources import Source

EMBEDDED = "duckdb"
_ENGINES = {
    EMBEDDED: "cxcausal.data.engines.embedded:start",
}
"""By the scheme of a URL, or the name in `configs/project.yaml`: the function that starts it."""
_READ_FILES = frozenset({EMBEDDED, "spark", "sc"})
"""Engines that read files; a database reads its own tables."""


def start_engine(source: Source, *, root: Path, timezone: str, engine: str = EMBEDDED) -> Engine:
    """Return the engine that reads a source.

    A table named without a URL lies in the project's engine. Files are read by the project's engine where that reads
    files, and else by the embedded one.

    Args:
        source: what is to be read.
        root: the project's.
        timezone: the project's.
        engine: that of `configs/project.yaml`: `duckdb`, `spark`, or a URL.

    Raises:
        PlanError: there is no such engine.
        MachineError: it can't be reached, or its package is not installed.
    """
    url = source.database or engine
    scheme = url.partition("://")[0].lower()
    if source.kind != "table" and scheme not in _READ_FILES:
        url = scheme = EMBEDDED
    if scheme not in _ENGINES:
        what, mend = f"'{scheme}' is not an engine of this version", f"use one of {', '.join(_ENGINES)}"
        raise PlanError(Problem(where="configs/project.yaml engine", code="D101", what=what, mend=mend))
    module, _, function = _ENGINES[scheme].partition(":")
    started: Engine = getattr(import_module(module), function)(url, label=source.label, root=root, timezone=timezone)
    return started
