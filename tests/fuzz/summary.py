"""What a session of fuzzing comes to, as lines; and its failures, as folders to look into."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.fuzz.case import Ended

_SLOWEST = 5
_SHOWN = 20


def summary(cases: Sequence[Ended]) -> Iterator[str]:
    """Yield the outcomes by exit code and by code of problem, the slowest cases, and every failure."""
    for kind in dict.fromkeys(case.kind for case in cases):
        mine = [case for case in cases if case.kind == kind]
        yield f"{kind}: {len(mine):,} cases, {sum(bool(case.faults) for case in mine)} failed"
        for outcome, count in Counter(case.outcome for case in mine).most_common():
            yield f"  {count:>7,}  {outcome}"
        codes = Counter(code for case in mine for code in case.codes)
        yield "  problems: " + ", ".join(f"{code} {count:,}" for code, count in sorted(codes.items()))
        yield "  slowest: "
        for case in sorted(mine, key=_seconds, reverse=True)[:_SLOWEST]:
            yield f"    {case.cpu:.2f} s of the processor, {case.wall:.2f} s on the wall: {case.label} {_how(case)}"
        slowest = max(mine, key=lambda case: case.run_cpu)
        if slowest.run_cpu:
            yield f"  slowest run of a plan: {slowest.run_cpu:.2f} s of the processor: {slowest.label} {_how(slowest)}"
    failed = [case for case in cases if case.faults]
    for case in failed[:_SHOWN]:
        yield f"FAILED {case.label} {_how(case)}"
        yield from (f"    {fault}" for fault in case.faults)
    if len(failed) > _SHOWN:
        yield f"and {len(failed) - _SHOWN} more"


def keep(case: Ended, folder: Path) -> None:
    """Write what is needed to look at a failure."""
    place = folder / case.label.replace(" ", "_").replace(":", "_")
    place.mkdir(parents=True, exist_ok=True)
    lines = (case.label, ", ".join(case.steps), case.outcome, *case.faults, "")
    (place / "case.txt").write_text("\n".join(lines), encoding="utf-8")
    for name, content in case.files.items():
        (place / name.replace("/", "_")).write_bytes(content)


def _seconds(case: Ended) -> float:
    return min(case.cpu, case.wall)


def _how(case: Ended) -> str:
    return f"({', '.join(case.steps)})"
