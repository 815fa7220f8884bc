"""`python -m tests.faults`: the page's tables, or many processes together on an empty store, again and again."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.catalog import tables
from tests.faults.cold_start import started_together
from tests.faults.machine import Machine


def main() -> int:
    """Do what is asked, and return 1 where a run was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--tables", action="store_true", help="print the tables of docs/failures.md")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--runs", type=int, default=5, help="of each process, one after the other")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    if options.tables:
        sys.stdout.write(tables())
        return 0
    return _repeated(options.processes, options.runs, options.times)


def _repeated(processes: int, runs: int, times: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        machine, whole = Machine(Path(folder)), 0
        for time_ in range(times):
            began = time.monotonic()
            whole += started_together(Path(folder) / f"project{time_}", machine, processes=processes, runs=runs)
            sys.stdout.write(f"{whole} of {(time_ + 1) * processes * runs} ({time.monotonic() - began:.0f} s)\n")
            sys.stdout.flush()
        machine.close()
    return 0 if whole == processes * runs * times else 1


if __name__ == "__main__":
    sys.exit(main())
