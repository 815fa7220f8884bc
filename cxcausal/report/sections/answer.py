"""Page one: question, result and recommendation, then what must be known beside them."""

from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import Answer, Block, Bullets, SectionView
from cxcausal.report.facts import Facts
from cxcausal.report.sentences.answer import question_sentence, recommendation_sentence, result_sentence
from cxcausal.report.sentences.caveats import beside_the_answer, lead_harms
from cxcausal.report.sentences.whom_briefly import whom_in_answer


@dataclass(frozen=True, kw_only=True)
class AnswerSection:
    """The three sentences that a reader takes away."""

    name: ClassVar[str] = "answer"

    def build(self, facts: Facts) -> SectionView:
        """Return the answer."""
        answer = Answer(
            question=question_sentence(facts),
            result=result_sentence(facts),
            recommendation=recommendation_sentence(facts),
        )
        whom, beside = whom_in_answer(facts), tuple(beside_the_answer(facts))
        if whom is not None:  # which also says whom the arm harms
            beside = (*(words for words in beside if words != lead_harms(facts)), whom)
        blocks: tuple[Block, ...] = (answer, Bullets(items=beside)) if beside else (answer,)
        return SectionView(name=self.name, heading="The answer", blocks=blocks)
