"""What the ledger adds to page one: amendments after results were seen, who approved, and what was decided."""

from collections.abc import Iterator

from cxcausal.report.facts import CLIP, Facts
from cxcausal.report.keys import path
from cxcausal.report.sentences.words import sentence
from cxcausal.report.text import Piece, Sentence

_UNTOLD = "no reason was given"


def record_reasons(facts: Facts) -> Iterator[Sentence]:
    """Yield what speaks against taking the plan as made before the data, though it was registered."""
    record = facts.result.record
    if record is None:
        return
    for index, amendment in enumerate(record.amendments):
        if amendment.seen:
            why = facts.quote(path("record", "amendments", index, "why_seen"))
            yield (*amended(facts, index), ", ", why, ": ", *changed_keys(facts, index), ".")
    if record.after_cut:
        yield (
            "The data end on ",
            facts.date("data.data_cut"),
            ", before the plan was registered on ",
            facts.quote("record.registered_on"),
            ": dates alone do not show that the plan came first.",
        )


def once_sentence(facts: Facts) -> Sentence | None:
    """Return that a plan that was to be read once was read more often; None where it was not."""
    record, movement = facts.result.record, facts.result.movement
    if record is None or record.readings == 1 or facts.result.reading is not None:
        return None
    if movement is not None and movement.looks is not None:
        return (facts.quote("movement.looks.sentence"),)
    return (
        "This is reading ",
        facts.number("record.readings"),
        " of an experiment that was planned to be read once: who reads until the answer is good finds one by chance.",
    )


def earlier_sentences(facts: Facts, most: int = 3) -> Iterator[Sentence]:
    """Yield from where else the data were read, and what analyses before this one found, the newest few of them."""
    record = facts.result.record
    if record is None:
        return
    if facts.has_accepted:
        yield ("Data or a plan that would have been refused were accepted: “", facts.quote("movement.accepted"), "”.")
    if record.read_on is not None:
        yield ("The data were read from ", facts.quote("record.read_on", clip=CLIP), ", not from where the plan says.")
    for index in range(max(0, len(record.earlier) - most), len(record.earlier)):
        place = ("record", "earlier", index)
        by: Sentence = (" on ", facts.date(path(*place, "on")), " by ", facts.quote(path(*place, "by")))
        found: Sentence = (facts.quote(path(*place, "verdict")), *by, ".")
        if record.earlier[index].experiment is None:
            yield ("An earlier analysis, of other data or by another plan: ", *found)
        else:
            name = facts.quote(path(*place, "experiment"))
            yield ("The same data were analysed before as “", name, "”: ", *found)
    if len(record.earlier) > most:
        yield ("More analyses came before these: `cxcausal audit log` has them all.",)


def amended(facts: Facts, index: int) -> Sentence:
    """Return `Amended on 2026-11-02 by ann@example.com (a wrong column)`."""
    place = ("record", "amendments", index)
    reason = path(*place, "reason")
    why: Piece = facts.quote(reason) if facts.has(reason) else _UNTOLD
    return ("Amended on ", facts.date(path(*place, "on")), " by ", facts.quote(path(*place, "by")), " (", why, ")")


def changed_keys(facts: Facts, index: int, most: int = 4) -> Sentence:
    """Return the dotted keys that an amendment changed, the first few of them."""
    record = facts.result.record
    changes = () if record is None else record.amendments[index].changes
    told: list[Piece] = []
    for place in range(min(len(changes), most)):
        told += [", "] if place else []
        told.append(facts.quote(path("record", "amendments", index, "changes", place, "key")))
    return (*told, " and more") if len(changes) > most else tuple(told)


def signature_terms(facts: Facts) -> Iterator[tuple[Sentence, Sentence]]:
    """Yield who approved this run, and what was decided; a decision without an approval says so."""
    record = facts.result.record
    if record is None:
        return
    for index in range(len(record.approvals)):
        place = ("record", "approvals", index)
        yield ("Approved",), ("by ", facts.quote(path(*place, "by")), " on ", facts.date(path(*place, "on")))
    ruling = record.ruling
    if ruling is None:
        return
    if not record.approvals:
        yield ("Not approved",), ("This was decided without the approval of anyone whom the plan names for it.",)
    yield ("Decided",), _decided(facts, against=ruling.against)


def _decided(facts: Facts, *, against: bool) -> Sentence:
    """Return what was decided, by whom, when, why, and whether it goes against the rule."""
    words: list[Piece] = [
        facts.quote("record.ruling.decision"),
        ", by ",
        facts.quote("record.ruling.by"),
        " on ",
        facts.date("record.ruling.on"),
    ]
    if against:
        words += [", against the rule's verdict (", facts.quote("record.ruling.verdict"), ")"]
    if facts.has("record.ruling.reason"):
        words += [": ", facts.quote("record.ruling.reason")]
    return sentence(*words)
