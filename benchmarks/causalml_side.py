"""causalml's predictions of the lessons in a folder, in an environment of its own: `python causalml_side.py FOLDER`.

Every `<name>.lesson.npz` that has no `<name>.causalml.npz` gets one: method → effects of shape (m, arms − 1).
"""

import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np


def effects(kind: str, lesson: Mapping[str, Any], seed: int) -> Any:
    """Return the effects that a learner of causalml predicts, with XGBoost as in its guide and the rest by default."""
    from causalml.inference import meta
    from xgboost import XGBRegressor

    model = getattr(meta, kind)(learner=XGBRegressor(random_state=seed, n_jobs=1), control_name=0)
    given: dict[str, Any] = {"X": lesson["x"], "treatment": lesson["arm"], "y": lesson["y"]}
    shares = lesson["shares"]
    if kind in {"BaseXRegressor", "BaseRRegressor", "BaseDRRegressor"} and len(shares):
        given["p"] = {arm: np.full(len(lesson["y"]), _against_control(shares, arm)) for arm in range(1, len(shares))}
    model.fit(**given)
    asked = {"X": lesson["asked"]}
    if kind == "BaseXRegressor" and len(shares):
        m = len(lesson["asked"])
        asked["p"] = {arm: np.full(m, _against_control(shares, arm)) for arm in range(1, len(shares))}
    return np.asarray(model.predict(**asked))


def _against_control(shares: Any, arm: int) -> float:
    return float(shares[arm] / (shares[0] + shares[arm]))


LEARNERS: Mapping[str, str] = {
    "causalml S": "BaseSRegressor",
    "causalml T": "BaseTRegressor",
    "causalml X": "BaseXRegressor",
    "causalml R": "BaseRRegressor",
    "causalml DR": "BaseDRRegressor",
}


def answer(path: Path) -> Path:
    """Write the predictions of one lesson beside it, whole or not at all."""
    with np.load(path, allow_pickle=False) as lesson:
        given = {name: lesson[name] for name in lesson.files}
    made = {name: effects(kind, given, int(given["seed"])) for name, kind in LEARNERS.items()}
    done = path.with_name(path.name.replace(".lesson.npz", ".causalml.npz"))
    unfinished = done.with_suffix(".partial")
    with unfinished.open("wb") as file:
        np.savez(file, **made)
    return unfinished.replace(done)


def main(folder: Path, tell: Callable[[str], object] = sys.stdout.write) -> None:
    """Answer every lesson that has no answer."""
    warnings.simplefilter("ignore")
    for path in sorted(folder.glob("*.lesson.npz")):
        if not path.with_name(path.name.replace(".lesson.npz", ".causalml.npz")).exists():
            tell(f"{answer(path).name}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
