"""Predicted effects against their peers in time and memory: `python -m benchmarks.uplift [ROWS ...]`."""

import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from benchmarks.apart import Found, apart
from benchmarks.goals import READING, Goal, faster, table, times
from benchmarks.peers import THREADS
from benchmarks.sections import asked, put
from benchmarks.uplift_peers import ELSEWHERE, LEAVES, NAIVE_DRAWS, PEERS, SLOW, TREES
from benchmarks.uplift_score import BARE, LEARNED_FROM, PREPARED, SCORE, SHAPES
from benchmarks.uplift_tasks import LEARNERS, QINI, STAGE, TASKS

SIZES = (100_000, 1_000_000)
NAIVE = f"{NAIVE_DRAWS} naive bootstraps of scikit-uplift's Qini"
DR = "EconML DR"
All = Mapping[tuple[str, int], Found | None]


def section(found: All) -> str:
    """Return the section of the page."""
    head = (
        "## Uplift\n\nTwelve covariates, 15 in 100 treated, spend mostly zero. The peers' LightGBM has "
        f"{TREES} trees of {LEAVES} leaves; {THREADS} threads; EconML {version('econml')}. Our stage is all of it: "
        f"learners {', '.join(LEARNERS)} by their doubly robust loss in four turns, tests, groups, calibration, rules "
        "with their values and the budget frontier, and the model; a peer's is one fit. `score` reads customers, "
        "predicts, deals out a budget and writes a file; it is compared with its model's own predictions of columns in "
        f"memory. The models are learned from {LEARNED_FROM:,}: where effects are smooth they are planes, which take "
        "less time than reading a file, and where they have steps, trees. The naive bootstrap is "
        f"timed for a few draws, and told as {NAIVE_DRAWS}.\n\n{READING}"
    )
    lines = [head, *table(_goals(found)), "", *_table(found), ""]
    if not any(name in ELSEWHERE for name, _ in found):
        lines += ["scikit-uplift and causalml were not installed, so they are not here.", ""]
    return "\n".join(lines)


def _goals(found: All) -> Iterator[Goal]:
    for rows in dict.fromkeys(rows for _, rows in found):
        at: dict[str, Any] = {name: each for (name, size), each in found.items() if size == rows and each is not None}
        stage = at[STAGE]
        if DR in at:
            yield times("whole stage, times one fit of EconML's DR learner", rows, stage["fit"], at[DR]["fit"], 2.5)
        yield Goal(name="its peak memory, GiB", rows=rows, clock=stage["peak_mib"] / 1024, processor=None, bar=1.3)
        if NAIVE in at:
            yield faster("Qini with its interval, times faster than naive", rows, at[QINI]["fit"], at[NAIVE]["fit"], 20)
        for shape in SHAPES:
            ours, bare = (at[names[shape]]["predict"] for names in (SCORE, BARE))
            yield faster(f"`score`, throughput of its model of {shape}", rows, ours, bare, 0.7)
    yield from _per_customer(found)


def _per_customer(found: All) -> Iterator[Goal]:
    """Yield how many more bytes `score` takes per more customer: what is decided of each, and no column."""
    for shape, task in SCORE.items():
        peaks = {rows: each["peak_mib"] for (name, rows), each in found.items() if name == task and each is not None}
        if len(peaks) > 1:
            few, many = min(peaks), max(peaks)
            more = (peaks[many] - peaks[few]) * 2**20 / (many - few)
            name = f"`score` by {shape}, more bytes per more customer"
            yield Goal(name=name, rows=many, clock=more, processor=None, bar=250)


def _table(found: All) -> Iterator[str]:
    yield "| task | rows | seconds to fit | of the processor | to predict | of the processor | peak MiB |"
    yield "|---|---|---|---|---|---|---|"
    for (name, rows), each in found.items():
        if each is None:
            yield f"| {name} | {rows:,} | stopped: it took too long | | | | |"
            continue
        told = [f"{each[part][kind]:.2f}" if part in each else "" for part in ("fit", "predict") for kind in _KINDS]
        yield f"| {name} | {rows:,} | {' | '.join(told)} | {each['peak_mib']:,.0f} |"


_KINDS = ("seconds", "used")


def measured(rows: int, peers: str | None, *, slow: bool) -> Iterator[tuple[str, Found | None]]:
    """Yield every task with what it took at one size.

    Args:
        rows: the size.
        peers: the Python of the peers' own environment; None without one.
        slow: whether to ask those that take long.
    """
    apart("benchmarks.uplift_score", PREPARED, rows)
    for name in (*BARE.values(), *SCORE.values()):
        yield name, apart("benchmarks.uplift_score", name, rows)
    for name in TASKS:
        yield name, apart("benchmarks.uplift_tasks", name, rows)
    for name in PEERS:
        python = peers if name in ELSEWHERE else sys.executable
        if python is not None and (slow or name not in SLOW):
            yield name, apart("benchmarks.uplift_peers", name, rows, python=python)


def main() -> None:
    """Measure and write the section; what is not installed is skipped, and the section says so."""
    parser = asked(__doc__)
    parser.add_argument("--peers", help="the Python of the environment that has scikit-uplift and causalml")
    options = parser.parse_args()
    sizes = options.rows or SIZES
    found = {
        (name, rows): each for rows in sizes for name, each in measured(rows, options.peers, slow=rows == min(sizes))
    }
    put(section(found), "uplift", options.out)


if __name__ == "__main__":
    main()
