"""`python -m tests.fuzz`: break thousands of plans and files, and tell what came of them; exit 1 on any failure."""

import argparse
import sys
import time
from pathlib import Path

from tests.fuzz.case import Ended
from tests.fuzz.session import run_batch, run_cases
from tests.fuzz.summary import keep, summary

_EVERY = 100


def main() -> int:
    """Run the cases that are asked for and return the exit code."""
    asked = _parser().parse_args()
    began, cases = time.monotonic(), []
    counts = {"plans": asked.plans, "csvs": asked.csvs, "files": asked.files}
    if asked.only:
        kind, _, number = asked.only.partition(":")
        found = iter(run_batch(kind, asked.seed, [int(number)]))
        counts = {kind: 1}
    else:
        found = run_cases(counts, asked.seed, jobs=asked.jobs, seconds=asked.seconds)
    for case in found:
        cases.append(case)
        if case.faults or asked.only:
            keep(case, asked.out)
        _progress(cases, sum(counts.values()), time.monotonic() - began)
    failed = any(case.faults for case in cases)
    lines = [f"seed {asked.seed}, {time.monotonic() - began:.0f} s in all", *summary(cases)]
    if failed:
        lines.append(f"what failed lies in {asked.out}; run one again with --seed {asked.seed} --only plans:17")
    sys.stderr.write("\n")
    sys.stdout.write("\n".join([*lines, ""]))
    return int(failed)


def _progress(cases: list[Ended], total: int, seconds: float) -> None:
    if len(cases) % _EVERY == 0:
        failed = sum(bool(case.faults) for case in cases)
        sys.stderr.write(f"\r{len(cases):,} of {total:,}, {failed} failed, {seconds:.0f} s")
        sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--plans", type=int, default=10_000, help="how many plans")
    parser.add_argument("--csvs", type=int, default=2_000, help="how many CSV files")
    parser.add_argument("--files", type=int, default=500, help="how many files of other kinds")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same cases")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="after which no further case begins")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", help="one case, such as csvs:17; its files are kept")
    parser.add_argument("--out", type=Path, default=Path(".cxcausal/fuzz"), help="where failures are kept")
    return parser


if __name__ == "__main__":
    sys.exit(main())
