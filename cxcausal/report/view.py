"""The view-model of the page: every section, built once, in the order of the page."""

from dataclasses import dataclass

from cxcausal.core.registry import Registry
from cxcausal.report.blocks import Section, SectionView
from cxcausal.report.facts import Facts
from cxcausal.report.text import Html, safe

PAGE_ONE = ("verdict", "answer", "change", "worth", "trust", "where", "unknowns", "decision", "footer")
APPENDIX = (
    "appendix_movement",
    "appendix_plan",
    "appendix_amendments",
    "appendix_flow",
    "appendix_design",
    "appendix_overlap",
    "appendix_balance",
    "appendix_metrics",
    "appendix_effects",
    "appendix_opinions",
    "appendix_sensitivity",
    "appendix_refuters",
    "appendix_parts",
    "appendix_surveys",
    "appendix_checks",
    "appendix_delivery",
    "appendix_segments",
    "appendix_responders",
    "appendix_targeting",
    "appendix_nuisances",
    "appendix_lineage",
    "appendix_glossary",
)


@dataclass(frozen=True, kw_only=True)
class PageView:
    """Everything the templates print."""

    title: Html
    verdict: str
    hero: SectionView
    page_one: tuple[SectionView, ...]
    footer: SectionView
    appendix: tuple[SectionView, ...]


def page_view(facts: Facts) -> PageView:
    """Return the view of a result; sections of other packages come last in the appendix."""
    registry = Registry(kind="sections")
    others = tuple(name for name in registry.names() if name not in {*PAGE_ONE, *APPENDIX})
    page_one = _build(facts, registry, PAGE_ONE)
    return PageView(
        title=Html(safe(facts.result.experiment)),
        verdict=facts.result.verdict,
        hero=page_one[0],
        page_one=page_one[1:-1],
        footer=page_one[-1],
        appendix=_build(facts, registry, (*APPENDIX, *others)),
    )


def _build(facts: Facts, registry: Registry, names: tuple[str, ...]) -> tuple[SectionView, ...]:
    sections: list[Section] = [registry.load(name)() for name in names]
    views = (section.build(facts) for section in sections)
    return tuple(view for view in views if view is not None)
