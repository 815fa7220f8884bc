"""`make pehe`: errors of every customer's predicted effect, beside EconML's and causalml's on the same splits.

Resumable draw by draw; `docs/pehe.md` is written from whatever is there.
"""

import argparse
import json
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.pehe_methods import METHODS
from benchmarks.pehe_page import Told, page
from benchmarks.uplift_worlds import Floats, Lesson, World, worlds

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".cxcausal/pehe"
PAGE = ROOT / "docs/pehe.md"
SIDE = Path(__file__).with_name("causalml_side.py")
Found = dict[str, dict[str, float]]
"""Method → draw → root of the mean squared error of effects (PEHE)."""


def pehe(told: Floats, lesson: Lesson) -> float:
    """Return the root of the mean squared error over units and arms: the precision in estimating heterogeneity."""
    return float(np.sqrt(np.mean((told - lesson.effect) ** 2)))


def folder_of(world: World) -> Path:
    """Return where a world's draws are kept."""
    return FOLDER / "".join(letter if letter.isalnum() else "-" for letter in world.name.lower())


def estimated(world: World, draws: int, names: Sequence[str]) -> Found:
    """Return the errors of the methods of this environment, from disk where they were computed before."""
    folder = folder_of(world)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "found.json"
    found: Found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for draw in range(draws):
        missing = [name for name in names if str(draw) not in found.get(name, {})]
        if not missing:
            continue
        lesson = world.draw(draw)
        _keep(lesson, folder / f"{draw}.lesson.npz", draw)
        for name in missing:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the peers' own
                found.setdefault(name, {})[str(draw)] = pehe(METHODS[name](lesson, draw), lesson)
        path.write_text(json.dumps(found), encoding="utf-8")
    return found


def _keep(lesson: Lesson, path: Path, seed: int) -> None:
    shares = np.zeros(0) if lesson.shares is None else lesson.shares
    np.savez(path, x=lesson.x, arm=lesson.arm, y=lesson.y, asked=lesson.asked, shares=shares, seed=np.array(seed))


def beside(world: World, draws: int, python: Path | None) -> Found:
    """Return causalml's errors, from predictions that its own environment makes where one is given."""
    folder = folder_of(world)
    if python is not None:
        subprocess.run([str(python), str(SIDE), str(folder)], check=True, capture_output=True)
    found: Found = {}
    for draw in range(draws):
        path = folder / f"{draw}.causalml.npz"
        if path.exists():
            lesson = world.draw(draw)
            with np.load(path, allow_pickle=False) as told:
                for name in told.files:
                    found.setdefault(name, {})[str(draw)] = pehe(told[name], lesson)
    return found


def main() -> int:
    """Estimate what is missing, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pehe", description=__doc__)
    parser.add_argument("--draws", type=int, default=30)
    parser.add_argument("--world", nargs="+", help="parts of worlds' names; all of them by default")
    parser.add_argument("--method", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--causalml", type=Path, help="the Python of the environment that has causalml")
    options = parser.parse_args()
    told = []
    for world in worlds():
        if options.world and not any(part in world.name for part in options.world):
            continue
        found = estimated(world, options.draws, options.method)
        found |= beside(world, options.draws, options.causalml)
        told.append(Told(world=world.name, found=found))
        sys.stdout.write(f"{told[-1].line}\n")
        sys.stdout.flush()
        PAGE.write_text(page(told), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
