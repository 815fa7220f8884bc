"""Names in YAML to components: one line each, imported only when used; other packages add theirs by entry point."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from cxcausal.core.errors import PlanError, Problem

DEFAULT_LEARNER = "stacked"
"""What nuisances are learned by where the plan names no learner."""
BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "designs": {
        "randomized": "cxcausal.designs.randomized:Randomized",
        "observational": "cxcausal.designs.observational:Observational",
    },
    "estimators": {
        "difference_in_means": "cxcausal.estimators.difference_in_means:DifferenceInMeans",
        "ols": "cxcausal.estimators.ols:Ols",
        "aipw": "cxcausal.estimators.aipw:Aipw",
    },
    "companions": {
        "winsorized": "cxcausal.estimators.winsorized:Winsorized",
        "parts": "cxcausal.estimators.parts:Parts",
        "response": "cxcausal.estimators.response:Response",
        "complier": "cxcausal.estimators.complier:Complier",
        "naive": "cxcausal.estimators.naive:Naive",
        "targets": "cxcausal.estimators.aipw:Targets",
        "second_opinions": "cxcausal.estimators.second_opinions:SecondOpinions",
    },
    "opinions": {
        "overlap_weighting": "cxcausal.scoring.opinions.overlap_weighting:OverlapWeighting",
        "matching": "cxcausal.scoring.opinions.matching:Matching",
        "parametric_aipw": "cxcausal.scoring.opinions.parametric:Parametric",
        "linear_dml": "cxcausal.scoring.opinions.linear_dml:LinearDml",
        "dr_learner": "cxcausal.scoring.opinions.dr_learner:DrLearner",
        "causal_forest": "cxcausal.scoring.opinions.causal_forest:CausalForest",
    },
    "learners": {
        "stacked": "cxcausal.nuisance.learners.stacked:Stacked",
        "two_part": "cxcausal.nuisance.learners.two_part:TwoPart",
        "linear": "cxcausal.nuisance.learners.linear:Linear",
        "logistic": "cxcausal.nuisance.learners.logistic:Logistic",
        "lightgbm_tuned": "cxcausal.nuisance.learners.tuned:TunedLightGbm",
        "lightgbm": "cxcausal.nuisance.learners.boosting:LightGbm",
        "hist_gradient_boosting": "cxcausal.nuisance.learners.boosting:HistGradientBoosting",
    },
    "effect_learners": {
        "constant": "cxcausal.heterogeneity.learners.constant:Constant",
        "s": "cxcausal.heterogeneity.learners.s:SLearner",
        "t": "cxcausal.heterogeneity.learners.t:TLearner",
        "x": "cxcausal.heterogeneity.learners.x:XLearner",
        "dr": "cxcausal.heterogeneity.learners.dr:DrLearner",
        "r": "cxcausal.heterogeneity.learners.r:RLearner",
        "t_parts": "cxcausal.heterogeneity.learners.t_parts:TParts",
        "s_parts": "cxcausal.heterogeneity.learners.s_parts:SParts",
        "causal_forest": "cxcausal.heterogeneity.learners.causal_forest:CausalForest",
    },
    "checks": {
        "srm": "cxcausal.checks.srm:Srm",
        "srm_by_segment": "cxcausal.checks.srm_by_segment:SrmBySegment",
        "mixed_assignment": "cxcausal.checks.mixed_assignment:MixedAssignment",
        "exposure": "cxcausal.checks.exposure:Exposure",
        "duplicates": "cxcausal.checks.duplicates:DuplicateUnits",
        "maturity": "cxcausal.checks.maturity:Maturity",
        "missing_outcome": "cxcausal.checks.missing_outcome:MissingOutcome",
        "differential_missingness": "cxcausal.checks.differential_missingness:DifferentialMissingness",
        "pre_period_balance": "cxcausal.checks.pre_period_balance:PrePeriodBalance",
        "leakage": "cxcausal.checks.leakage:Leakage",
        "tiny_arm": "cxcausal.checks.tiny_arm:TinyArm",
        "identification": "cxcausal.checks.identification:Identification",
        "sensitivity": "cxcausal.checks.sensitivity:SensitivityCheck",
        "refutation": "cxcausal.checks.refutation:RefutationCheck",
        "time_zero": "cxcausal.checks.time_zero:TimeZero",
        "overlap": "cxcausal.checks.overlap:Overlap",
        "balance": "cxcausal.checks.balance:Balance",
        "negative_controls": "cxcausal.checks.negative_controls:NegativeControls",
        "placebo_period": "cxcausal.checks.placebo_period:PlaceboPeriod",
        "specification": "cxcausal.checks.specification:Specification",
        "agreement": "cxcausal.checks.agreement:Agreement",
    },
    "policies": {
        "nobody": "cxcausal.policy.fixed:Nobody",
        "everybody": "cxcausal.policy.fixed:Everybody",
        "best_arm": "cxcausal.policy.best_arm:BestArm",
        "current_rule": "cxcausal.policy.fixed:CurrentRule",
        "top_risk": "cxcausal.policy.top_risk:TopRisk",
        "value": "cxcausal.policy.predicted:Value",
        "limited": "cxcausal.policy.predicted:Limited",
        "tree": "cxcausal.policy.readable:ReadableRules",
    },
    "sections": {
        "verdict": "cxcausal.report.sections.verdict:VerdictBar",
        "answer": "cxcausal.report.sections.answer:AnswerSection",
        "change": "cxcausal.report.sections.change:ChangeSection",
        "worth": "cxcausal.report.sections.worth:WorthSection",
        "trust": "cxcausal.report.sections.trust:TrustSection",
        "where": "cxcausal.report.sections.where:WhereSection",
        "unknowns": "cxcausal.report.sections.unknowns:UnknownsSection",
        "decision": "cxcausal.report.sections.decision:DecisionSection",
        "footer": "cxcausal.report.sections.footer:FooterSection",
        "appendix_plan": "cxcausal.report.sections.appendix_plan:PlanSection",
        "appendix_amendments": "cxcausal.report.sections.appendix_amendments:AmendmentsSection",
        "appendix_flow": "cxcausal.report.sections.appendix_flow:FlowSection",
        "appendix_metrics": "cxcausal.report.sections.appendix_metrics:MetricsSection",
        "appendix_effects": "cxcausal.report.sections.appendix_effects:EffectsSection",
        "appendix_surveys": "cxcausal.report.sections.appendix_surveys:SurveysSection",
        "appendix_parts": "cxcausal.report.sections.appendix_parts:PartsSection",
        "appendix_checks": "cxcausal.report.sections.appendix_checks:ChecksSection",
        "appendix_delivery": "cxcausal.report.sections.appendix_delivery:DeliverySection",
        "appendix_segments": "cxcausal.report.sections.appendix_segments:SegmentsSection",
        "appendix_design": "cxcausal.report.sections.appendix_design:DesignSection",
        "appendix_overlap": "cxcausal.report.sections.appendix_overlap:OverlapSection",
        "appendix_balance": "cxcausal.report.sections.appendix_balance:BalanceSection",
        "appendix_opinions": "cxcausal.report.sections.appendix_opinions:OpinionsSection",
        "appendix_sensitivity": "cxcausal.report.sections.appendix_sensitivity:SensitivitySection",
        "appendix_refuters": "cxcausal.report.sections.appendix_refuters:RefutersSection",
        "appendix_nuisances": "cxcausal.report.sections.appendix_nuisances:NuisancesSection",
        "appendix_responders": "cxcausal.report.sections.appendix_responders:RespondersSection",
        "appendix_targeting": "cxcausal.report.sections.appendix_targeting:TargetingSection",
        "appendix_lineage": "cxcausal.report.sections.appendix_lineage:LineageSection",
        "appendix_movement": "cxcausal.report.sections.appendix_movement:MovementSection",
        "appendix_glossary": "cxcausal.report.sections.appendix_glossary:GlossarySection",
    },
}


@cache
def _outside(kind: str) -> tuple[EntryPoint, ...]:
    """Return what other packages have registered: to look for it reads the metadata of everything installed."""
    return tuple(entry_points(group=f"cxcausal.{kind}"))


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The components of one kind, by name; outside packages register in the entry-point group `cxcausal.<kind>`."""

    kind: str

    def names(self) -> tuple[str, ...]:
        """Return every registered name, ours first."""
        outside = [point.name for point in _outside(self.kind)]
        return (*BUILT_IN[self.kind], *(name for name in outside if name not in BUILT_IN[self.kind]))

    def load(self, name: str) -> Any:  # noqa: ANN401 - the caller knows the protocol of its kind
        """Import and return the component's class.

        Raises:
            PlanError: no component of this kind has that name.
        """
        target = BUILT_IN[self.kind].get(name)
        if target is not None:
            module, _, attribute = target.partition(":")
            return getattr(import_module(module), attribute)
        for point in _outside(self.kind):
            if point.name == name:
                return point.load()
        raise PlanError(
            Problem(
                where="plan",
                code="P190",
                what=f"there is no {self.kind.rstrip('s')} named '{name}'",
                mend=f"use one of: {', '.join(self.names())}",
            )
        )
