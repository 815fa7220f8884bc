"""The page of the growth curves: what grows how fast, tables of every point, and the plots beside it."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from benchmarks.growth_chart import Curve, chart
from benchmarks.peers import THREADS

Seconds = tuple[float, float]
"""On the clock, and of all processors."""
FAMILIES = {
    "metrics": "{wide:,} rows, two arms; every other metric is a rate.",
    "segments": "{wide:,} rows, two arms, five metrics; adjusted, two metrics and two covariates.",
    "arms": "{wide:,} rows, five metrics; adjusted, two metrics and two covariates.",
    "covariates": "{narrow:,} rows, two arms, one metric, adjusted for so many numbers.",
}
INTRODUCTION = """# How cost grows

Made by `make growth` in one run on a quiet machine; every figure is measured, each point in a process of its own.
{threads} threads, Python {python}, duckdb {duckdb}, {machine}.

An analysis is all of it but the report: checks, effects, money and verdict. Its time is the median of warm repeats, or
of the first call where that takes longer than three processor seconds. Exponents are slopes on logarithmic axes over
the upper half of each curve, of **processor seconds** (all threads, user and system), which other work on the machine
disturbs least; 1 is as fast as the size, 0 is flat. Memory is the largest resident size of the whole process.
"""
ROWS = """## Rows

Two arms, a rate and a mean from Parquet, and what each line adds. Households hold two customers each, and there are
five events for every fourteen customers. Ids, clusters and exact quantiles need a table of all ids or an order of all
rows, which cost a little more per row the more there are.

![time of an analysis against rows](growth/rows.svg)

![time to open the data against rows](growth/opening.svg)

| work | time to analyse grows as | to open | peak memory |
|---|---|---|---|"""
MEMORY = """## Memory

![peak memory against rows](growth/memory.svg)

Means, rates, regressions and caps are sums, and their memory does not grow with the rows. Ids that are counted,
clusters, exact quantiles, event tables and CSV files (which are copied into the engine) need a place per id or row.
They may fill the engine's limit, 4 GB unless `CXCAUSAL_MEMORY_LIMIT` says otherwise, and go to the disk beyond it.
What adjusts for covariates within clusters leaves the engine as arrays, beside that limit: one row per cluster and arm,
of at most 40,000,000 numbers in its matrices. Where there are more, the adjusted row says that it was not computed.

With `CXCAUSAL_MEMORY_LIMIT={limit}`, and again where the engine can't write to `.cxcausal/tmp`:

| work | rows | opened and analysed, s | peak MiB | on disk, MB | without a disk |
|---|---|---|---|---|---|"""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One size: seconds to open the data, of the first analysis and of a warm one, and MiB at the peak."""

    size: int
    open: Seconds
    first: Seconds
    warm: Seconds
    peak_mib: float


@dataclass(frozen=True, kw_only=True)
class Growth:
    """One curve of a family."""

    family: str
    name: str
    points: tuple[Point, ...]

    def analysing(self) -> Curve:
        """Return processor seconds of the analysis."""
        return Curve(name=self.name, points=tuple((one.size, one.warm[1]) for one in self.points))

    def opening(self) -> Curve:
        """Return processor seconds until the data are open."""
        return Curve(name=self.name, points=tuple((one.size, one.open[1]) for one in self.points))

    def memory(self) -> Curve:
        """Return the peak."""
        return Curve(name=self.name, points=tuple((one.size, one.peak_mib) for one in self.points))

    def at(self, size: int) -> Point:
        """Return the point of one size."""
        return next(point for point in self.points if point.size == size)


@dataclass(frozen=True, kw_only=True)
class Spilled:
    """What held more than the limit: measured with a disk, with the bytes on it, and what was said without one."""

    name: str
    rows: int
    found: Mapping[str, Any]
    on_disk: int
    without: Mapping[str, Any]


def pages(grown: Sequence[Growth], spilled: Sequence[Spilled], *, wide: tuple[int, int], limit: str) -> dict[str, str]:
    """Return the page and its plots, by path."""
    rows = [one for one in grown if one.family == "rows"]
    head = INTRODUCTION.format(
        threads=THREADS, python=platform.python_version(), duckdb=version("duckdb"), machine=platform.machine()
    )
    parts = [head, *_goals(grown), *_rows(rows), *_memory(spilled, limit)]
    plots = {
        "growth/rows.svg": chart("Analysing", "rows", "s", [one.analysing() for one in rows]),
        "growth/opening.svg": chart("Opening the data", "rows", "s", [one.opening() for one in rows]),
        "growth/memory.svg": chart("Peak memory", "rows", "MiB", [one.memory() for one in rows]),
    }
    for family, words in FAMILIES.items():
        own = [one for one in grown if one.family == family]
        parts += [f"## {family.capitalize()}\n", words.format(wide=wide[0], narrow=wide[1]), "", *_told(family, own)]
        plots[f"growth/{family}.svg"] = chart(family.capitalize(), family, "s", [one.analysing() for one in own])
    return {"growth.md": "\n".join(parts).rstrip() + "\n", **plots}


def _goals(grown: Sequence[Growth]) -> Iterator[str]:
    at = {one.name: one for one in grown}
    means, plain, adjusted = at["means"], at["segment columns of 4 values"], at["segment columns, adjusted"]
    metrics, largest = at["metrics"], max(point.size for point in at["means"].points)
    goals = (
        (f"means, exponent in rows up to {largest:,}", means.analysing().exponent, 1.1),
        ("means, peak memory, exponent in rows", means.memory().exponent, 0.1),
        ("adjusted, exponent in rows", at["adjusted"].analysing().exponent, 1.1),
        ("adjusted, peak memory, exponent in rows", at["adjusted"].memory().exponent, 0.1),
        ("3 segments, times 1", _times(plain, 3, 1), 1.5),
        ("3 segments adjusted, times 1", _times(adjusted, 3, 1), 1.5),
        ("50 segments, times 1", _times(plain, 50, 1), 25.0),
        ("50 segments adjusted, times 1", _times(adjusted, 50, 1), 25.0),
        ("40 metrics, times 1", _times(metrics, 40, 1), 40.0),
        ("10 arms, times 2", _times(at["arms"], 10, 2), 2.0),
        ("covariates, exponent (their pairs: 2)", at["covariates"].analysing().exponent, 2.1),
    )
    yield "| goal | measured | at most | met |\n|---|---|---|---|"
    for name, measured, most in goals:
        yield f"| {name} | {measured:.2f} | {most:g} | {'yes' if measured <= most else '**no**'} |"
    yield ""


def _times(growth: Growth, size: int, base: int) -> float:
    return growth.at(size).warm[1] / growth.at(base).warm[1]


def _rows(rows: Sequence[Growth]) -> Iterator[str]:
    yield ROWS
    for one in rows:
        powers = (curve.exponent for curve in (one.analysing(), one.opening(), one.memory()))
        yield f"| {one.name} | {' | '.join(f'rows^{power:.2f}' for power in powers)} |"
    yield ""
    yield from _table(rows)


def _told(family: str, grown: Sequence[Growth]) -> Iterator[str]:
    yield f"![time of an analysis against {family}](growth/{family}.svg)\n"
    for one in grown:
        times, memory = one.analysing().exponent, one.memory().exponent
        yield f"- {one.name}: time grows as n^{times:.2f}, peak memory as n^{memory:.2f}."
    yield ""
    yield from _table(grown)


def _table(grown: Sequence[Growth]) -> Iterator[str]:
    yield "| | n | open s | first s | warm s | processor, open s | processor, warm s | peak MiB |"
    yield "|---|---|---|---|---|---|---|---|"
    for one in grown:
        for point in one.points:
            clock = f"{point.open[0]:.2f} | {point.first[0]:.2f} | {point.warm[0]:.3f}"
            yield (
                f"| {one.name} | {point.size:,} | {clock} | {point.open[1]:.2f} | {point.warm[1]:.3f} "
                f"| {point.peak_mib:.0f} |"
            )
    yield ""


def _memory(spilled: Sequence[Spilled], limit: str) -> Iterator[str]:
    yield MEMORY.format(limit=limit)
    for one in spilled:
        if "refused" in one.found:
            told = f"refused, exit {one.found['exit']} | |"
        else:
            told = f"{one.found['open'][0] + one.found['first'][0]:.1f} | {one.found['peak_mib']:.0f} |"
        refused = "refused" in one.without
        words = f"exit {one.without['exit']}" if refused else f"fits into {one.without['peak_mib']:.0f} MiB"
        yield f"| {one.name} | {one.rows:,} | {told} {one.on_disk / 1e6:.0f} | {words} |"
    yield ""
