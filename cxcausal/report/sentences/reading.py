"""Which of a plan's readings the page tells of."""

from collections.abc import Iterator

from cxcausal.report.facts import Facts
from cxcausal.report.keys import path
from cxcausal.report.sentences.words import sentence
from cxcausal.report.text import Sentence


def reading_sentences(facts: Facts) -> Iterator[Sentence]:
    """Yield at which look the data were read, or that they may be at any time; nothing where it is once."""
    reading = facts.result.reading
    if reading is None:
        return
    if reading.look is None or reading.look_date is None:
        yield ("The plan may be read at any time; intervals hold at every reading.",)
    else:
        look, looks, day = (path("reading", name) for name in ("look", "looks", "look_date"))
        place: Sentence = ("Read at look ", facts.number(look), " of ", facts.number(looks))
        yield (*place, ", planned for ", facts.date(day), "; intervals hold at every look.")
    if reading.waiting is not None:
        yield sentence("Nothing is concluded yet: ", facts.quote(path("reading", "waiting")))


def next_look(facts: Facts) -> Sentence | None:
    """Return the day of the next planned look, where nothing is settled yet; None where there is none to come."""
    reading = facts.result.reading
    if reading is None or reading.look is None or facts.result.verdict != "hold":
        return None
    coming = path("plan", "analysis", "looks", reading.look)
    planned = facts.result.plan["analysis"].get("looks") or ()
    key = coming if reading.look < len(planned) else path("plan", "analysis", "horizon", "date")
    if reading.look >= (reading.looks or 0) or not facts.has(key):
        return None
    return ("The plan reads the data again on ", facts.date(key), ".")
