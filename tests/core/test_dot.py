"""A graph in DOT is read strictly: what it says counts, how doesn't, and the rest is refused with its place."""

import random
import re

import pytest

from cxcausal.core.causal_graph import CausalGraph, cycle_of, graph_of
from cxcausal.core.dot import MAX_ARROWS, MAX_NODES, MAX_SIGNS, read_dot
from cxcausal.core.errors import PlanError

SMALL = graph_of(
    arrows=[("tier", "route"), ("tier", "churned"), ("route", "churned"), ("mood", "churned")],
    hidden=[("route", "churned")],
    unobserved=["mood"],
    others=["csat"],
)


@pytest.mark.parametrize(
    "text",
    [
        (
            "digraph { tier -> {route churned}; route -> churned; mood [latent]; mood -> churned; csat; "
            "churned -> route [dir=both] }"
        ),
        (
            "strict digraph G {\n rankdir=LR; node [shape=box]; edge [color=gray]\n// why\n# also why\n/* and\nso */"
            'tier -> route -> "churned" [penwidth=2] "tier" -> churned mood [observed=no, label="how\\nthey feel"]'
            'mood->churned route->churned[dir="both" color=red]; "csat" }'
        ),
        (
            "\ufeffDIGRAPH {csat {tier; mood, route} -> churned tier -> route [dir=forward] mood [unobserved=yes]"
            " route -> churned [style=dashed, dir=both]}"
        ),
    ],
)
def test_ways_of_writing_one_graph(text: str) -> None:
    assert read_dot(text) == SMALL
    assert read_dot(read_dot(text).text) == SMALL
    assert read_dot(text).text == SMALL.text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "g.dot:1:1 P361 this is no graph"),
        ("dag { a -> b }", "g.dot:1:1 P361 this is no graph"),
        ("graph { a -- b }", "g.dot:1:1 P362 an undirected graph"),
        ("digraph {\n  a -- b\n}", "g.dot:2:5 P362 a line without an arrow"),
        ("digraph { subgraph x { a } }", "g.dot:1:11 P362 a subgraph"),
        ("digraph { a:north -> b }", "g.dot:1:12 P362 ports"),
        ('digraph { "a" + "b" -> c }', "g.dot:1:15 P362 joined names"),
        ("digraph { a [label=<<b>&amp;</b>>] }", "g.dot:1:20 P362 labels in HTML"),
        ("digraph { a [observd=no] }", "g.dot:1:14 P362 'observd=no' of a name"),
        ("digraph { a [observed] }", "g.dot:1:14 P362 'observed' of a name"),
        ("digraph { a [observed=perhaps] }", "g.dot:1:14 P362 'observed=perhaps' of a name"),
        ("digraph { a -> b [dir=back] }", "g.dot:1:19 P362 'dir=back' of an arrow"),
        ("digraph { a -> b [observed=no] }", "g.dot:1:19 P362 'observed=no' of an arrow"),
        ("digraph { node [observed=no] a -> b }", "g.dot:1:17 P362 'observed' can't be said of every node"),
        ("digraph { edge [dir=both] a -> b }", "g.dot:1:17 P362 'dir' can't be said of every edge"),
        ("digraph { observed=no }", "g.dot:1:11 P362 the graph's 'observed=no'"),
        ("digraph { node -> b }", "g.dot:1:11 P362 the word 'node'"),
        ("digraph { a -> b\n a -> b }", "g.dot:2:2 P363 the arrow from 'a' to 'b' stands already in line 1"),
        ("digraph { a -> b [dir=both] b -> a [dir=both] }", "g.dot:1:29 P363 the arrow from 'b' to 'a'"),
        ("digraph { a [latent]; a [observed=yes] }", "g.dot:1:26 P363 'a' is said to be recorded and not"),
        ("digraph { tier -> Tier }", "g.dot:1:19 P363 'Tier' and 'tier' differ in case"),
        ("digraph { a -> b -> c\n c -> a }", "g.dot:2:2 P364 the arrows go round: a → b → c → a"),
        ("digraph { a -> a }", "g.dot:1:11 P364 the arrows go round: a → a"),
        ("digraph { a -> a [dir=both] }", "g.dot:1:11 P363 'a' is linked with itself"),
        ("digraph { a -> }", "g.dot:1:16 P361 a name is wanted here, and '}'"),
        ("digraph { a -> b", "g.dot:1:17 P361 a name is wanted here, and the end of the text"),
        ("digraph a -> b", "g.dot:1:11 P361 '{' is wanted after `digraph`"),
        ("digraph { {} -> b }", "g.dot:1:11 P361 nothing stands between the braces"),
        ("digraph { {a {b}} -> c }", "g.dot:1:14 P361 a name is wanted here, and '{'"),
        ("digraph { a } digraph { b }", "g.dot:1:15 P361 'digraph' follows the graph's end"),
        ("digraph { /* a }", "g.dot:1:11 P361 a comment begins here"),
        ('digraph { "a }', "g.dot:1:11 P361 a name in quotes begins here"),
        ('digraph { "" -> b }', "g.dot:1:11 P361 a name of 0 signs"),
        (f"digraph {{ {'a' * 201} -> b }}", "g.dot:1:11 P361 a name of 201 signs"),
        ('digraph { "a\nb" -> c }', "g.dot:1:11 P361 a name holds a sign that can't be shown"),
        ('digraph { "a\u202eb" -> c }', "g.dot:1:11 P361 a name holds a sign that can't be shown"),
        ('digraph { "a\\\\" -> c }', "g.dot:1:11 P361 a name holds a sign that can't be shown"),
        ("digraph { a \x00 }", "g.dot:1:13 P361 '\\x00' has no meaning here"),
        ("digraph { a [color] }", "g.dot:1:14 P362 'color' of a name"),
        ("digraph { a [=b] }", "g.dot:1:14 P361 an attribute is wanted here"),
    ],
)
def test_what_is_refused_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(PlanError) as caught:
        read_dot(text, "g.dot")
    assert str(caught.value).startswith(told)
    assert all(problem.mend for problem in caught.value.problems)


@pytest.mark.parametrize(
    "text",
    [
        " " * (MAX_SIGNS + 1),
        f"digraph {{ {' '.join(f'n{at}' for at in range(MAX_NODES + 1))} }}",
        f"digraph {{ {' -> '.join(['a'] * (MAX_ARROWS + 2))} }}",
        f"digraph {{ {{{' '.join(f'a{at}' for at in range(80))}}} -> {{{' '.join(f'b{at}' for at in range(80))}}} }}",
    ],
)
def test_a_graph_too_large_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match="P365"):
        read_dot(text)


def test_everything_that_is_wrong_is_told_but_not_without_end() -> None:
    with pytest.raises(PlanError) as caught:
        read_dot("digraph { a [x=1]; b [y=1]; c -> c; C -> b }")
    assert [problem.code for problem in caught.value.problems] == ["P362", "P362", "P363", "P364"]
    with pytest.raises(PlanError) as caught:
        read_dot("digraph {" + "a -> b;" * 1000 + "}")
    assert len(caught.value.problems) == 20


def test_broken_texts_never_do_anything_but_be_read_or_refused() -> None:
    rng = random.Random(7)  # noqa: S311 - no secret
    text = 'digraph g { a -> {b c} [dir=both]; "d e" [observed=no]; node [shape=box]; /* x */ rankdir=LR }'
    read, refused = 0, 0
    for _ in range(2000):
        at = rng.randrange(len(text))
        broken = text[:at] + rng.choice(["", "{", "}", "[", "]", '"', "->", "<", "\\", ";", "é", "\0"]) + text[at + 1 :]
        try:
            found = read_dot(broken)
        except PlanError as error:
            refused += all(re.match(r"graph:\d+:\d+ P36\d .+ — .+", str(problem)) for problem in error.problems)
        else:
            read += read_dot(found.text) == found
    assert read + refused == 2000
    assert min(read, refused) > 100


@pytest.mark.parametrize("name", ["node", "Digraph", "first contact", 'say "no"', "é", "1st", "a-b", "a;b", "<x>"])
def test_any_column_name_can_be_written_back(name: str) -> None:
    graph = graph_of(arrows=[(name, "y")], unobserved=[name])
    assert read_dot(graph.text) == graph


def test_a_cycle_is_found_wherever_it_is() -> None:
    chain = [(f"n{at}", f"n{at + 1}") for at in range(200)]
    assert cycle_of(chain) == ()
    assert cycle_of([*chain, ("n9", "n7")]) == ("n7", "n8", "n9", "n7")


def test_an_empty_graph_is_a_graph() -> None:
    assert read_dot("digraph {}") == CausalGraph(nodes=(), arrows=())
