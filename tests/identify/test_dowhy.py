"""Where DoWhy is worked around: if one of these changes, so can we."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dowhy.causal_identifier.auto_identifier import BackdoorAdjustment, identify_efficient_backdoor
from dowhy.graph import check_valid_backdoor_set, get_instruments
from networkx import DiGraph, NetworkXError

from cxcausal.core.dot import read_dot
from cxcausal.identify import by_dowhy
from cxcausal.identify.dag import dag_of

MEDIATED = [("t", "m"), ("m", "a"), ("m", "b"), ("a", "y"), ("b", "y"), ("c", "t"), ("c", "y"), ("z", "t")]
DAG = dag_of(read_dot("digraph { c -> {t y}; z -> t -> m -> {a b} -> y }"))


def test_it_takes_a_mediator_for_a_valid_back_door_set() -> None:
    assert check_valid_backdoor_set(DiGraph(MEDIATED), ["t"], ["y"], {"c", "m"})["is_dseparated"]
    assert by_dowhy.closes(DAG, "t", "y", ["c"])
    assert not by_dowhy.closes(DAG, "t", "y", ["c", "m"])


def test_its_fast_search_fails_where_two_paths_of_the_effect_begin_alike() -> None:
    graph = DiGraph(MEDIATED)
    with pytest.raises(NetworkXError, match="not in graph"):
        identify_efficient_backdoor(graph, ["t"], ["y"], list(graph), BackdoorAdjustment.BACKDOOR_MIN_EFFICIENT, None)
    assert by_dowhy.smallest_sets(DAG, "t", "y", DAG.nodes) == (("c",),)


def test_it_names_instruments_that_nobody_recorded_and_some_for_no_effect() -> None:
    assert set(get_instruments(DiGraph(MEDIATED), ["t"], ["y"])) == {"z"}
    assert by_dowhy.instruments(DAG, "t", "y", ["c", "z"]) == ("z",)
    assert by_dowhy.instruments(DAG, "t", "y", ["c"]) == ()
    assert get_instruments(DiGraph([("y", "t")]), ["t"], ["y"]) == ["y"]
    assert by_dowhy.instruments(dag_of(read_dot("digraph { y -> t }")), "t", "y", ["y"]) == ()


def test_it_says_nothing_where_its_plotting_library_has_no_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    asked = (
        "from cxcausal.core.dot import read_dot; from cxcausal.identify.identified import identify; "
        "print(identify(read_dot('digraph { c -> {t y}; t -> y }'), 't', ['y'])[0].adjustment)"
    )
    env = {**os.environ, "MPLCONFIGDIR": str(tmp_path / "file" / "below"), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", asked], env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "('c',)\n", "")
