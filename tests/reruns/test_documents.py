"""The page about reruns: its commands run."""

import re
import shlex

import yaml

from tests.e2e.project import ROOT, Project, customers

PAGE = (ROOT / "docs/reruns.md").read_text(encoding="utf-8")


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def test_the_commands_of_the_page_run(project: Project) -> None:
    (kept,) = _blocks("yaml")
    project.plan(**yaml.safe_load(kept))
    project.data(customers())
    project.data(customers(2200), "data/fresh.csv")
    project.data(customers(prefix="LATER"), "data/after.csv")
    lines = [shlex.split(line) for block in _blocks("sh") for line in block.splitlines()]
    assert len(lines) == 4
    for words in lines:
        assert words[0] == "cxcausal"
        done = project.cx(*words[1:])
        assert done.code == 0, done.err
