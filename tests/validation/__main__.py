"""`python -m tests.validation`: run the bars that have changed, write the table, fail where one is missed."""

import argparse
import sys
import time
from pathlib import Path

from tests.validation import ledger
from tests.validation.bars import BARS
from tests.validation.engine import Row

QUICK = {
    "V2": 8,
    "V4": 400,
    "V4+": 100,
    "V4-late": 200,
    "V4-survey": 200,
    "V4r": 400,
    "V4s": 40,
    "V6": 40,
    "V5": 20,
    "V8": 400,
    "V8a": 60,
    "V9": 200,
    "V10": 200,
    "V11": 1_000,
    "V12": 200,
    "V13": 400,
    "V13-looks": 200,
    "V14": 60,
    "V16": 20,
    "V20": 3,
    "hidden": 60,
    "gates": 60,
    "V7": 6,
    "V7-effects": 3,
    "V-agreement": 20,
    "V3": 1,
    "V15": 25,
    "V15-intervals": 100,
    "V15-turns": 40,
    "V17": 15,
    "V17-left-out": 15,
    "V15-policies": 15,
    "V15-nobody": 15,
    "policy-power": 1,
}


def main() -> int:
    """Run the bars asked for and return 1 where any is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.validation", description=__doc__)
    parser.add_argument("--bar", nargs="+", choices=sorted(BARS), default=list(BARS), help="only these bars")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, wider bands, and no table")
    parser.add_argument("--table", type=Path, help="write the table of these bars to another page")
    options = parser.parse_args()
    rows = [row for bar in options.bar for row in _run(bar, quick=options.quick)]
    if options.table is not None:
        ledger.write_table(rows, options.table)
    elif not options.quick and set(options.bar) == set(BARS):
        ledger.write_table(rows, ledger.TABLE)
    missed = [row for row in rows if not row.passed]
    _say(f"{len(rows) - len(missed)} of {len(rows)} held")
    return 1 if missed else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _run(bar: str, *, quick: bool) -> tuple[Row, ...]:
    kept = ledger.read(bar, quick=quick)
    started = time.monotonic()
    rows = kept or tuple(BARS[bar](QUICK[bar] if quick else None))
    if kept is None:
        ledger.write(bar, rows, quick=quick)
    for row in rows:
        _say(f"{'held  ' if row.passed else 'MISSED'} {row.bar:4} {row.setting}: {row.measured} (target {row.target})")
    _say(f"       {bar} {'unchanged' if kept else f'{time.monotonic() - started:.1f} s'}")
    return rows


if __name__ == "__main__":
    sys.exit(main())
