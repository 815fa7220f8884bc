"""`make chaos`: two hundred kills -9 over all that a run does, on a filled store and on none; tells where each fell."""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from cxcausal.tracking.mlflow_sink import open_store
from tests.chaos.trials import Outcome, check_synced, reference, trial, trial_project
from tests.cli.terminal import Warm

EMPTY_EVERY = 10
"""One trial in so many begins in a project without a store, which takes seconds to make."""


def main() -> None:
    """Kill runs until enough were killed, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began, dice = time.monotonic(), random.Random(given.seed)  # noqa: S311 - a seeded die, no secret
    outcomes: list[Outcome] = []
    warm = Warm()
    try:
        with tempfile.TemporaryDirectory() as folder:
            outcomes = _trials(Path(folder), warm, dice, given.kills)
    finally:
        warm.close()
    where = Counter(place for outcome in outcomes for place in outcome.died)
    resumed = sum(outcome.resumed for outcome in outcomes)
    _say(f"{_kills(outcomes)} kills of {len(outcomes)} runs in {time.monotonic() - began:.0f} s, seed {given.seed}")
    _say(f"died at: {', '.join(f'{place} {n}' for place, n in where.most_common())}")
    _say(f"{resumed} runs went on under their own id; all results and stages bit-identical; every store sound")


def _trials(folder: Path, warm: Warm, dice: random.Random, kills: int) -> list[Outcome]:
    template = folder / "template.db"
    open_store(f"sqlite:///{template}").search_experiments(max_results=1)
    filled = trial_project(folder / "filled", template)
    expected = reference(warm, filled)
    outcomes: list[Outcome] = []
    while _kills(outcomes) < kills:
        at = len(outcomes)
        if at % EMPTY_EVERY == EMPTY_EVERY - 1:
            empty = trial_project(folder / f"empty{at}", template, empty=True)
            outcomes.append(trial(warm, empty, expected, dice))
            check_synced(empty.root)
            shutil.rmtree(empty.root)
        else:
            outcomes.append(trial(warm, filled, expected, dice))
        if _kills(outcomes) % 20 < len(outcomes[-1].died):
            _say(f"{_kills(outcomes)} kills")
    check_synced(filled.root)
    return outcomes


def _kills(outcomes: list[Outcome]) -> int:
    return sum(len(outcome.died) for outcome in outcomes)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


main()
