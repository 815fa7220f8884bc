"""Mends plans as a reader would who has nothing but the printed messages: a few general rules, no case known."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.corpus.text_fixer import Told, mend_text, place_of


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A place in the tree of a plan: the map or list it is in, and the entry it names."""

    holder: yaml.CollectionNode
    at: int
    is_key: bool

    @property
    def node(self) -> yaml.Node:
        entry = self.holder.value[self.at]
        found: yaml.Node = entry[not self.is_key] if isinstance(entry, tuple) else entry
        return found

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
        mend_text(path, unread)
        return
    text = path.read_text(encoding="utf-8-sig")
    tree = _parsed(text)
    for problem in reversed(problems):
        line, column = place_of(problem)
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
    node = yaml.compose(text, Loader=yaml.BaseLoader)
    assert node is not None
    return node


def _entry(tree: yaml.Node, key: str) -> yaml.Node | None:
    return next((value for name, value in tree.value if name.value == key), None)


def _mend_tree(tree: yaml.Node, spot: Spot | None, problem: Told) -> None:
    for pattern, rule in _RULES:
        found = re.search(pattern, problem["mend"])
        if found is not None and rule(tree, spot, problem, found):
            return


Rule = Callable[[yaml.Node, Spot | None, Told, "re.Match[str]"], bool]


def _replace(tree: yaml.Node, spot: Spot | None, problem: Told, found: "re.Match[str]") -> bool:
    """Put the named text in the place of what stands there."""
    if spot is not None:
        spot.put(_scalar(found[1]))
    return spot is not None


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
    text, at = str(spot.node.value), int(problem["what"].rpartition("character ")[2].rstrip(")"))
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
