"""CSV files as cases: told in another way, or damaged; run, and held to the good file or to a strict reader."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.case import Ended
from tests.fuzz.cookbook import RECIPES, Recipe
from tests.fuzz.damage import broken
from tests.fuzz.draw import Rng, chance, pick, rng_of
from tests.fuzz.harmless import retold
from tests.fuzz.judging import Done, attempt, faults
from tests.fuzz.oracle import contradictions
from tests.fuzz.running import analysed
from tests.fuzz.sheets import damaged
from tests.fuzz.world import Dialect, Sheet, customers, orders, written

Files = dict[str, bytes]
"""Their bytes by name."""
_WORLDS = 3
_ALLOWED = (0, 4, 5)
_DATA_DECIDE = frozenset({"D131", "D132"})
"""Refusals as a plan that a file brings about: a comparison, or a map, that its values don't fit."""
_PROJECT = "schema_version: 1\norganisation: Fuzz\ntimezone: Europe/Berlin\n"
_DEFAULTS = "schema_version: 1\nchecks: {tiny_arm: {min_units: 10, min_events: 2}}\n"
"""So that the small world is large enough for verdicts."""
_MEAN_THE_SAME = ("verdict", "recommended_arm", "arms", "grade", "capped_by", "effects", "value", "reading")
_FACTS = ("rows", "filtered_out", "enrolled", "immature", "analysed", "randomization_units", "enrolled_by_arm")


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A project to run files in, and what is known of the good ones.

    Attributes:
        root: of the project; its folder holds nothing else.
        known: by recipe and world, what the good files come to.
    """

    root: Path
    known: dict[tuple[str, int], Any] = field(default_factory=dict)

    def run(self, recipe: Recipe, files: Files, **data: Any) -> Done:
        """Put files in the place of all others and run a recipe's plan on them."""
        for old in (self.root / "data").iterdir():
            old.unlink()
        for name, content in files.items():
            (self.root / name).write_bytes(content)
        plan = self.root / "experiments" / "case.yaml"
        plan.write_text(json.dumps(recipe.plan(**data), indent=1), encoding="utf-8")
        return attempt(lambda: analysed(Path("experiments/case.yaml")), self.root)

    def good(self, recipe: Recipe, world: int) -> Any:
        """Return what the good files of a world come to."""
        key = (recipe.name, world)
        if key not in self.known:
            done = self.run(recipe, good_files(recipe, world))
            assert done.code in {0, 5}, f"{recipe.name}: {done.err}{done.trace}"
            self.known[key] = essence(json.loads(done.out))
        return self.known[key]


def bench(base: Path) -> Bench:
    """Make an empty project below a folder, with the packaged defaults."""
    root = base / "bench" / "root"
    for name in ("configs", "data", "experiments"):
        (root / name).mkdir(parents=True)
    (root / "configs" / "project.yaml").write_text(_PROJECT)
    (root / "configs" / "defaults.yaml").write_text(_DEFAULTS)
    return Bench(root=root)


def good_files(recipe: Recipe, world: int) -> Files:
    """Return the files of a recipe as they should be."""
    more = {"data/orders.csv": written(orders(world), Dialect())} if recipe.events else {}
    return {"data/units.csv": written(customers(world), Dialect()), **more}


def essence(told: dict[str, Any]) -> dict[str, Any]:
    """Return what of a result depends on what the data mean, and not on how they are written."""
    checks = [{key: check[key] for key in ("name", "verdict", "value", "p")} for check in told["checks"]]
    facts = {key: told["data"][key] for key in _FACTS}
    return {key: told[key] for key in _MEAN_THE_SAME} | {"checks": checks, "facts": facts}


def run_csv(bench: Bench, seed: int, number: int) -> Ended:
    """Make a file of a number, run it, and judge what comes of it."""
    rng = rng_of("csvs", seed, number)
    recipe, world = pick(rng, RECIPES), int(rng.integers(_WORLDS))
    files = good_files(recipe, world)
    data: dict[str, Any] = {}
    harmless = chance(rng, 0.25)
    if harmless:
        known = bench.good(recipe, world)
        told, steps = retold(rng, customers(world))
        files.pop("data/units.csv")
        files |= told.files()
        done = bench.run(recipe, files, **(data := dict(told.data)))
        wrong = (*faults(done, (0, 5)), *_differences(done, known))
    else:
        name = "data/orders.csv" if recipe.events and chance(rng, 0.6) else "data/units.csv"
        sheet = orders(world) if name == "data/orders.csv" else customers(world)
        files[name], steps = _damaged(rng, sheet)
        done = bench.run(recipe, files)
        wrong = (*faults(done, _allowed(done)), *_untrue(recipe, files["data/units.csv"], done))
    kept = {**files, "data.json": json.dumps(data).encode()}
    return ended(("csvs", seed, number), (recipe.name, *steps), done, wrong, kept)


def ended(of: tuple[str, int, int], steps: tuple[str, ...], done: Done, wrong: tuple[str, ...], files: Files) -> Ended:
    """Return how a case of data ended: its kind, seed and number, what was done to which recipe, and what is wrong."""
    kept = {name.rpartition("/")[2]: content for name, content in files.items()}
    kept |= {"run.out": done.out.encode(), "run.err": f"{done.err}\n{done.trace}".encode()}
    return Ended(
        kind=of[0],
        seed=of[1],
        number=of[2],
        steps=steps,
        outcome=f"run {done.code}",
        codes=done.codes,
        cpu=done.cpu,
        wall=done.wall,
        faults=wrong,
        files=kept if wrong else {},
    )


def _allowed(done: Done) -> tuple[int, ...]:
    return (*_ALLOWED, 3) if set(done.codes) <= _DATA_DECIDE else _ALLOWED


def _damaged(rng: Rng, sheet: Sheet) -> tuple[bytes, tuple[str, ...]]:
    """Return a file whose cells, rows or bytes are wrong."""
    kind = pick(rng, ("sheet", "sheet", "bytes", "both"))
    steps: tuple[str, ...] = ()
    if kind != "bytes":
        sheet, steps = damaged(rng, sheet)
    dialect = Dialect(line_end=pick(rng, ("\n", "\n", "\r\n")), quote_all=chance(rng, 0.2))
    data = written(sheet, dialect)
    if kind != "sheet":
        data, more = broken(rng, data)
        steps = (*steps, *more)
    return data, steps


def _differences(done: Done, known: Any) -> tuple[str, ...]:
    """Return which parts of a result differ from those of the good file."""
    if done.code not in {0, 5}:
        return ()
    mine = essence(json.loads(done.out))
    return tuple(f"{key} differs from that of the good file" for key in known if mine[key] != known[key])


def _untrue(recipe: Recipe, units: bytes, done: Done) -> tuple[str, ...]:
    if done.code not in {0, 5} or done.trace:
        return ()
    return tuple(contradictions(recipe, units, json.loads(done.out)))
