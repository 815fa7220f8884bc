"""Effects that need rows against their peers, with the same learners and threads: `python -m benchmarks.scores`."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from benchmarks.peers import THREADS
from benchmarks.score_tasks import FOLDS, LEAVES, SCORE_TASKS, TREES

PAGE = Path("docs/benchmarks-scores.md")
SIZES = (100_000, 1_000_000)
AGREE_WITHIN = 4.0
"""Standard errors by which two methods on different folds may differ in one draw."""
Found = Mapping[str, float]


def timed(name: str, rows: int) -> Found:
    """Return what a task took in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.score_tasks", name, str(rows)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found


def page(found: Mapping[tuple[str, int], Found]) -> str:
    """Return the page; fails where effects disagree."""
    told = ", ".join(f"{name} {version(name)}" for name in ("lightgbm", "econml", "doubleml"))
    head = (
        f"# Benchmarks of scores\n\nMade by `make bench`. {FOLDS} folds, one repeat, LightGBM with {TREES} trees of "
        f"{LEAVES} leaves for all, {THREADS} threads; {told}. Medians of warm calls without imports; each task in a "
        "process of its own.\n"
    )
    return "\n".join([head, *_goals(found), "", *_table(found), ""])


def _goals(found: Mapping[tuple[str, int], Found]) -> Iterator[str]:
    yield "| goal | rows | measured | at most | met |\n|---|---|---|---|---|"
    for rows in dict.fromkeys(rows for _, rows in found):
        at = {name: each for (name, size), each in found.items() if size == rows}
        one, whole = at["cxcausal"], at["cxcausal, 2 metrics, 3 populations, 10 segments"]
        memory = min(at[name]["peak_mib"] for name in at if name.startswith("EconML"))
        goals = (
            ("seconds, times AIPW by hand", one["seconds"] / at["AIPW by hand"]["seconds"], 1.1),
            ("2 metrics, 3 populations, 10 segments: times one effect", whole["seconds"] / one["seconds"], 2.0),
            ("peak memory, times EconML's", one["peak_mib"] / memory, 0.6),
        )
        for name, measured, limit in goals:
            verdict = "yes" if measured <= limit else "**no**"
            yield f"| {name} | {rows:,} | {measured:.2f} | {limit:g} | {verdict} |"


def _table(found: Mapping[tuple[str, int], Found]) -> Iterator[str]:
    yield "| task | rows | seconds | processor seconds | peak MiB | effect | standard error |"
    yield "|---|---|---|---|---|---|---|"
    for (name, rows), each in found.items():
        numbers = f"{each['seconds']:.2f} | {each['used']:.2f} | {each['peak_mib']:.0f}"
        yield f"| {name} | {rows:,} | {numbers} | {each['point']:.4f} | {each['se']:.4f} |"


def disagreements(found: Mapping[tuple[str, int], Found]) -> tuple[str, ...]:
    """Return the tasks whose effect on everybody is far from that by hand; LinearDML's is on another population."""
    far = []
    for (name, rows), each in found.items():
        base = found["AIPW by hand", rows]
        if name != "EconML LinearDML" and abs(each["point"] - base["point"]) > AGREE_WITHIN * base["se"]:
            far.append(f"{name} at {rows:,} rows: {each['point']:.4f}, by hand {base['point']:.4f}")
    return tuple(far)


def main() -> None:
    """Measure, write the page, and fail where effects disagree."""
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    found = {(name, rows): timed(name, rows) for rows in sizes for name in SCORE_TASKS}
    if wrong := disagreements(found):
        raise SystemExit("effects disagree:\n" + "\n".join(wrong))
    PAGE.write_text(page(found), encoding="utf-8")
    sys.stdout.write(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
