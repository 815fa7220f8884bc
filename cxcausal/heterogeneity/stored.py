"""Effect models on disk: arrays without pickle, JSON for what they are, and LightGBM's own text."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.errors import DataError, Problem
from cxcausal.heterogeneity.calibrating import Line
from cxcausal.heterogeneity.encoding import Encoding, Modifier
from cxcausal.heterogeneity.forests import Forest
from cxcausal.heterogeneity.formulas import Chance, Effect, Formula, Plane, Trees
from cxcausal.nuisance.features import Column

VERSION = 2
PLAIN = ("aim", "arms", "sign", "learned")
"""Fields that JSON can hold."""
FACTS, ARRAYS = "effects.json", "effects.npz"
Arrays = dict[str, npt.NDArray[Any]]


def written(folder: Path, model: Mapping[str, Any]) -> None:
    """Write the fields of an effect model into a folder, which is made."""
    effect, encoding = model["effect"], model["encoding"]
    folder.mkdir(parents=True, exist_ok=True)
    formulas = list({id(formula): formula for terms in effect.arms for _, formula in terms}.values())
    boosters = list({id(one.model): one.model for one in formulas if isinstance(one, Trees)}.values())
    arrays: Arrays = {
        "means": encoding.means,
        "spreads": encoding.spreads,
        "low": encoding.low,
        "high": encoding.high,
        "constants": model["constants"],
        "lines": np.array([[line.centre, line.at, line.slope, *line.covariance.ravel()] for line in model["lines"]]),
        "times": _times(effect, formulas),
    }
    facts = {
        "version": VERSION,
        **{name: model[name] for name in PLAIN},
        "modifiers": [asdict(modifier) for modifier in encoding.modifiers],
        "columns": [asdict(column) for column in encoding.columns],
        "formulas": [_told(formula, place, boosters, arrays) for place, formula in enumerate(formulas)],
    }
    for place, booster in enumerate(boosters):
        (folder / _text(place)).write_text(_unranged(booster.model_to_string()), encoding="utf-8")
    np.savez(folder / ARRAYS, allow_pickle=False, **arrays)
    (folder / FACTS).write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(folder: Path) -> dict[str, Any]:
    """Return the fields of the effect model in a folder.

    Raises:
        DataError: the folder holds no model, or one of another version.
    """
    facts = _facts(folder)
    with np.load(folder / ARRAYS, allow_pickle=False) as opened:
        arrays: Arrays = {name: opened[name] for name in opened.files}
    boosters: dict[int, Any] = {}
    formulas = [_formula(told, place, folder, boosters, arrays) for place, told in enumerate(facts["formulas"])]
    return {
        **{name: facts[name] for name in PLAIN},
        "arms": tuple(facts["arms"]),
        "encoding": Encoding(
            modifiers=tuple(_modifier(told) for told in facts["modifiers"]),
            columns=tuple(Column(**told) for told in facts["columns"]),
            means=arrays["means"],
            spreads=arrays["spreads"],
            low=arrays["low"],
            high=arrays["high"],
        ),
        "effect": _effect(arrays["times"], formulas),
        "constants": arrays["constants"],
        "lines": tuple(_line(row) for row in arrays["lines"]),
    }


def _facts(folder: Path) -> dict[str, Any]:
    path = folder / FACTS
    if not path.is_file():
        what, mend = "there is no model of who gains how much", "name the folder of a run that learned one"
        raise DataError(Problem(where=str(folder), code="D622", what=what, mend=mend))
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if facts.get("version") != VERSION:
        what = f"the model is of version {facts.get('version')}, and this cxcausal reads version {VERSION}"
        raise DataError(Problem(where=str(path), code="D623", what=what, mend="run the experiment again"))
    return facts


def _text(place: int) -> str:
    return f"trees_{place}.txt"


def _unranged(text: str) -> str:
    """Return LightGBM's text without the lowest and the highest value of every column, which predict nothing."""
    told = re.search(r"^feature_infos=(.*)$", text, flags=re.MULTILINE)
    if told is None:
        return text
    nothing = " ".join("none" for _ in told[1].split())
    return text[: told.start(1)] + nothing + text[told.end(1) :]


def _times(effect: Effect, formulas: list[Formula]) -> npt.NDArray[np.float64]:
    """Return how often every formula counts for every arm, shape (formulas, arms − 1)."""
    found = np.zeros((len(formulas), len(effect.arms)))
    for place, formula in enumerate(formulas):
        for arm, terms in enumerate(effect.arms):
            found[place, arm] = sum(times for times, each in terms if each is formula)
    return found


def _effect(times: npt.NDArray[np.float64], formulas: list[Formula]) -> Effect:
    arms = [
        tuple((float(share), formula) for share, formula in zip(column, formulas, strict=True) if share)
        for column in times.T
    ]
    return Effect(arms=tuple(arms))


def _told(formula: Formula, place: int, boosters: list[Any], arrays: Arrays) -> dict[str, Any]:
    if isinstance(formula, Plane | Chance):
        plane = formula if isinstance(formula, Plane) else formula.plane
        arrays |= {f"terms_{place}": plane.terms, f"slopes_{place}": plane.slopes}
        return {"kind": "plane" if formula is plane else "chance"}
    if isinstance(formula, Forest):
        arrays |= {f"{field.name}_{place}": getattr(formula, field.name) for field in fields(Forest)}
        return {"kind": "forest"}
    assert isinstance(formula, Trees)  # noqa: S101 - the last kind
    own = next(number for number, booster in enumerate(boosters) if booster is formula.model)
    return {"kind": "trees", "booster": own, "trees": formula.trees, "more": formula.more}


def _formula(told: dict[str, Any], place: int, folder: Path, boosters: dict[int, Any], arrays: Arrays) -> Formula:
    if told["kind"] in {"plane", "chance"}:
        plane = Plane(terms=arrays[f"terms_{place}"], slopes=arrays[f"slopes_{place}"])
        return plane if told["kind"] == "plane" else Chance(plane=plane)
    if told["kind"] == "forest":
        return Forest(**{field.name: arrays[f"{field.name}_{place}"] for field in fields(Forest)})
    own = told["booster"]
    if own not in boosters:
        import lightgbm  # noqa: PLC0415 - heavy

        boosters[own] = lightgbm.Booster(model_str=(folder / _text(own)).read_text(encoding="utf-8"))
    return Trees(model=boosters[own], trees=told["trees"], more=tuple(told["more"]))


def _modifier(told: Mapping[str, Any]) -> Modifier:
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return Modifier(**fields)


def _line(row: npt.NDArray[np.float64]) -> Line:
    centre, at, slope = map(float, row[:3])
    return Line(centre=centre, at=at, slope=slope, covariance=row[3:].reshape(2, 2))
