"""Plans as cases: a valid one, a broken tree or a broken text; validated, explained, and some of them run."""

import json
from collections.abc import Callable
from pathlib import Path

from cxcausal.cli import verbs
from cxcausal.core.errors import PlanError
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.models import ExperimentSpec
from tests.fuzz.case import Ended
from tests.fuzz.draw import Rng, between, chance, pick, rng_of
from tests.fuzz.growing import grown
from tests.fuzz.judging import SLOW, Done, attempt, faults
from tests.fuzz.projects import Seeds, dumped
from tests.fuzz.running import analysed
from tests.fuzz.texts import mangled
from tests.fuzz.trees import mutated
from tests.fuzz.units import units_of

_PROJECTS = 3
"""One more than there are where the contract's is absent; the cases of the others are then the same."""
_RUN = 0.1
"""The share of accepted plans that are run as well: that takes fifty times as long."""
_MOST_NAMES = 16
"""Plans that ask for more are only validated: their analysis takes as long as they are long."""
_WHOLE_RUN = 10.0
"""Seconds that the analysis of any other plan may take."""
_DATA_DECIDE = frozenset({"D107", "D132"})
"""Refusals of a plan that only its data can bring about: a table that isn't there, a comparison of unlike columns."""


def run_plan(seeds: tuple[Seeds, ...], seed: int, number: int) -> Ended:
    """Make a plan of a number, and do with it what users do."""
    rng = rng_of("plans", seed, number)
    project = seeds[between(rng, 0, _PROJECTS - 1) % len(seeds)]
    text, steps = _made(rng, project)
    path = project.root / "experiments" / "case.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text)
    work = _Work(root=project.root, rng=rng, text=text.decode(errors="replace"))
    work.validate()
    return Ended(
        kind="plans",
        seed=seed,
        number=number,
        steps=steps,
        outcome=", ".join(f"{verb} {done.code}" for verb, done in work.done),
        codes=tuple(dict.fromkeys(code for _, done in work.done for code in done.codes)),
        cpu=max(done.cpu for verb, done in work.done if verb != "run"),
        wall=max(done.wall for verb, done in work.done if verb != "run"),
        run_cpu=max((done.cpu for verb, done in work.done if verb == "run"), default=0.0),
        faults=tuple(work.faults),
        files={"case.yaml": text, **work.files} if work.faults else {},
    )


def _made(rng: Rng, project: Seeds) -> tuple[bytes, tuple[str, ...]]:
    """Return a plan's bytes, and what was done to them."""
    tree = grown(rng) if chance(rng, 0.5) else pick(rng, project.trees)
    kind = pick(rng, ("grown", "tree", "tree", "tree", "tree", "tree", "text", "text", "text", "both"))
    if kind == "grown":
        return dumped(grown(rng)), ("grown",)
    steps: tuple[str, ...] = ()
    if kind in {"tree", "both"}:
        tree, steps = mutated(rng, tree, project.trees)
    text = dumped(tree, flow=pick(rng, (False, False, None, True)))
    if kind in {"text", "both"}:
        text = text if steps or chance(rng, 0.4) else pick(rng, project.plans)
        text, more = mangled(rng, text, project.plans)
        steps = (*steps, *more)
    return text, steps


class _Work:
    """The verbs of one case, in order, and what is wrong with them."""

    def __init__(self, *, root: Path, rng: Rng, text: str) -> None:
        self.root, self.rng, self.text = root, rng, text
        self.done: list[tuple[str, Done]] = []
        self.faults: list[str] = []
        self.files: dict[str, bytes] = {}

    def validate(self) -> None:
        done = self._verb("validate", 0, 3)
        if done.code != 0 or self.faults:
            return
        (told,) = json.loads(done.out)["plans"]
        if not told["valid"]:
            self.faults.append("valid, and not")
            return
        self._explain(told["plan_hash"])
        if chance(self.rng, _RUN):
            self._run(refused=any("will refuse" in note for note in told["notes"]))

    def _verb(self, verb: str, *allowed: int) -> Done:
        words = [verb, "experiments/case.yaml", "--json"]
        return self._attempt(verb, lambda: verbs.main(words, "cxcausal", standalone_mode=False), allowed)

    def _attempt(self, verb: str, call: Callable[[], object], allowed: tuple[int, ...]) -> Done:
        done, of_plan = attempt(call, self.root), verb != "run"
        self.done.append((verb, done))
        text, limit = (self.text, SLOW) if of_plan else (None, _WHOLE_RUN)
        self.faults += [f"{verb}: {fault}" for fault in faults(done, allowed, text, limit=limit)]
        if self.faults:
            self.files |= {f"{verb}.out": done.out.encode(), f"{verb}.err": f"{done.err}\n{done.trace}".encode()}
        return done

    def _explain(self, plan_hash: str) -> None:
        """Explain the plan; what it says, read as a plan again, must mean the same."""
        self._verb("explain", 0)
        if self.faults:
            return
        from cxcausal.cli.explained import explained  # noqa: PLC0415 - most plans never come here

        again = self.root / "experiments" / "again.yaml"
        text = explained(load_experiment(self.root / "experiments" / "case.yaml", root=self.root))
        again.write_text(text, encoding="utf-8")
        try:
            same = load_experiment(again, root=self.root).plan_hash == plan_hash
        except PlanError as error:
            self.faults.append(f"explain: what it says is no plan: {error.problems[0]}")
        else:
            self.faults += [] if same else ["explain: what it says means something else"]
        if self.faults:
            self.files["explained.yaml"] = text.encode()
        again.unlink()

    def _run(self, *, refused: bool) -> None:
        """Run the plan without its data and on data of its own; a plan that is refused then is refused too late."""
        path = Path("experiments/case.yaml")
        spec = load_experiment(self.root / path, root=self.root).spec
        if _size(spec) > _MOST_NAMES:
            return
        made = units_of(self.rng, spec, self.root)
        for on in (None, made):
            allowed = (0, 4, 5, 6) if not refused else (3,)
            done = self._attempt("run", lambda on=on: analysed(path, on), (*allowed, 3))  # type: ignore[misc]
            if done.code == 3 and not refused and not _DATA_DECIDE.issuperset(done.codes):
                self.faults.append(f"run: refused as a plan, and validate said nothing: {done.err.splitlines()[:1]}")
                self.files["run.err"] = done.err.encode()


def _size(spec: ExperimentSpec) -> int:
    """Return how much a plan asks for: its metrics, arms, and columns to adjust for and split by."""
    columns = (*spec.covariates, *spec.effect_modifiers, *spec.segments, *spec.design.strata, *spec.data.columns)
    return len(columns) + len(spec.arms) + len(tuple(spec.metrics.with_roles()))
