"""Mends plans as a patient reader would who has nothing but the printed messages: a few general rules, no case known."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from cxcausal.cli.starter import starter_plan

Told = Mapping[str, str]
"""One problem as `--json` prints it: where, code, what, mend."""


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A place in the tree of a plan: the map or list it is in, and the entry it names."""

    holder: yaml.CollectionNode
    at: int
    is_key: bool

    @property
    def node(self) -> yaml.Node:
        entry = self.holder.value[self.at]
        return entry[not self.is_key] if isinstance(entry, tuple) else entry

    def put(self, node: yaml.Node) -> None:
        entry = self.holder.value[self.at]
        pair = (node, entry[1]) if self.is_key else (entry[0], node) if isinstance(entry, tuple) else node
        self.holder.value[self.at] = pair

    @property
    def value(self) -> "Spot":
        return Spot(holder=self.holder, at=self.at, is_key=False)

    def remove(self) -> None:
        del self.holder.value[self.at]


def mend_plan(path: Path, problems: Sequence[Told]) -> None:
    """Do what the messages say, once: first to the text where it can't be read, and else to its tree."""
    unread = [problem for problem in problems if problem["code"].startswith("P1")]
    if unread:
        _mend_text(path, unread)
        return
    text = path.read_text(encoding="utf-8-sig")
    tree = yaml.compose(text, Loader=yaml.BaseLoader)
    for problem in reversed(problems):
        line, column = _place(problem)
        spot = next(reversed(list(_spots(tree, (line - 1, column - 1)))), None)
        if " is missing" in problem["what"] and f"'{_quoted_word(problem)}'" in _meant(problems):
            continue
        if spot is not None or (line, column) == _start(tree):
            _mend_tree(tree, spot, problem)
    path.write_text(yaml.serialize(tree, Dumper=yaml.BaseDumper, allow_unicode=True), encoding="utf-8")


def _quoted_word(problem: Told) -> str:
    return problem["what"].split("'")[1] if "'" in problem["what"] else ""


def _meant(problems: Sequence[Told]) -> str:
    """Return what other entries should have been called."""
    return " ".join(problem["mend"] for problem in problems if "did you mean" in problem["mend"])


def _place(problem: Told) -> tuple[int, int]:
    line, column = problem["where"].rsplit(":", 2)[1:]
    return int(line), int(column)


def _start(tree: yaml.Node) -> tuple[int, int]:
    return tree.start_mark.line + 1, tree.start_mark.column + 1


def _spots(node: yaml.Node, mark: tuple[int, int]) -> Iterator[Spot]:
    """Yield the entries whose key or value begins at a mark, the innermost last."""
    if not isinstance(node, yaml.CollectionNode):
        return
    for at, entry in enumerate(node.value):
        parts = entry if isinstance(entry, tuple) else (entry,)
        for place, part in enumerate(parts):
            begins = part.start_mark  # none where this mending put it
            if begins is not None and (begins.line, begins.column) == mark:
                yield Spot(holder=node, at=at, is_key=isinstance(entry, tuple) and place == 0)
            yield from _spots(part, mark)


def _scalar(text: str, style: str | None = None) -> yaml.Node:
    return yaml.ScalarNode("tag:yaml.org,2002:str", text, style=style)


def _parsed(text: str) -> yaml.Node:
    return yaml.compose(text, Loader=yaml.BaseLoader)


def _entry(tree: yaml.Node, key: str) -> yaml.Node | None:
    return next((value for name, value in tree.value if name.value == key), None)


# --- the tree -------------------------------------------------------------------------------------------------------


def _mend_tree(tree: yaml.Node, spot: Spot | None, problem: Told) -> None:
    for pattern, rule in _RULES:
        found = re.search(pattern, problem["mend"])
        if found is not None and rule(tree, spot, problem, found):
            return


Rule = Callable[[yaml.Node, Spot | None, Told, "re.Match[str]"], bool]


def _replace(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    """Put the named text in the place of what stands there."""
    if spot is None:
        return False
    target = spot if spot.is_key and "key" in problem["what"] or "option" in problem["what"] else spot
    target.put(_scalar(found[1]))
    return True


def _remove(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    if spot is not None:
        spot.remove()
    return spot is not None


def _add(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    """Add the entry that the message shows to the map that is meant; or fill the one that is there."""
    key, value = _parsed(f"{found[1]}: {found[2]}").value[0]
    home = tree if spot is None else spot.node if isinstance(spot.node, yaml.MappingNode) else spot.value.node
    if spot is not None and spot.is_key and spot.node.value == key.value:
        spot.value.put(value)
    elif " missing" in problem["what"] and " in " not in problem["what"]:
        tree.value.append((key, value))
    elif isinstance(home, yaml.MappingNode) and not _entry(home, key.value) and "wanted here" not in problem["what"]:
        home.value.append((key, value))
    elif spot is not None:
        spot.value.put(value)
    return True


def _number(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    """Write the digits that stand there as a plain number."""
    text = str(spot.node.value).replace(",", ".") if spot is not None else ""
    digits = re.match(r"-?\d+(\.\d+)?", text)
    if spot is None or digits is None:
        return False
    spot.put(_scalar(f"{float(digits[0]):g}"))
    return True


def _scaled(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    """Make points a share, where the message shows how a share is written."""
    if spot is None or not isinstance(spot.node, yaml.ScalarNode):
        return False
    spot.put(_scalar(f"{float(spot.node.value) / 100:g}"))
    return True


def _positive(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    if spot is not None:
        spot.put(_scalar(str(spot.node.value).lstrip("-")))
    return spot is not None


def _days(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    if spot is not None:
        spot.put(_scalar(f"{spot.node.value}d" if str(spot.node.value).isdigit() else found[1]))
    return spot is not None


def _flag(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    if spot is not None:
        spot.put(_scalar("true" if spot.node.value in {"yes", "on", "1"} else "false"))
    return spot is not None


def _date(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    day, month, year = re.split(r"\D", str(spot.node.value)) if spot is not None else ("", "", "")
    if spot is not None:
        spot.put(_scalar(f"{year}-{month}-{day}"))
    return spot is not None


def _slug(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    if spot is not None:
        spot.put(_scalar(re.sub(r"[^a-z0-9_.]+", "-", str(spot.node.value).lower())))
    return spot is not None


def _flow(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    """Put the map that the message shows in the place; where it stands at a key, as its value."""
    if spot is not None:
        spot.value.put(_parsed(found[1]))
    return spot is not None


def _extend(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    """Write the entries of the map that the message shows into the map that stands there."""
    shown = _parsed(found[1])
    home = spot.value.node if spot is not None else tree
    if isinstance(home, yaml.MappingNode):
        home.value = [pair for pair in home.value if not _entry(shown, pair[0].value)] + shown.value
    return spot is not None


def _in_brackets(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    if spot is not None:
        spot.put(yaml.SequenceNode("tag:yaml.org,2002:seq", [spot.node], flow_style=True))
    return spot is not None


def _equal_shares(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    for _, arm in spot.value.node.value if spot is not None else ():
        arm.value = [(k, _scalar(found[1])) if k.value == "share" else (k, v) for k, v in arm.value]
    return spot is not None


def _move(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    """Move an entry to the block that it belongs in."""
    if spot is None:
        return False
    pair, home = spot.holder.value[spot.at], _entry(tree, found[1])
    spot.remove()
    if home is None:
        tree.value.append((_scalar(found[1]), yaml.MappingNode("tag:yaml.org,2002:map", [pair])))
    else:
        home.value.append(pair)
    return True


def _named_entry(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    """Remove the entry of that name, which stands here or beside."""
    if spot is not None:
        spot.holder.value = [pair for pair in spot.holder.value if pair[0].value != found[1]]
    return spot is not None


def _set_beside(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    if spot is not None:
        spot.put(_scalar(found[1]))
    return spot is not None


def _a_column(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    """Name another column that the plan uses, as its reader would know one."""
    names = re.findall(r"(?:covariates: \[|numerator: |column: )(\w+)", yaml.serialize(tree))
    taken = problem["what"].split("'")
    if spot is None:
        return False
    spot.put(_scalar(next((name for name in reversed(names) if name not in taken), "answered")))
    return True


def _filtered(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    """Rewrite a filter: use a column that was computed before, the right sign, or what stands before the offence."""
    if spot is None:
        return False
    text, at = str(spot.node.value), int(re.search(r"character (\d+)", problem["what"])[1])
    if found[0].startswith("functions"):
        spot.put(_scalar(re.sub(r"(\w+)\([^()]*\)", r"\1_before", text)))
    elif found[0].startswith("compare with"):
        spot.put(_scalar(f"{text[: at - 1]}=={text[at:]}"))
    elif not text[: at - 1].strip(" +-*/<>=") or "." in problem["what"]:
        spot.remove()
    else:
        spot.put(_scalar(text[: at - 1].rstrip(" +-*/<>=")))
    return True


def _moved_file(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    if spot is not None:
        spot.put(_scalar(f"data/{Path(str(spot.node.value)).name}"))
    return spot is not None


def _secret(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    if spot is not None:
        spot.put(_scalar(re.sub(r"(://[^:/@]*:)[^@]+@", r"\1${env:NAME}@", str(spot.node.value)), style="'"))
    return spot is not None


_RULES: tuple[tuple[str, Rule], ...] = (
    (r"did you mean ['\"](.+?)['\"]\?", _replace),
    (r"it belongs in (\w+)", _move),
    (r"each arm one spelling.*such as '(.+?)'", _replace),
    (r"write it as \d{4}-\d\d-\d\d", _date),
    (r"write it as 12", _number),
    (r"write one between 0 and 1|write a share", _scaled),
    (r"write a number greater than", _positive),
    (r"write days or weeks, such as (\w+)", _days),
    (r"write true or false", _flag),
    (r"use lower-case letters", _slug),
    (r"make it end later, such as (\w+)", _replace),
    (r"write a number between .*, such as ([\d.]+)", _replace),
    (r"write another, such as (\S+)", _replace),
    (r"(?:or write|or) cost_basis: (\w+)", _set_beside),
    (r"or ask for (\w+)", _replace),
    (r"1 equal|equal arms have (\S+) each", _equal_shares),
    (r"give every arm its share, such as (\{.*?\})", _extend),
    (r"write (\{name: .*\}), or", _extend),
    (r"write one of them, such as (\{.*?\})", _flow),
    (r"or (\{\}) for none", _flow),
    (r"such as `(\w+): (.+)`", _add),
    (r"such as (arms): (\{.*?\}\});", _add),
    (r"put it in brackets", _in_brackets),
    (r"remove '?(\w+)'? here: the protocol", _named_entry),
    (r"^remove (?!it|one)(\w+)$", _named_entry),
    (r"remove it|remove one|keep it in one role|a plan may set", _remove),
    (r"use one of: ([^,]+)", _replace),
    (r"columns? of the data|name the column", _a_column),
    (r"functions can't be called|compare with ==|a filter has columns|a formula has columns", _filtered),
    (r"move the data under the project", _moved_file),
    (r"write \$\{env:NAME\}", _secret),
)


# --- the text -------------------------------------------------------------------------------------------------------


def _mend_text(path: Path, problems: Sequence[Told]) -> None:
    """Mend what keeps a file from being read; the latest place first, so that the others stay where they are."""
    if any("save it as UTF-8" in problem["mend"] for problem in problems):
        path.write_text(_decoded(path.read_bytes()), encoding="utf-8")
        return
    if any("makes a first plan" in problem["mend"] for problem in problems):
        path.write_text(starter_plan("first", "randomized"), encoding="utf-8")
        return
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    for problem in sorted(problems, key=_place, reverse=True):
        _mend_line(lines, *_place(problem), problem)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _decoded(data: bytes) -> str:
    return data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "latin-1")


def _mend_line(lines: list[str], line: int, column: int, problem: Told) -> None:
    mend, at, text = problem["mend"], line - 1, lines[line - 1]
    before, sign, after = text[: column - 1], text[column - 1 : column], text[column:]
    if "remove its escape" in mend:
        lines[at] = re.sub(r"\\(u[0-9a-f]{4}|x[0-9a-f]{2}|[e0abfv])(\[[0-9;]*m)?", "", text)
    elif "type a plain" in mend:
        lines[at] = before + (":" if sign == "\uff1a" else " ") + after
    elif "use blanks" in mend:
        near = lines[at + 1] if at + 1 < len(lines) else lines[at - 1]
        lines[at] = near[: len(near) - len(near.lstrip())] + text.replace("\t", " ").strip()
    elif mend.startswith("remove it") and sign and not sign.isprintable():
        lines[at] = before + after
    elif "remove one" in mend or "or remove the entry" in mend:
        _cut(lines, at, column)
    elif "own file" in mend or "begin with schema_version" in mend:
        lines[at:] = [] if "own file" in mend else [re.sub("^(- |  )", "", one) for one in lines[at:]]
    elif "write the value out" in mend:
        _write_out(lines)
    elif "write the values out" in mend:
        lines[at] = re.sub(r"<<: \{(.*?)\}", r"\1", text)
    elif "blank behind the colon" in mend:
        lines[at] = text.replace(":", ": ", 1)
    elif "align it" in mend:
        above = lines[at - 1]
        lines[at] = above[: len(above) - len(above.lstrip())] + text.strip()
    elif "decimals with a point" in mend:
        lines[at] = before.rstrip().removesuffix(",") + "." + (sign + after)
    elif "close" in mend:
        closing = {"[": "]", "{": "}"}.get(sign, sign)
        lines[at] = text + closing
    elif "quotes" in mend:
        lines[at] = _quoted(text, column, holds=": " if "': '" in mend else "," if "comma" in mend else "[")


def _cut(lines: list[str], at: int, column: int) -> None:
    """Remove the entry that begins on a line, with what is indented below it."""
    end = at + 1
    while end < len(lines) and len(lines[end]) - len(lines[end].lstrip()) >= column and not lines[end].startswith("-"):
        end += 1
    while end < len(lines) and lines[at].startswith("?") and lines[end].startswith(":"):
        end += 1
    lines[at:end] = []


def _write_out(lines: list[str]) -> None:
    """Put the value of every anchor where its alias stands."""
    text = "\n".join(lines)
    known = {found[1]: found[2] for found in re.finditer(r"&(\w+) (.+)", text)}
    text = re.sub(r"&\w+ ", "", text)
    lines[:] = re.sub(r"\*(\w+)", lambda found: known.get(found[1], found[0]), text).splitlines()


def _quoted(text: str, column: int, *, holds: str) -> str:
    """Put the text that holds a sign in quotes: the value around the place, to the end of its entry."""
    if holds == ",":
        start = text.rindex(": ", 0, text.rindex(",", 0, column)) + 2
        end = next(at for at in range(column, len(text) + 1) if text[at : at + 1] in {",", "}", ""})
    elif holds == "[" and not text.lstrip().startswith(text[column - 1 :].lstrip()) and text.rstrip().endswith("}"):
        start = text.rindex(": ", 0, column) + 2
        end = text.rindex("}")
    else:
        start, end = text.index(": ") + 2, len(text)
    return f'{text[:start]}"{text[start:end].strip()}"{text[end:]}'
