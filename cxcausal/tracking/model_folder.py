"""A run's model as files: effect model, policy, card and what MLflow loads it by, vouched for by one list of hashes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from cxcausal.core.canonical import canonical_json
from cxcausal.core.errors import IntegrityError, Problem
from cxcausal.core.model_facts import MODEL_SCHEMA, ModelFacts
from cxcausal.core.stored import record_from
from cxcausal.tracking.files import machine_error, sha256_file, write_atomic
from cxcausal.tracking.model_card import card_of
from cxcausal.tracking.model_parts import EffectModel, Modifier, PolicyModel, effect_model_in, policy_model_of

MODEL = "model"
MODEL_FILE = f"{MODEL}/model.json"
"""In a run's folder."""
EFFECTS, POLICY, CARD, FACTS = "effects", "policy.json", "card.md", "model.json"
NOTE = "registered_model_meta"
"""MLflow writes the name and version by which a model was loaded beside it, also where it keeps it."""
_MEND = "restore the run's folder from a copy, or run the analysis again"


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A modifier as the model looks at it; `levels` are all texts that it knows."""

    name: str
    kind: str
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SavedModel:
    """A model on disk whose files are those that were written.

    Attributes:
        folder: where it lies. facts: what stands beside it. modifiers: what it looks at, in its own order.
    """

    folder: Path
    facts: ModelFacts
    modifiers: tuple[Looked, ...]

    @property
    def known(self) -> dict[str, frozenset[str]]:
        """Return the texts of every text modifier that the model has seen among ten customers or more."""
        seen = {one.modifier: one.levels for one in self.facts.baselines}
        texts = (one for one in self.modifiers if one.kind == "text")
        return {one.name: frozenset((*one.levels, *seen.get(one.name, ()))) for one in texts}

    def effects(self) -> EffectModel:
        """Return the effect model."""
        return effect_model_in(self.folder / EFFECTS)

    def policy(self) -> PolicyModel:
        """Return the policy."""
        return policy_model_of(json.loads((self.folder / POLICY).read_bytes()))


def save_model(folder: Path, effect_model: EffectModel, policy_model: PolicyModel, facts: ModelFacts) -> None:
    """Write the model of a run; to be called before the run is recorded, so that its manifest lists these files.

    Whatever an attempt before left there is removed. `model.json` comes last: without it there is no model.

    Args:
        folder: `<run directory>/model`.
        effect_model: predicts gains (`heterogeneity.effect_model`).
        policy_model: decides upon them (`policy.rule`).
        facts: of `core.model_facts.model_facts`.

    Raises:
        MachineError: the disk refuses.
    """
    from cxcausal.tracking.model_flavor import write_flavor  # noqa: PLC0415 - imports MLflow

    modifiers = tuple(_looked(one) for one in effect_model.modifiers)
    rmtree(folder, ignore_errors=True)
    try:
        (folder / EFFECTS).mkdir(parents=True, mode=0o700)
        effect_model.write(folder / EFFECTS)
        write_atomic(folder / POLICY, canonical_json(policy_model.to_dict()))
        write_atomic(folder / CARD, card_of(facts, tuple(one.name for one in modifiers)).encode())
        write_flavor(folder, facts, modifiers)
        files = {name: sha256_file(folder / name) for name in _files(folder)}
        content = {"schema": MODEL_SCHEMA, "facts": facts, "modifiers": modifiers, "files": files}
        write_atomic(folder / FACTS, canonical_json(content))
    except OSError as error:
        raise machine_error(folder, "write", error) from error


def _looked(one: Modifier) -> Looked:
    levels = dict.fromkeys(level for level in (*one.levels, one.base) if level)
    return Looked(name=one.name, kind=one.kind, levels=tuple(levels))


def read_model(folder: Path) -> SavedModel:
    """Return a model after a check of every file against the hashes that were written with it.

    Raises:
        IntegrityError: a file is missing, changed or not listed; or the model is of a newer version.
    """
    content = _content(folder)
    if content["schema"] != MODEL_SCHEMA:
        what = f"the model is of version {content['schema']!r}, and this version of cxcausal reads {MODEL_SCHEMA}"
        raise IntegrityError(_problem(folder, FACTS, "I641", what, "use the version of cxcausal that wrote it"))
    listed, present = content["files"], set(_files(folder))
    problems = [
        _problem(folder, name, "I640", "is missing" if name not in present else "is not the file that was written")
        for name, digest in listed.items()
        if name not in present or sha256_file(folder / name) != digest
    ]
    problems += [_problem(folder, name, "I640", "was added later") for name in sorted(present - set(listed))]
    if problems:
        raise IntegrityError(problems)
    return SavedModel(
        folder=folder,
        facts=record_from(ModelFacts, content["facts"]),
        modifiers=tuple(record_from(Looked, one) for one in content["modifiers"]),
    )


def model_files(directory: Path) -> tuple[str, ...]:
    """Return the files of a run's model by their path from the run's folder; none where it has no model."""
    if not (directory / MODEL_FILE).is_file():
        return ()
    return (*(f"{MODEL}/{name}" for name in _files(directory / MODEL)), MODEL_FILE)


def facts_in(directory: Path) -> ModelFacts | None:
    """Return the facts of a run's model, of which the run's manifest has just vouched; None where it has none."""
    if not (directory / MODEL_FILE).is_file():
        return None
    return record_from(ModelFacts, _content(directory / MODEL)["facts"])


def _content(folder: Path) -> Mapping[str, Any]:
    try:
        content: Mapping[str, Any] = json.loads((folder / FACTS).read_bytes())
        if {"schema", "facts", "modifiers", "files"} <= set(content):
            return content
    except (OSError, ValueError):
        pass
    raise IntegrityError(_problem(folder, FACTS, "I640", "is missing or damaged"))


def _files(folder: Path) -> tuple[str, ...]:
    """Return every file below a folder but the list of them, and the note that MLflow leaves where it loads one."""
    paths = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())
    return tuple(path for path in paths if path not in {FACTS, NOTE})


def _problem(folder: Path, name: str, code: str, what: str, mend: str = _MEND) -> Problem:
    run = folder.parent
    return Problem(where=f"{run.parent.name}/{run.name}/{MODEL}/{name}", code=code, what=what, mend=mend)
