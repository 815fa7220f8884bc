"""Predicted effects against their peers in time and memory: `python -m benchmarks.uplift [ROWS ...]`."""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from benchmarks.peers import THREADS
from benchmarks.uplift_peers import ELSEWHERE, LEAVES, NAIVE_DRAWS, PEERS, TREES
from benchmarks.uplift_tasks import LEARNERS, QINI, TASKS

PAGE = Path("docs/benchmarks-uplift.md")
SIZES = (100_000, 1_000_000)
STAGE, NAIVE = "cxcausal, whole stage", f"{NAIVE_DRAWS} naive bootstraps of scikit-uplift's Qini"
Found = Mapping[str, float]
All = Mapping[tuple[str, int], Found]


def timed(python: str, module: str, name: str, rows: int) -> Found:
    """Return what a task took in a process of its own."""
    words = [python, "-m", module, name, str(rows)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found


def page(found: All, *, peers: bool) -> str:
    """Return the page."""
    head = (
        "# Benchmarks of predicted effects\n\nMade by `make bench`. Twelve covariates, 15 in 100 treated, spend mostly "
        f"zero. The peers' LightGBM has {TREES} trees of {LEAVES} leaves; {THREADS} threads; EconML "
        f"{version('econml')}. Our stage is all of it: learners {', '.join(LEARNERS)} by their doubly robust loss "
        "in four turns, tests, groups, calibration, rules with their values and the budget frontier, and the model; a "
        "peer's is one fit. Each task runs once in a process of its own, imports included where a task needs them.\n"
    )
    lines = [head, *_goals(found), "", *_table(found), ""]
    if not peers:
        lines += ["scikit-uplift and causalml were not installed, so they are not here.", ""]
    return "\n".join(lines)


def _goals(found: All) -> Iterator[str]:
    yield "| goal | rows | measured | bar | met |\n|---|---|---|---|---|"
    for rows in dict.fromkeys(rows for _, rows in found):
        at = {name: each for (name, size), each in found.items() if size == rows}
        stage = at[STAGE]
        yield _goal(
            "whole stage, times one fit of EconML's DR learner", rows, stage["fit"] / at["EconML DR"]["fit"], 2.5
        )
        yield _goal("its peak memory, GiB", rows, stage["peak_mib"] / 1024, 1.3)
        if NAIVE in at:
            share = at[QINI]["fit"] / at[NAIVE]["fit"]
            yield _goal("Qini with its interval, in seconds of the naive bootstrap", rows, share, 0.05)


def _goal(name: str, rows: int, measured: float, limit: float) -> str:
    return f"| {name} | {rows:,} | {measured:.4g} | {limit:g} | {_met(measured <= limit)} |"


def _met(yes: bool) -> str:  # noqa: FBT001 - a word for a truth
    return "yes" if yes else "**no**"


def _table(found: All) -> Iterator[str]:
    yield "| task | rows | seconds to fit | to predict | peak MiB |\n|---|---|---|---|---|"
    for (name, rows), each in found.items():
        yield f"| {name} | {rows:,} | {each['fit']:.2f} | {each['predict']:.2f} | {each['peak_mib']:,.0f} |"


def main() -> None:
    """Measure and write the page; what is not installed is skipped, and the page says so."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.uplift", description=__doc__)
    parser.add_argument("rows", type=int, nargs="*", default=SIZES)
    parser.add_argument("--peers", help="the Python of the environment that has scikit-uplift and causalml")
    options = parser.parse_args()
    found: dict[tuple[str, int], Found] = {}
    for rows in options.rows:
        for name in TASKS:
            found[name, rows] = timed(sys.executable, "benchmarks.uplift_tasks", name, rows)
        for name in PEERS:
            python = options.peers if name in ELSEWHERE else sys.executable
            if python is not None:
                found[name, rows] = timed(python, "benchmarks.uplift_peers", name, rows)
    PAGE.write_text(page(found, peers=options.peers is not None), encoding="utf-8")
    sys.stdout.write(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
