"""`python -m tests.tampering`: a thousand tampers, a hundred honest records, and the time that a verification takes."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from cxcausal.tracking.audit import audit
from cxcausal.tracking.mlflow_sink import open_store
from tests.tampering.honest import built, made
from tests.tampering.projects import filled
from tests.tampering.trials import Tally, tried


def main() -> int:
    """Do what is asked, print a table, and return 1 where anything was missed or found in vain."""
    parser = argparse.ArgumentParser(prog="python -m tests.tampering", description=__doc__)
    parser.add_argument("--tampers", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=50, help="of the project that is tampered with")
    parser.add_argument("--honest", type=int, default=100, help="honest projects")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template = folder / "template.db"
        open_store(f"sqlite:///{template}").search_experiments(max_results=1)
        root = made(folder / "project", template)
        filled(root, options.runs, seed=options.seed)
        _timed(root)
        tally = tried(root, options.tampers, seed=options.seed)
        _print(tally)
        alarms = [found for number in range(options.honest) for found in _alarms(folder, template, number)]
    sys.stdout.write(f"honest projects: {options.honest}, false alarms: {len(alarms)}\n")
    sys.stdout.writelines(f"{one}\n" for one in (*tally.missed, *alarms))
    return 1 if tally.missed or alarms else 0


def _timed(root: Path) -> None:
    began = time.monotonic()
    found = audit(root)
    seconds = time.monotonic() - began
    sys.stdout.write(f"one verification of {found.runs} runs: {seconds:.2f} s, {len(found.problems)} problems\n")
    sys.stdout.flush()


def _print(tally: Tally) -> None:
    sys.stdout.write(f"{'tamper':<38}{'made':>6}{'found':>7}{'located':>9}\n")
    rows = [*((name, tally.made[name], tally.found[name], tally.located[name]) for name in tally.made)]
    total = ("in all", tally.made.total(), tally.found.total(), tally.located.total())
    for name, made_, found, located in (*rows, total):
        sys.stdout.write(f"{name:<38}{made_:>6}{found:>7}{located:>9}\n")
    sys.stdout.flush()


def _alarms(folder: Path, template: Path, number: int) -> list[str]:
    with tempfile.TemporaryDirectory(dir=folder) as own:
        root, names = built(Path(own), template, number)
        return [f"honest {number} ({', '.join(names)}): {found}" for found in audit(root).problems]


if __name__ == "__main__":
    sys.exit(main())
