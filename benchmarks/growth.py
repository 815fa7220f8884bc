"""`make growth`: time and memory against rows, metrics, segments, arms and covariates, as docs/growth.md with plots."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.growth_page import Growth, Point, Spilled, pages
from benchmarks.growth_plans import Plan, families, kinds
from benchmarks.growth_world import write_csv, write_events, write_long, write_wide

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".cxcausal/growth"
ROWS = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 14_000_000)
WIDE, NARROW = 1_000_000, 250_000
LIMIT = "512MB"
SPILLING = ("ids, checked for duplicates", "clusters", "exact quantile", "event table")
_PATIENCE = 0.1


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What one process printed, and the most bytes that its engine had on disk."""

    found: dict[str, Any]
    spilled: int


def main() -> None:
    """Measure every point, one process after the other, and write the page; the data are deleted at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--wide", type=int, nargs=2, default=[WIDE, NARROW], help="rows of the wide tables")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    asked = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    try:
        grown = [*_along_rows(sorted(asked.rows)), *_along_columns(*asked.wide)]
        spilled = list(_spilling(max(asked.rows)))
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
    (asked.out / "growth").mkdir(parents=True, exist_ok=True)
    for name, text in pages(grown, spilled, wide=tuple(asked.wide), limit=LIMIT).items():
        (asked.out / name).write_text(text, encoding="utf-8")


def _along_rows(sizes: Sequence[int]) -> Iterator[Growth]:
    points: dict[str, list[Point]] = {}
    for rows in sizes:
        _tell(f"writing {rows:,} rows")
        table = FOLDER / f"long_{rows}.parquet"
        write_long(table, rows)
        write_events(FOLDER / f"events_{rows}.parquet", rows)
        write_csv(table.with_suffix(".csv"), table)
        for name, plan in kinds(rows).items():
            points.setdefault(name, []).append(_point(f"{name}, {rows:,} rows", rows, plan))
        table.with_suffix(".csv").unlink()
        if rows != max(sizes):
            shutil.rmtree(FOLDER)
    yield from (Growth(family="rows", name=name, points=tuple(found)) for name, found in points.items())


def _along_columns(wide: int, narrow: int) -> Iterator[Growth]:
    sources = {"wide.parquet": wide, "narrow.parquet": narrow}
    for name, rows in sources.items():
        _tell(f"writing {rows:,} rows with many columns")
        write_wide(FOLDER / name, rows)
    for (family, name), plans in families(*sources).items():
        points = tuple(_point(f"{name}: {size}", size, plan) for size, plan in plans.items())
        yield Growth(family=family, name=name, points=points)
    for name in sources:
        (FOLDER / name).unlink()


def _spilling(rows: int) -> Iterator[Spilled]:
    """Run what holds more than fits, with and without a disk to spill to."""
    bare = FOLDER / "bare"
    bare.mkdir()
    for file in FOLDER.glob("*.parquet"):
        os.link(file, bare / file.name)
    (bare / ".cxcausal").write_text("in the way of a folder", encoding="utf-8")
    for name in SPILLING:
        plan = kinds(rows)[name]
        _tell(f"{name}, {rows:,} rows, {LIMIT}")
        done, refused = _run(FOLDER, plan, limit=LIMIT), _run(bare, plan, limit=LIMIT)
        yield Spilled(name=name, rows=rows, found=done.found, on_disk=done.spilled, without=refused.found)


def _point(told: str, size: int, plan: Plan) -> Point:
    found = _run(FOLDER, plan).found
    if "refused" in found:
        raise SystemExit(f"{told}: {found['refused']}")
    point = Point(size=size, **found)
    times = f"opened in {point.open[0]:.2f} s, analysed in {point.warm[0]:.2f} s"
    _tell(f"{told}: {times}, processor {point.open[1]:.2f} s and {point.warm[1]:.2f} s, peak {point.peak_mib:.0f} MiB")
    return point


def _run(folder: Path, plan: Plan, *, limit: str | None = None) -> _Run:
    """Run one plan in a fresh process, and watch what its engine puts on disk."""
    command = [sys.executable, "-m", "benchmarks.growth_tasks", str(folder), json.dumps(plan)]
    limits = {} if limit is None else {"CXCAUSAL_MEMORY_LIMIT": limit}
    with ExitStack() as ending:
        process = ending.enter_context(
            subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, **limits})
        )
        ending.callback(process.kill)  # nothing, where it has ended
        most = 0
        while process.poll() is None:
            most = max(most, _size(folder / ".cxcausal" / "tmp"))
            time.sleep(_PATIENCE)
        printed = process.communicate()[0]
    if process.returncode:
        raise SystemExit(f"a point failed with exit code {process.returncode}")
    return _Run(found=json.loads(printed.splitlines()[-1]), spilled=most)


def _size(folder: Path) -> int:
    """Return the bytes in a folder whose files come and go."""
    try:
        return sum(entry.stat().st_size for entry in os.scandir(folder))
    except OSError:
        return 0


def _tell(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
