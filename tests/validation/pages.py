"""V20 as a bar: over every situation that a report can tell, the figures that don't come from a named key."""

import re
from collections.abc import Iterator

from cxcausal.report.text import FIXED_PHRASES
from tests.report.situations import SITUATIONS
from tests.report.test_numbers import agrees, page_of, quoted, recomputed
from tests.validation.engine import Row


def v20(reps: int | None = None) -> Iterator[Row]:
    """Print nothing but what stands at a named key of the result."""
    for name in list(SITUATIONS)[:reps]:
        page, tree = page_of(name)
        wrong = sum(not agrees(mark, recomputed(tree, mark.attributes["data-key"])) for mark in page.numbers)
        wrong += sum(not quoted(tree, mark) for mark in page.quotes)
        stray = _stray_digits(page.rest)
        yield Row(
            bar="V20",
            setting=f"report: {name.replace('_', ' ')}",
            target="0 stray, 0 wrong",
            measured=f"{len(page.numbers):,} numbers, {len(page.quotes):,} quotes: {stray} stray, {wrong} wrong",
            reps=1,
            passed=stray + wrong == 0,
        )


def _stray_digits(texts: list[str]) -> int:
    rest = "\n".join(texts)
    for phrase in FIXED_PHRASES:
        rest = rest.replace(phrase, "")
    return len(re.findall(r"\d", rest))
