"""What identification says in words: a sentence for whoever decides, and one for whoever checks it."""

from collections.abc import Iterator

from cxcausal.core.wording import listed
from cxcausal.identify.dag import HIDDEN
from cxcausal.identify.identified import Identified


def plainly(found: Identified, people: str = "customers") -> str:
    """Return one sentence for whoever decides; `people` is what the plan's units are called."""
    treatment, outcome = f"'{found.treatment}'", f"'{found.outcome}'"
    if found.valid and found.adjustment:
        alike = f"Among {people} alike in {_listed(found.adjustment)}"
        return f"{alike}, nothing else that the plan knows of moves both {treatment} and {outcome}."
    if found.valid:
        return f"Nothing moves both {treatment} and {outcome}, so nothing needs to be adjusted for."
    return f"What {treatment} does to {outcome} can't be told from this plan: {_reason(found)}."


def _reason(found: Identified) -> str:
    late = [control.name for control in found.bad_controls if control.why == "after_treatment"]
    if late:
        return f"it adjusts for {_listed(late)}, which '{found.treatment}' itself may have changed"
    opened = [control.name for control in found.bad_controls if control.why == "opens_path"]
    if opened:
        return f"adjusting for {_listed(opened)} makes the two look related where they are not"
    return _moved(found)


def _moved(found: Identified) -> str:
    """Return what moves both ends of the open path."""
    if found.open_path is None:
        return "two ways of reading the graph disagree about it"
    if found.outcome in found.movers:
        return f"'{found.outcome}' itself decides about '{found.treatment}'"
    if len(found.movers) > 1:
        return f"what it adjusts for links {_listed(found.movers)}, of which one moves each"
    mover = found.movers[0]
    if mover == HIDDEN:
        return "something that nobody recorded may move both"
    missing = "was never recorded" if mover in found.unrecorded else "is not adjusted for"
    return f"'{mover}' moves both, and {missing}"


def precisely(found: Identified) -> str:
    """Return what an analyst wants to know: the set, the path, the ways out."""
    return " ".join([*_verdict(found), *_beside(found)])


def beside(found: Identified) -> str:
    """Return what an analyst wants to know beside the verdict: other sets, instruments, what the graph leaves out."""
    return " ".join(_beside(found))


def _verdict(found: Identified) -> Iterator[str]:
    if found.valid and found.adjustment:
        yield f"By the graph, {_set(found.adjustment)} closes every path into '{found.treatment}'."
    elif found.valid:
        yield f"By the graph, no path into '{found.treatment}' is open."
    elif found.open_path is not None:
        yield f"With {_set(found.adjustment)}, this path stays open: {found.open_path}."
    for control in found.bad_controls:
        told = "comes after the treatment" if control.why == "after_treatment" else "opens a closed path"
        yield f"'{control.name}' {told}: {control.path}."


def _beside(found: Identified) -> Iterator[str]:
    if found.alternatives:
        sets = " or ".join(_set(names) for names in found.alternatives)
        yield f"{'Also enough' if found.valid else 'Enough would be'}: {sets}."
    elif not found.valid:
        yield "No set of recorded names closes every path."
    if found.instruments and not found.valid:
        yield f"An instrument could help, in an encouragement design: {listed(found.instruments)}."
    if found.without_effect:
        yield f"The graph draws no way from '{found.treatment}' to '{found.outcome}': it says there is no effect."
    if found.undrawn:
        yield f"Not in the graph, and taken for harmless: {listed(found.undrawn)}."


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return listed([name if name == HIDDEN else f"'{name}'" for name in names])


def _set(names: tuple[str, ...]) -> str:
    return f"{{{', '.join(names)}}}" if names else "no adjustment"
