"""Effects that need rows against their peers, with the same learners and threads: `python -m benchmarks.scores`."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from importlib.util import find_spec

from benchmarks.apart import Found, apart
from benchmarks.goals import READING, Goal, table, times
from benchmarks.peers import THREADS
from benchmarks.score_tasks import FOLDS, LEAVES, ONE, SCORE_TASKS, TREES, WHOLE
from benchmarks.sections import asked, put

SIZES = (100_000, 1_000_000)
BY_HAND = "AIPW by hand"
NEEDS = {"DoubleML IRM": "doubleml"}
"""Task → what only `make bench` installs; without it the task is left out."""
AGREE_WITHIN = 4.0
"""Standard errors by which two methods on different folds may differ in one draw."""
All = Mapping[tuple[str, int], Found | None]


def section(found: All) -> str:
    """Return the section of the page."""
    told = ", ".join(f"{name} {version(name)}" for name in ("lightgbm", "econml", *NEEDS.values()) if find_spec(name))
    head = (
        f"## Scores\n\n{FOLDS} folds, one repeat, LightGBM with {TREES} trees of {LEAVES} leaves for all, {THREADS} "
        f"threads; {told}. Medians of warm calls; each task in a process of its own. The goals are of "
        f"one effect on everybody, and of the whole: {WHOLE.removeprefix(f'{ONE}, ')}.\n\n"
        f"{READING}"
    )
    lines = [head, *table(_goals(found)), "", *_table(found), ""]
    left_out = [name for name in NEEDS if not any(name == task for task, _ in found)]
    if left_out:
        lines += [f"Not installed, so not here: {', '.join(left_out)}.", ""]
    return "\n".join(lines)


def _goals(found: All) -> Iterator[Goal]:
    for rows in dict.fromkeys(rows for _, rows in found):
        at = {name: each for (name, size), each in found.items() if size == rows and each is not None}
        one, whole = at[ONE], at[WHOLE]
        yield times("one effect, times AIPW by hand", rows, one, at[BY_HAND], 1.1)
        yield times("the whole, times one effect", rows, whole, one, 2.0)
        peers = [each["peak_mib"] for name, each in at.items() if name.startswith("EconML")]
        if peers:
            share = one["peak_mib"] / min(peers)
            yield Goal(name="peak memory, times EconML's", rows=rows, clock=share, processor=None, bar=0.6)


def _table(found: All) -> Iterator[str]:
    yield "| task | rows | seconds | processor seconds | peak MiB | effect | standard error |"
    yield "|---|---|---|---|---|---|---|"
    for (name, rows), each in found.items():
        if each is None:
            yield f"| {name} | {rows:,} | stopped: it took too long | | | | |"
            continue
        numbers = f"{each['seconds']:.2f} | {each['used']:.2f} | {each['peak_mib']:.0f}"
        yield f"| {name} | {rows:,} | {numbers} | {each['point']:.4f} | {each['se']:.4f} |"


def disagreements(found: All) -> tuple[str, ...]:
    """Return the tasks whose effect on everybody is far from that by hand; LinearDML's is on another population."""
    far = []
    for (name, rows), each in found.items():
        base = found[BY_HAND, rows]
        if each is None or base is None or name == "EconML LinearDML":
            continue
        if abs(each["point"] - base["point"]) > AGREE_WITHIN * base["se"]:
            far.append(f"{name} at {rows:,} rows: {each['point']:.4f}, by hand {base['point']:.4f}")
    return tuple(far)


def main() -> None:
    """Measure, write the section, and fail where effects disagree."""
    parser = asked(__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="calls of every task, whose median is told")
    options = parser.parse_args()
    sizes = options.rows or SIZES
    names = [name for name in SCORE_TASKS if name not in NEEDS or find_spec(NEEDS[name])]
    found = {
        (name, rows): apart("benchmarks.score_tasks", name, rows, options.repeats) for rows in sizes for name in names
    }
    if wrong := disagreements(found):
        raise SystemExit("effects disagree:\n" + "\n".join(wrong))
    put(section(found), "scores", options.out)


if __name__ == "__main__":
    main()
