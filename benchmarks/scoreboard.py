"""`make scoreboard`: average effects in worlds of known truth, beside EconML's and DoubleML's on the same folds.

Resumable draw by draw; `docs/scoreboard.md` is written from whatever is there.
"""

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.scoreboard_files import filed
from benchmarks.scoreboard_page import Told, page
from benchmarks.scoreboard_rich import rich_worlds
from benchmarks.scoreboard_worlds import Drawn, Setting, Target, worlds
from cxcausal.core.measure import Measure
from cxcausal.core.rows import Rows
from cxcausal.core.score_queries import EffectQuery
from cxcausal.nuisance.crossfit import Nuisances, Recipe
from cxcausal.scoring.road import ScoreRoad

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".cxcausal/scoreboard"
PAGE = ROOT / "docs/scoreboard.md"
_Y = Measure(name="y", terms=(("y", 1.0),))
_CONTRAST = np.array([1.0, -1.0])
Estimated = tuple[float, float]
"""Point and standard error."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One data set with its folds."""

    drawn: Drawn
    road: ScoreRoad
    target: Target = "ate"

    @property
    def splits(self) -> list[tuple[Any, Any]]:
        """The folds of the first repeat, as scikit-learn has them."""
        fold = self.road.nuisances.folds[0]
        return [(np.flatnonzero(fold != place), np.flatnonzero(fold == place)) for place in range(int(fold.max()) + 1)]


def case_of(drawn: Drawn, recipe: Recipe | None = None, *, target: Target = "ate") -> Case:
    """Return a data set with our road over it."""
    columns = {f"x{place}": values for place, values in enumerate(drawn.x.T)}
    key = np.random.default_rng(3).integers(0, 2**63, len(drawn.y), dtype=np.uint64)
    rows = Rows(arms=("c", "t"), arm=drawn.treated, key=key, numbers={**columns, "y": drawn.y}, texts={}, clusters={})
    nuisances = Nuisances(rows=rows, covariates=tuple(columns), recipe=recipe or Recipe())
    return Case(drawn=drawn, road=ScoreRoad(rows=rows, nuisances=nuisances, contrasts=(("t", "c"),)), target=target)


def ours(case: Case) -> Estimated:
    """Our defaults: AIPW on stacked learners, five folds, the median of three splits."""
    query = EffectQuery(measure=_Y, target=case.target)
    found: Any = case.road.answer([query])[query]
    effect = found.effects["t", "c", ""]
    return effect.mean[0] - effect.mean[1], float(np.sqrt(_CONTRAST @ effect.covariance @ _CONTRAST))


def econml(case: Case) -> Estimated:
    """EconML's LinearDRLearner with everything at its default but the folds.

    Everybody's effect needs no effect modifiers; that of the treated is the mean of its linear effects over them.
    """
    from econml.dr import LinearDRLearner

    drawn = case.drawn
    model = LinearDRLearner(cv=case.splits, random_state=1)
    if case.target == "ate":
        model.fit(drawn.y, drawn.treated.astype(int), X=None, W=drawn.x)
        found = model.ate_inference(T0=0, T1=1)
    else:
        model.fit(drawn.y, drawn.treated.astype(int), X=drawn.x)
        found = model.ate_inference(X=drawn.x[drawn.treated == 1], T0=0, T1=1)
    return float(np.ravel(found.mean_point)[0]), float(np.ravel(found.stderr_mean)[0])


def doubleml(case: Case) -> Estimated:
    """DoubleML's IRM with the random forests of its user guide."""
    from doubleml import DoubleMLData, DoubleMLIRM
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    drawn = case.drawn
    frame = pd.DataFrame(drawn.x, columns=[f"x{place}" for place in range(drawn.x.shape[1])])
    frame = frame.assign(y=drawn.y, d=drawn.treated.astype(float))
    same = {"n_estimators": 100, "max_depth": 5, "min_samples_leaf": 2, "random_state": 1}
    data = DoubleMLData(frame, "y", "d")
    model = DoubleMLIRM(
        data,
        RandomForestRegressor(**same),
        RandomForestClassifier(**same),
        n_folds=len(case.splits),
        score={"ate": "ATE", "att": "ATTE"}[case.target],
        draw_sample_splitting=False,
    )
    model.set_sample_splitting(case.splits)
    model.fit()
    return float(model.coef[0]), float(model.se[0])


METHODS: Mapping[str, Callable[[Case], Estimated]] = {"cxcausal": ours, "EconML": econml, "DoubleML": doubleml}


def settings() -> Iterator[Setting]:
    """Yield every world, those of public files only where the files are."""
    yield from chain(worlds(), rich_worlds(), filed())


def estimated(world: Setting, draws: int, names: Sequence[str]) -> Mapping[str, Mapping[str, Estimated]]:
    """Return what every method says of every draw, from disk where it was computed before."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{world.stem}.json"
    found: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
    for draw in range(min(draws, world.limit or draws)):
        missing = [name for name in names if str(draw) not in found.get(name, {})]
        if not missing:
            continue
        case = case_of(world.draw(draw), target=world.target)
        for name in missing:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found.setdefault(name, {})[str(draw)] = METHODS[name](case)
        path.write_text(json.dumps(found))
    return found


def main() -> int:
    """Estimate what is missing, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoreboard", description=__doc__)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--method", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--world", default="", help="only worlds whose name holds this; the page is then left as it is")
    options = parser.parse_args()
    told = []
    for world in settings():
        if options.world not in world.name:
            continue
        found = estimated(world, options.draws, options.method)
        told.append(Told(world=world, found=found))
        sys.stdout.write(f"{world.name}: {', '.join(f'{name} {len(draws)}' for name, draws in found.items())}\n")
        sys.stdout.flush()
        if not options.world:
            PAGE.write_text(page(told), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
