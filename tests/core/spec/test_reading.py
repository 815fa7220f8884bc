"""YAML's traps in text and number fields, all errors at once, and plans that a monkey typed."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cxcausal.core.errors import PlanError
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.resolve import Resolved

Load = Callable[..., Resolved]
Told = Callable[..., list[tuple[str, str]]]

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
FUZZED = 500
SWAPS = (
    "[]",
    "{}",
    "NO",
    "3",
    "-1e9",
    "null",
    "'x'",
    "[[1, {a: 2}]]",
    "{a: {b: [c]}}",
    "1/3",
    "2026-13-45",
    "",
    "*a",
    "!x",
)

PLAN = """schema_version: 1
id: calls
question: Does a call keep customers?
owner: team@example.com
data:
  source: data/calls.parquet
  unit: customer
  filter: tenure >= 3 and tier in ['a', 'b']
design:
  type: randomized
  treatment:
    column: arm
    control: none
    arms:
      none: {label: Usual, share: 1/2}
      call: {label: Call, share: 1/2, unit_cost: 4, capacity: 100}
  strata: [tier]
covariates: [tenure, tier]
segments: [tier]
metrics:
  success:
    - {name: left_90d, mde: {absolute: 0.012}}
  guardrails:
    - {name: csat, type: ordinal, column: csat, desired_direction: increase, margin: {absolute: 0.05}}
  secondary: [happy]
analysis: {alpha: 0.05, seed: 3, horizon: {date: 2026-12-20}}
checks:
  srm: {on_breach: fail, alpha: 0.001}
value: {population: 1000}
decision:
  minimum_worthwhile_effect: {metric: left_90d, absolute: 0.006}
  actions: {ship: Do it, hold: Wait, stop: End it}
"""

TRAPS = ("NO", "no", "on", "yes", "010", "1e-3", "12:30:00", "2026-01-31", "1_000", "0x1F", "0o17", "true", ".5", "+1")


@pytest.mark.parametrize("trap", TRAPS)
def test_text_stays_as_it_was_written(load: Load, trap: str) -> None:
    plan = PLAN.replace("none", trap).replace("question: Does a call keep customers?", f"question: {trap}")
    files = {
        "configs/metrics/m.yaml": (CORPUS / "project/configs/metrics/house.yaml").read_text(encoding="utf-8"),
        "configs/value.yaml": (CORPUS / "project/configs/value.yaml").read_text(encoding="utf-8"),
    }
    spec = load(plan, files).spec
    assert (spec.control, spec.arms[0], spec.question) == (trap, trap, trap)


@pytest.mark.parametrize("trap", [trap for trap in TRAPS if trap not in {"1e-3", "+1"}])
def test_a_number_is_a_plain_number_or_an_error(trap: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN.replace("unit_cost: 4", f"unit_cost: {trap}"), encoding="utf-8")
    with pytest.raises(PlanError) as caught:
        load_experiment(path, root=CORPUS / "project")
    (problem,) = caught.value.problems
    assert (problem.code, problem.where.rsplit(":", 2)[1:]) == ("P204", ["16", "50"])
    assert repr(trap) in problem.what


def test_a_number_may_have_an_exponent(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN.replace("unit_cost: 4", "unit_cost: 1e-3"), encoding="utf-8")
    spec = load_experiment(path, root=CORPUS / "project").spec
    assert spec.design.treatment.arms["call"].unit_cost == 0.001


def test_huge_exponents_are_refused_and_not_computed(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN.replace("share: 1/2", "share: 1e-999999999"), encoding="utf-8")
    start = time.perf_counter()
    with pytest.raises(PlanError, match="not a share"):
        load_experiment(path, root=CORPUS / "project")
    assert time.perf_counter() - start < 2


def test_all_errors_come_at_once_and_in_the_order_of_the_file(tmp_path: Path) -> None:
    mistakes = [
        ("owner: team@example.com", "owner:"),
        ("filter: tenure >= 3", "filter: open(1)"),
        ("control: none", "control: nobody"),
        ("capacity: 100", "capacity: 100, capacity: 9"),
        ("covariates: [tenure, tier]", "covariates: [tenure, arm]"),
        ("segments: [tier]", "segmnts: [tier]"),
        ("secondary: [happy]", "secondary: [hapy]"),
        (", margin: {absolute: 0.05}", ""),
        ("seed: 3", "seed: three"),
        ("srm: {on_breach", "smr: {on_breach"),
        ("metric: left_90d,", "metric: left_30d,"),
        ("population: 1000", "population: 1000, poplation: 2"),
    ]
    text = PLAN
    for old, new in mistakes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlanError) as caught:
        load_experiment(path, root=CORPUS / "project")
    problems = caught.value.problems
    codes = ["P202", "P319", "P301", "P107", "P311", "P201", "P309", "P206", "P204", "P210", "P201", "P313"]
    assert [problem.code for problem in problems] == codes
    lines = [int(problem.where.rsplit(":", 2)[1]) for problem in problems]
    assert lines == sorted(lines)


def test_messages_stay_on_one_line_and_short(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN + f'"\\e[31mred": 1\n"two\\nlines{"x" * 900}": 1\n', encoding="utf-8")
    with pytest.raises(PlanError) as caught:
        load_experiment(path, root=CORPUS / "project")
    lines = [str(problem) for problem in caught.value.problems]
    assert {problem.code for problem in caught.value.problems} == {"P106", "P201"}
    assert all(line.isprintable() and len(line) < 1200 for line in lines)


def _mutated(draw: random.Random) -> bytes:
    """Return the plan with a few things broken at random."""
    lines = PLAN.splitlines()
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(lines))
        lines = draw.choice((_drop, _double, _typo, _swap, _indent, _sign))(lines, at, draw)
    text = ("\n".join(lines) + "\n").encode()
    if draw.random() < 0.2:
        spot = draw.randrange(len(text))
        text = text[:spot] + bytes(draw.randrange(256) for _ in range(draw.randint(1, 4))) + text[spot + 1 :]
    return text


def _drop(lines: list[str], at: int, _: random.Random) -> list[str]:
    return lines[:at] + lines[at + 1 :] or [""]


def _double(lines: list[str], at: int, _: random.Random) -> list[str]:
    return [*lines[:at], lines[at], *lines[at:]]


def _typo(lines: list[str], at: int, draw: random.Random) -> list[str]:
    spot = draw.randrange(len(lines[at]) + 1)
    return [*lines[:at], lines[at][:spot] + draw.choice("abcxyz_ ") + lines[at][spot + 1 :], *lines[at + 1 :]]


def _swap(lines: list[str], at: int, draw: random.Random) -> list[str]:
    head, colon, _ = lines[at].partition(": ")
    return [*lines[:at], f"{head}{colon}{draw.choice(SWAPS)}", *lines[at + 1 :]]


def _indent(lines: list[str], at: int, draw: random.Random) -> list[str]:
    return [*lines[:at], " " * draw.randint(0, 6) + lines[at].lstrip(), *lines[at + 1 :]]


def _sign(lines: list[str], at: int, draw: random.Random) -> list[str]:
    spot = draw.randrange(len(lines[at]) + 1)
    return [*lines[:at], lines[at][:spot] + draw.choice("{}[],:&*!|>'\"%@`#?-\t") + lines[at][spot:], *lines[at + 1 :]]


def _outcomes(path: Path, draw: random.Random) -> Iterator[str]:
    for _ in range(FUZZED):
        path.write_bytes(_mutated(draw))
        start = time.perf_counter()
        try:
            load_experiment(path, root=CORPUS / "project")
        except PlanError as error:
            told = all(problem.mend and problem.code.startswith("P") for problem in error.problems)
            yield "refused" if told else "refused without a mend"
        else:
            yield "valid"
        assert time.perf_counter() - start < 2


def test_no_plan_brings_a_traceback(tmp_path: Path) -> None:
    outcomes = list(_outcomes(tmp_path / "plan.yaml", random.Random(20261122)))  # noqa: S311 - not for secrets
    assert len(outcomes) == FUZZED
    assert set(outcomes) == {"refused", "valid"}
    assert outcomes.count("refused") > FUZZED / 2
