"""The page of the benchmarks: sections written one by one, goals told truthfully, tasks that neither hang nor hide."""

import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import apart as apart_module
from benchmarks.apart import apart
from benchmarks.goals import Goal, faster, table, times
from benchmarks.refutation import TASKS as REFUTERS
from benchmarks.refutation import section as refutation_section
from benchmarks.scores import disagreements
from benchmarks.scores import section as scores_section
from benchmarks.sections import parts, put
from benchmarks.uplift import NAIVE
from benchmarks.uplift import section as uplift_section
from benchmarks.uplift_peers import ELSEWHERE, PEERS
from benchmarks.uplift_score import BARE, SCORE
from benchmarks.uplift_tasks import QINI, STAGE


def _took(seconds: float, used: float | None = None) -> dict[str, float]:
    return {"seconds": seconds, "used": seconds if used is None else used}


def _scores(**changed: Any) -> dict[tuple[str, int], Any]:
    base: dict[str, Any] = {**_took(2.0), "peak_mib": 500.0, "point": 0.3, "se": 0.01}
    whole = {**base, **_took(3.0)}
    ours = {**base, "peak_mib": 250.0, **changed}
    tasks: dict[str, Any] = {"AIPW by hand": base, "cxcausal": ours, "EconML LinearDRLearner": base}
    tasks |= {"cxcausal, 2 metrics, 3 populations, 10 segments, sensitivity": whole, "DoubleML IRM": None}
    return {(name, 1_000): each for name, each in tasks.items()}


def test_every_program_writes_its_own_section_and_leaves_the_others(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\nAn old page without marks.\n", encoding="utf-8")
    put("## Uplift\n", "uplift", page)
    put("## Scores\n", "scores", page)
    put("# Page\n\nNew.\n", None, page)
    put("## Scores\n\nAgain.\n", "scores", page)
    told = page.read_text(encoding="utf-8")
    assert parts(told) == {None: "# Page\n\nNew.\n", "scores": "## Scores\n\nAgain.\n", "uplift": "## Uplift\n"}
    assert told.index("## Scores") < told.index("## Uplift")


@pytest.mark.parametrize(
    ("clock", "processor", "told"),
    [(1.0, 1.0, "met"), (1.2, 1.0, "by the processor only"), (1.0, 1.2, "by the clock only"), (2, 2, "**not met**")],
)
def test_a_goal_is_met_only_where_both_clocks_say_so(clock: float, processor: float, told: str) -> None:
    found = times("", 1, _took(clock, processor), _took(1.0), 1.1)
    assert found.met == told


def test_goals_that_ask_for_more_are_turned_round() -> None:
    assert faster("", 1, _took(1.0), _took(20.0), 20).met == "met"
    assert faster("", 1, _took(1.0), _took(19.0, 21.0), 20).met == "by the processor only"
    assert Goal(name="", rows=1, clock=1.4, processor=None, bar=1.3).met == "**not met**"
    *_, line = table([faster("speed", 1_000, _took(1.0), _took(20.0), 20)])
    assert line == "| speed | 1,000 | 20 | 20 | ≥ 20 | met |"


def test_scores_tell_goals_and_what_was_stopped() -> None:
    told = scores_section(_scores())
    assert "| one effect, times AIPW by hand | 1,000 | 1 | 1 | ≤ 1.1 | met |" in told
    assert "| peak memory, times EconML's | 1,000 | 0.5 |  | ≤ 0.6 | met |" in told
    assert "| DoubleML IRM | 1,000 | stopped: it took too long |" in told
    assert "**not met**" in scores_section(_scores(**_took(2.3)))


def test_effects_that_disagree_are_found() -> None:
    assert disagreements(_scores()) == ()
    assert len(disagreements(_scores(point=0.35))) == 1


def test_refutation_compares_equal_numbers_of_simulations() -> None:
    three = {name: _took(10.0) for name in ("placebo", "common cause", "subset")}
    linear = {"shared cross-products": _took(0.1), **{name: _took(0.1) for name in three}}
    boosted = {
        "AIPW fit": _took(2.0),
        "sensitivity": _took(0.5),
        "refutation": _took(4.0),
        "the effect again": _took(0.01),
    }
    told = refutation_section(1_000, dict(zip(REFUTERS, (linear, three, boosted, three), strict=True)))
    assert "| linear refuters, times faster than DoWhy's | 1,000 | 75 | 75 | ≥ 50 | met |" in told
    assert "| boosted refutation and sensitivity, times one AIPW fit | 1,000 | 2.25 | 2.25 | ≤ 4 | met |" in told
    assert "| the same, times faster than DoWhy's three | 1,000 | 6.67 | 6.67 | ≥ 20 | **not met** |" in told
    stopped = refutation_section(1_000, dict(zip(REFUTERS, (linear, {}, boosted, {}), strict=True)))
    assert "took too long: dowhy, dowhy boosted" in stopped
    assert "DoWhy's" not in stopped.split("| goal |")[1]


def test_uplift_tells_goals_peers_and_what_scoring_holds() -> None:
    each = {"fit": _took(2.0), "predict": _took(1.0), "peak_mib": 500.0}
    names = [*BARE.values(), *SCORE.values(), STAGE, QINI, *PEERS]
    found = {(name, rows): {**each, "peak_mib": 400 + rows / 2**12} for rows in (2**10, 2**12) for name in names}
    found |= {(NAIVE, rows): {"fit": _took(48.0), "peak_mib": 500.0} for rows in (2**10, 2**12)}
    told = uplift_section(found)
    assert "| whole stage, times one fit of EconML's DR learner | 1,024 | 1 | 1 | ≤ 2.5 | met |" in told
    assert "| Qini with its interval, times faster than naive | 1,024 | 24 | 24 | ≥ 20 | met |" in told
    assert "| `score`, throughput of its model of trees | 1,024 | 1 | 1 | ≥ 0.7 | met |" in told
    assert "| `score` by planes, more bytes per more customer | 4,096 | 256 |  | ≤ 250 | **not met** |" in told
    assert "not installed" not in told
    alone = {key: value for key, value in found.items() if key[0] not in ELSEWHERE}
    assert "not installed" in uplift_section(alone)


def test_a_task_that_takes_too_long_is_stopped_and_one_that_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(apart_module, "ROOT", tmp_path)
    (tmp_path / "slow.py").write_text("import time; time.sleep(30)", encoding="utf-8")
    (tmp_path / "wrong.py").write_text("raise ValueError('on purpose')", encoding="utf-8")
    (tmp_path / "right.py").write_text(
        "import json, sys; print('x'); print(json.dumps({'asked': sys.argv[1:]}))", encoding="utf-8"
    )
    assert apart("slow", limit=1.0) is None
    assert apart("right", "a task", 5, python=sys.executable) == {"asked": ["a task", "5"]}
    with pytest.raises(SystemExit, match="on purpose"):
        apart("wrong")
    assert "stopped after" in capsys.readouterr().err
