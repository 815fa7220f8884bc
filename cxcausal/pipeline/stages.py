"""Stages that know what they were computed from, so that a run that was stopped goes on where it was."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache
from typing import Any, TypeVar, cast

from cxcausal.core import answers, entry, queries, results, score_answers, score_facts, score_queries, whom
from cxcausal.core.answers import Answer
from cxcausal.core.canonical import sha256_of
from cxcausal.core.exact_json import NotExact, from_json, to_json
from cxcausal.core.protocols import Answering, Answers, StageMemory, StageStore
from cxcausal.core.queries import Query
from cxcausal.decision import verdict

Made = TypeVar("Made")
MOST_BYTES = 1 << 20
"""Of the arrays of one answer; a larger one is not kept: asking again costs about as much as writing it down."""
_ANSWERS = "answers"


class Stages:
    """The stages of one run, in their order.

    The key of a stage is a hash of what the run is computed from, of all stages before and of its own name. A stage of
    the memory is taken if it has the very key and its content the hash that was noted with it; else it is made.
    """

    def __init__(self, store: StageStore, base: str | None = None, memory: StageMemory | None = None) -> None:
        """Begin before the first stage.

        Args:
            store: where each stage's result is written as soon as it exists.
            base: hash of everything that the numbers depend on; None where nobody knows it, and nothing is reused.
            memory: what an earlier attempt left.
        """
        self._store, self._base, self._memory = store, base, memory if base is not None else None
        self._before: list[str] = []

    def made(self, stage: str, make: Callable[[], Made], *, also: object = None, anew: bool = False) -> Made:
        """Return a stage's result, from the memory or made now and saved.

        Args:
            stage: its name.
            make: makes it.
            also: what else it depends on.
            anew: make it in any case, where more comes of it than its result.
        """
        key = self._key(stage, also)
        known = None if anew else self._known(stage, key, lambda held: (from_json(held, kinds()), sha256_of(held)))
        if known is not None:
            self._before.append(known[1])
            return cast("Made", known[0])
        value = make()
        holds = to_json(value)
        digest = sha256_of(holds)
        self._before.append(digest)
        self._store.save(stage, {"computed_from": key, "sha256": digest, "holds": holds})
        return value

    def answers(self, dataset: Answering, asked: Sequence[Query]) -> Answers:
        """Return the answers to queries, of which only those are asked that are not known.

        They are kept only until the run is recorded, and never among its results. Sums within clusters are not kept at
        all: there is one row per cluster, and a cluster may be one person.
        """
        key = self._key(_ANSWERS, [[type(query).__name__, query] for query in asked])
        self._before.append(key)
        known = self._kept(key)
        found: dict[Query, Any] = {asked[at]: answer for at, answer in known.items()}
        missing = tuple(query for query in asked if query not in found)
        if missing:
            found |= dataset.answer(missing)
        if not known and self._memory is not None:
            kept = json.dumps(
                [[at, told] for at, query in enumerate(asked) if (told := _told(found[query])) is not None]
            )
            self._memory.keep(_ANSWERS, {"computed_from": key, "sha256": sha256_of(kept), "holds": kept})
        return {query: found[query] for query in asked}

    def _kept(self, key: str) -> Mapping[int, Answer]:
        """Return the answers that are kept, by the place of their query."""
        return (
            self._known(_ANSWERS, key, lambda held: {at: from_json(told, kinds()) for at, told in json.loads(held)})
            or {}
        )

    def _key(self, stage: str, also: object) -> str:
        return sha256_of([self._base, stage, also, self._before])

    def _known(self, stage: str, key: str, read: Callable[[Any], Made]) -> Made | None:
        """Return what the memory holds of a stage, where it was computed from the very same and is whole."""
        content = None if self._memory is None else self._memory.load(stage)
        if content is None or content.get("computed_from") != key:
            return None
        try:
            return read(content["holds"]) if sha256_of(content["holds"]) == content["sha256"] else None
        except (KeyError, TypeError, ValueError):
            return None


def _told(answer: Answer) -> Any:  # noqa: ANN401 - JSON
    """Return an answer as JSON; None where it would not come back exactly, is a row per cluster, or is large."""
    try:
        return to_json(answer, most_bytes=MOST_BYTES)
    except NotExact:
        return None


@cache
def kinds() -> Mapping[str, type]:
    """Return every record that a stage's result is made of, by its name."""
    modules = (answers, entry, queries, results, score_answers, score_facts, score_queries, verdict, whom)
    found = (item for module in modules for item in vars(module).values())
    return {item.__name__: item for item in found if isinstance(item, type) and is_dataclass(item)}
