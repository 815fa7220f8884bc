"""The page about gates names the checks, with the options and defaults that they have."""

import dataclasses
import re
from pathlib import Path

from cxcausal.core.registry import Registry
from cxcausal.designs.observational import Observational

PAGE = (Path(__file__).resolve().parents[2] / "docs/gates.md").read_text(encoding="utf-8")


def _shown(value: object) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value)


def test_the_gates_on_the_page_are_those_that_run() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.*?) \|", PAGE, re.MULTILINE)
    told = {name: {"on_breach": breach, **dict(re.findall(r"`(\w+): ([^`]+)`", rest))} for name, breach, rest in rows}
    actual = {
        name: {field.name: _shown(field.default) for field in dataclasses.fields(kind) if field.init}
        for name, kind in ((name, Registry(kind="checks").load(name)) for name in told)
    }
    assert told == actual
    assert set(told) <= set(Observational.checks)
    assert len(told) >= 7
