"""The page of the benchmarks: goals with what was measured, every task, and where the time goes."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Protocol

from benchmarks.peers import THREADS

_VERSIONS = ("duckdb", "pandas", "polars", "tea-tasting")
_TEA = ("tea-tasting on polars", "tea-tasting on DuckDB", "tea-tasting on pandas")
INTRODUCTION = """# Benchmarks

Made by `make bench`; every figure is measured. Ratios are of warm medians in the same run, and mean more than seconds.
{threads} threads, Python {python}, {versions}, {machine}.

Five metrics and the split check, from Parquet, overall and in as many segments as a task names. cxcausal's sums are
exact, so that they don't depend on threads or row order; the bare SQL's are not, but for the one in fixed point.
"""
PROFILE = """## Where the time goes

With segments, all five metrics take one grouped scan. Of its processor time at 14,000,000 rows about a quarter is
reading and grouping, a seventh whole-number sums of rates, and the rest amounts: each becomes a whole number of 60
bits, whose square needs three products of halves. That is what `bare SQL in fixed point` pays as well, and what can't
be saved without giving up sums that are the same to the bit.

What was saved: texts are grouped as they are stored, since the engine groups codes, and computed texts took a third of
the scan; a rate of zeros and ones asks for two sums instead of six; what is never missing is not counted again.

Adjusted metrics take three more scans: cross-products, then the largest squared residual and their sum. All segments
share them while their combinations with the arms stay below 500; the residuals are still computed once per segment
column. Metrics whose missing values differ have scans of their own.

Preparing reads the data three times before the first question: rules that values must obey, bounds for fixed point, and
the texts' levels, a scan of one column each.
"""


class Measured(Protocol):
    """One task at one size; seconds, and MiB at the peak."""

    @property
    def name(self) -> str:
        """The task."""

    @property
    def rows(self) -> int:
        """The size."""

    @property
    def prepare(self) -> float:
        """Seconds before the first call."""

    @property
    def first(self) -> float:
        """Seconds of the first call."""

    @property
    def warm(self) -> float:
        """The median of the further calls."""

    @property
    def peak_mib(self) -> float:
        """The largest memory."""


def page(found: Sequence[Measured], commands: Mapping[str, float], agreed: str, *, largest_run: float) -> str:
    """Return the page."""
    told = ", ".join(f"{name} {version(name)}" for name in _VERSIONS)
    head = INTRODUCTION.format(
        threads=THREADS, python=platform.python_version(), versions=told, machine=platform.machine()
    )
    parts = [head, "\n".join(_goals(found, largest_run)), "\n".join(_tasks(found)), PROFILE, agreed]
    times = ["| command, whole process | s |", "|---|---|"]
    times += [
        f"| `cxcausal {name.split(',')[0]}`{name[len(name.split(',')[0]) :]} | {s:.2f} |"
        for name, s in commands.items()
    ]
    return "\n".join([*parts[:3], "\n".join(times) + "\n", *parts[3:]])


def _goals(found: Sequence[Measured], largest_run: float) -> Iterator[str]:
    rows = max(one.rows for one in found)
    at = {one.name: one for one in found if one.rows == rows}
    ours, bare = at["cxcausal, 3 segments"], at["bare SQL, 3 segments"].warm
    fixed = at["bare SQL in fixed point, 3 segments"].warm / bare
    tea = min(at[name].warm for name in _TEA)
    goals = (
        ("with 3 segments, times the bare SQL", ours.warm / bare, 2.0),
        ("the same, times the bare SQL in fixed point", ours.warm / bare / fixed, 2.0),
        ("without segments, times the fastest tea-tasting", at["cxcausal"].warm / tea, 1.0),
        ("without segments, adjusted, times tea-tasting on polars", _adjusted(at), None),
        ("3 segments, times 1 segment", ours.warm / at["cxcausal, 1 segment"].warm, 1.5),
        ("share of the time that pandas takes", ours.warm / at["pandas, 3 segments"].warm, 0.1),
        ("peak memory, MiB", max(one.peak_mib for name, one in at.items() if name.startswith("cxcausal")), 400.0),
        ("the whole command with tracking and report, s", largest_run, 8.0),
    )
    yield f"## Goals, at {rows:,} rows\n\n| goal | measured | at most | met |\n|---|---|---|---|"
    for name, measured, limit in goals:
        verdict = "told only" if limit is None else "yes" if measured <= limit else "**no**"
        yield f"| {name} | {measured:.2f} | {'' if limit is None else f'{limit:g}'} | {verdict} |"
    yield ""


def _adjusted(at: Mapping[str, Measured]) -> float:
    return at["cxcausal, spend adjusted"].warm / at["tea-tasting on polars, spend adjusted"].warm


def _tasks(found: Sequence[Measured]) -> Iterator[str]:
    base = {row.rows: row.warm for row in found if row.name == "bare SQL, 3 segments"}
    yield "## Tasks\n\n| task | rows | prepare s | first s | warm s | warm / bare SQL, 3 segments | peak MiB |"
    yield "|---|---|---|---|---|---|---|"
    for one in found:
        seconds = f"{one.prepare:.2f} | {one.first:.2f} | {one.warm:.3f}"
        yield f"| {one.name} | {one.rows:,} | {seconds} | {one.warm / base[one.rows]:.2f} | {one.peak_mib:.0f} |"
    yield ""
