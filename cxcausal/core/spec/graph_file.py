"""The causal graph of a plan, from the file that it names or as written out: its content becomes part of the plan."""

from dataclasses import dataclass
from pathlib import Path

from cxcausal.core.dot import MAX_SIGNS, read_dot
from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.personal import names_somebody
from cxcausal.core.spec.nodes import Node, Place, find, with_child
from cxcausal.core.spec.project import shown_path

_PATH = ("design", "graph")
_MAX_BYTES = 2 * MAX_SIGNS


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A plan's tree with its graph copied in, and what was wrong or should be known."""

    node: Node
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def with_graph(merged: Node, root: Path) -> Drawn:
    """Put the graph's own text, in its one order, where the plan names its file.

    A file that isn't there leaves its path: the plan can be written before the graph, and no effect counts as
    identified until it is drawn.
    """
    written = find(merged, _PATH)
    if written is None or not isinstance(written.value, str) or not written.value.strip():
        return Drawn(node=merged)
    if "{" in written.value:
        return _read(merged, written, written.value, None)
    try:
        path = _confined(written.value, root)
        if not path.exists():
            note = f"The graph '{written.value}' is not there: until it is, no effect counts as identified."
            return Drawn(node=merged, notes=(note,))
        return _read(merged, written, _text_of(path), shown_path(path, root))
    except (ValueError, OSError) as error:
        what, _, mend = str(error).rpartition("; ") if isinstance(error, _RefusedError) else _of_machine(error)
        return Drawn(node=merged, problems=(Problem(where=str(written.place), code="P360", what=what, mend=mend),))


class _RefusedError(ValueError):
    """Why a graph's file is not read, and how to mend it, with a semicolon between."""


def _confined(written: str, root: Path) -> Path:
    if names_somebody(written):
        raise _RefusedError(
            "the name of the graph's file holds an e-mail address or a telephone number; rename the file"
        )
    path = (root / written).resolve()
    if not path.is_relative_to(root.resolve()):
        raise _RefusedError(f"the graph '{written}' leaves the project; move it under the project, as graphs/churn.dot")
    return path


def _text_of(path: Path) -> str:
    if not path.is_file():
        raise _RefusedError(f"the graph '{path.name}' is no file; name a file, such as graphs/churn.dot")
    if path.stat().st_size > _MAX_BYTES:
        raise _RefusedError(
            f"the graph '{path.name}' has more than {_MAX_BYTES:,} bytes; draw what matters for the question"
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _RefusedError(f"the graph '{path.name}' is no text in UTF-8; save it as UTF-8") from error


def _of_machine(error: ValueError | OSError) -> tuple[str, str, str]:
    told = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
    return f"the graph can't be read ({told})", "", "name a file that you may read, such as graphs/churn.dot"


def _read(merged: Node, written: Node, text: str, shown: str | None) -> Drawn:
    """Read a graph; `shown` is its file, None where the plan itself draws it."""
    place = Place(file=shown) if shown is not None else written.place
    try:
        graph = read_dot(text, place.file)
    except PlanError as error:
        problems = error.problems if shown is not None else tuple(_inside(item, written) for item in error.problems)
        return Drawn(node=with_child(merged, _PATH, None), problems=problems)
    return Drawn(node=with_child(merged, _PATH, Node(value=graph.text, place=place, key=written.key)))


def _inside(problem: Problem, written: Node) -> Problem:
    """Return a problem of a graph that stands in the plan, at the place where that begins."""
    _, line, column = problem.where.rsplit(":", 2)
    what = f"{problem.what} (line {line}, sign {column} of the graph)"
    return Problem(where=str(written.place), code=problem.code, what=what, mend=problem.mend)
