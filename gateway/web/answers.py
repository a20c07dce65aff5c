"""From the line's values to the bodies of the API."""

from __future__ import annotations

import asyncio

from gateway.answer import Answer, Explanation
from gateway.chart.image import to_svg
from gateway.web.models import (
    AlternativeBody,
    AnswerBody,
    ColumnBody,
    ExplainBody,
    MaskedBody,
    MessageBody,
    SegmentBody,
    StageBody,
    TableBody,
)


async def answer_body(answer: Answer, *, svg: bool, explain: bool) -> AnswerBody:
    """Shape an answer for the wire; the picture is drawn off the event loop."""
    picture = await asyncio.to_thread(to_svg, answer.chart) if svg else None
    return AnswerBody(
        audit_id=answer.audit_id,
        sentence=answer.sentence,
        spec=answer.spec,
        vega_lite=answer.chart.vega_lite,
        svg=picture,
        table=TableBody(
            columns=[
                ColumnBody(field=c.field, title=c.title, type=c.type, role=c.role, format=c.format)
                for c in answer.result.columns
            ],
            rows=[list(row) for row in answer.result.rows],
            truncated=answer.result.truncated,
        ),
        notes=list(answer.notes),
        masked=[
            MaskedBody(placeholder=part.placeholder, kind=part.kind, columns=list(part.columns))
            for part in answer.masked
        ],
        ambiguous=answer.ambiguous,
        alternatives=[
            AlternativeBody(sentence=other.sentence, spec=other.spec, context=other.context)
            for other in answer.alternatives
        ],
        context=answer.context,
        explain=_explain_body(answer.explanation) if explain else None,
    )


def _explain_body(explanation: Explanation) -> ExplainBody:
    return ExplainBody(
        masked_question=explanation.masked_question,
        prompt=[
            MessageBody(role=role, segments=[SegmentBody(kind=kind, text=text) for kind, text in segments])
            for role, segments in explanation.prompt
        ],
        reply=explanation.reply,
        answered_by=explanation.answered_by,
        sends=explanation.sends,
        statement=explanation.statement,
        stages=[StageBody(name=stage.name, ms=stage.ms, says=stage.says) for stage in explanation.stages],
    )
