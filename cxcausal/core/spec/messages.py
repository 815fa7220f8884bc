"""Schema errors in plain words: what pydantic found becomes findings with a code, a mend and "did you mean"."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal, get_args, get_origin
from unicodedata import normalize

from pydantic import BaseModel, ValidationError

from cxcausal.core.spec.keys import EXAMPLES
from cxcausal.core.spec.nodes import Finding, Path, dotted
from cxcausal.core.spec.scalars import shown

_KIND_ERRORS: Mapping[str, tuple[str, str]] = {
    "model_type": ("a map is wanted here", "write keys and values, or {} for none"),
    "model_attributes_type": ("a map is wanted here", "write keys and values, or {} for none"),
    "dict_type": ("a map is wanted here", "write keys and values, or {} for none"),
    "tuple_type": ("a list is wanted here", "put it in brackets"),
    "list_type": ("a list is wanted here", "put it in brackets"),
    "string_type": ("a text is wanted here", "write one text"),
    "too_long": ("there are too many entries", "write a pair of arms, such as [gig, agent]"),
}
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa"})
_LIMITS = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def findings_of(error: ValidationError, model: Any, path: Path) -> tuple[Finding, ...]:  # noqa: ANN401 - any annotation
    """Return what pydantic refused, in plain words.

    Args:
        error: pydantic's complaints about a value that should be a `model`.
        model: the annotation that was validated, from which the allowed keys are known.
        path: where that value stands in the plan.
    """
    return tuple(_finding(dict(item), model, path) for item in error.errors(include_url=False))


def suggestion(word: str, names: Iterable[str]) -> str:
    """Return a mend that names the closest of the allowed words, or all of them.

    Example:
        >>> suggestion("metrcs", ["metrics", "data"])
        "did you mean 'metrics'?"
    """
    known = list(dict.fromkeys(names))
    lowered = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{lowered[close[0]]}'?"
    return f"use one of: {', '.join(known)}" if known else "remove it"


def plain_name(text: str) -> str:
    """Return a text as a name of lower-case letters, digits and dashes; an example where nothing of it can stay.

    Example:
        >>> plain_name("Kündigung in 90 Tagen"), plain_name("Café"), plain_name("呼び出し")
        ('kuendigung-in-90-tagen', 'cafe', 'callback-2026')
    """
    spelled = text.lower().translate(_SPELLED)
    plain = normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", plain))[:64].rstrip("-") or "callback-2026"


def homes_of(key: str, model: Any, above: Path = ()) -> tuple[str, ...]:  # noqa: ANN401 - any annotation
    """Return the dotted paths of the maps in which a type has a key, those of lists and free maps left out."""
    found: list[str] = []
    for kind in _options(model):
        for name, field in kind.model_fields.items() if _is_model(kind) else ():
            found.extend([dotted(above)] if name == key and above else [])
            found.extend(homes_of(key, field.annotation, (*above, name)))
    return tuple(dict.fromkeys(found))


def keys_at(kind: Any, path: Path) -> tuple[str, ...]:  # noqa: ANN401 - any annotation
    """Return the keys that a map at a path of an annotated type may have; none where they are free."""
    kinds = _options(kind)
    for step in path:
        kinds = [option for item in kinds for option in _below(item, step)]
    return tuple(name for item in kinds if _is_model(item) for name in item.model_fields)


def _is_model(kind: Any) -> bool:  # noqa: ANN401 - see keys_at
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _options(kind: Any) -> list[Any]:  # noqa: ANN401 - see keys_at
    """Unwrap Annotated, optional and union types."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _options(get_args(kind)[0])
    if origin is None or origin in {dict, tuple}:
        return [kind]
    return [option for item in get_args(kind) for option in _options(item)]


def _below(kind: Any, step: str | int) -> list[Any]:  # noqa: ANN401 - see keys_at
    """Return the types that may stand at one step below a type."""
    if _is_model(kind):
        field = kind.model_fields.get(step)
        return _options(field.annotation) if field is not None else []
    if get_origin(kind) is dict:
        return _options(get_args(kind)[1])
    return _options(get_args(kind)[0]) if get_origin(kind) is tuple else []


def _finding(item: dict[str, Any], model: Any, path: Path) -> Finding:  # noqa: ANN401 - see keys_at
    inner: Path = tuple(step for step in item["loc"] if step != "[key]")
    full = (*path, *inner)
    kind = item["type"]
    if kind == "extra_forbidden":
        return _unknown(full, item["input"], keys_at(model, inner[:-1]))
    if kind == "missing":
        return _missing(full)
    code, what, mend = _words(kind, item, full)
    at: Literal["key", "value"] = "key" if "[key]" in item["loc"] else "value"
    return Finding(path=full, code=code, what=f"{_named(full)}{what}", mend=mend, at=at)


def _named(path: Path) -> str:
    """Return the key that a message is about, with its place in lists."""
    keys = [at for at, step in enumerate(path) if isinstance(step, str)]
    return f"{dotted(path[keys[-1] :])}: " if keys else ""


def _unknown(path: Path, value: Any, allowed: tuple[str, ...]) -> Finding:  # noqa: ANN401 - whatever was written
    key, above = str(path[-1]), dotted(path[:-1])
    mend = suggestion(key, allowed)
    if value is None:
        mend = f"{mend}; text that holds a comma needs quotes"
    where = f" in {above}" if above else ""
    return Finding(path=path, code="P201", what=f"unknown key '{key}'{where}", mend=mend, at="key")


def _missing(path: Path) -> Finding:
    if isinstance(path[-1], int):
        what = f"{_named(path[:-1])}a pair is wanted"
        return Finding(path=path[:-1], code="P203", what=what, mend="write two arms, such as [gig, agent]")
    return missing(path)


def missing(path: Path) -> Finding:
    """Return the finding that a required key is not there, with an example of it."""
    key, above = str(path[-1]), dotted(path[:-1])
    where = f" in {above}" if above else ""
    mend = f"add it, such as `{key}: {EXAMPLES.get(key, '…')}`"
    return Finding(path=path, code="P202", what=f"'{key}' is missing{where}", mend=mend)


def _words(kind: str, item: dict[str, Any], path: Path) -> tuple[str, str, str]:
    """Return code, what and mend of a value that is not as wanted."""
    context, value = item.get("ctx", {}), item["input"]
    if kind in _KIND_ERRORS:
        what, mend = _KIND_ERRORS[kind]
        example = EXAMPLES.get(str(path[-1])) if path else None
        return "P203", what, f"{mend.partition(',')[0]}, such as `{path[-1]}: {example}`" if example else mend
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", context["expected"]) or [context["expected"]]
        return "P205", f"{shown(value)} is not one of the values it can have", suggestion(str(value), allowed)
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        return "P204", f"{shown(value)} is out of range", f"write a number {words} {context[name]:g}"
    if kind == "string_pattern_mismatch":
        mend = f"use lower-case letters, digits, '-', '_' and '.', at most 64, such as {plain_name(str(value))}"
        return "P204", f"{shown(value)} is not a plain name", mend
    if kind == "too_short":
        return "P204", "at least one entry is needed", "add one"
    what, _, mend = item["msg"].removeprefix("Value error, ").rpartition("; ")
    return ("P204", what, mend) if what else ("P204", mend, "see `cxcausal schema`")
