"""The question door: ``POST /v1/ask``, ``POST /v1/run`` and ``GET /v1/summary``, each under a verified session."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from gateway.answer import Asker
from gateway.runtime import Runtime
from gateway.sources.base import Cancel
from gateway.trace import OnStep
from gateway.web.answers import answer_body
from gateway.web.auth import runtime_of, verified_asker
from gateway.web.errors import request_id
from gateway.web.events import MEDIA_TYPE, EventStream
from gateway.web.examples import ANSWER_EXAMPLE, ERROR_EXAMPLES, EVENTS_EXAMPLE
from gateway.web.leaving import until_left
from gateway.web.models import AnswerBody, AskBody, ErrorBody, RunBody, SummaryBody
from gateway.web.rows import ARROW_RESPONSE, arrow_response, wants_arrow

router = APIRouter(prefix="/v1", tags=["ask"])

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {
        "model": ErrorBody,
        "description": text,
        "content": {"application/json": {"example": {"error": {"code": code, "message": message,
                                                                "request_id": "5f0c1a2b3c4d5e6f", "details": {}}}}},
    }
    for status, (text, code, message) in ERROR_EXAMPLES.items()
}  # fmt: skip


@router.post(
    "/ask",
    summary="Ask a question, get a chart",
    responses={**ERRORS, 200: {"content": {"application/json": {"example": ANSWER_EXAMPLE}}}},
)
async def ask(
    body: AskBody,
    request: Request,
    asker: Annotated[Asker, Depends(verified_asker)],
    runtime: Annotated[Runtime, Depends(runtime_of)],
) -> AnswerBody:
    """Plan a chart for the question, draw it from the session's own rows, and say what left the house."""
    work = runtime.gateway.ask(body.question, asker, context=body.context, cancel=Cancel(), width=body.width)
    answer = await until_left(request, work)
    return await answer_body(answer, svg=body.svg, explain=body.explain)


@router.post(
    "/ask/events",
    summary="Ask a question, follow its progress, get a chart",
    response_class=Response,
    responses={**ERRORS, 200: {"content": {MEDIA_TYPE: {"example": EVENTS_EXAMPLE}}}},
)
async def ask_events(
    body: AskBody,
    request: Request,
    asker: Annotated[Asker, Depends(verified_asker)],
    runtime: Annotated[Runtime, Depends(runtime_of)],
) -> EventStream:
    """The same as `/v1/ask`, as server-sent events to be read with `fetch`.

    Each `step` has a `stage` of the line and its `state` (begun, working, ended, stopped); `done` counts tables read
    (stage `summarise`, out of `of`) or tokens of a streamed reply (stage `plan`). Steps are counts and names of
    stages only. The last event is `answer`, with the body of `/v1/ask`, or `error`, with its `status` and `error`.
    """

    async def work(on_step: OnStep) -> AnswerBody:
        answer = await runtime.gateway.ask(
            body.question, asker, context=body.context, cancel=Cancel(), on_step=on_step, width=body.width
        )
        return await answer_body(answer, svg=body.svg, explain=body.explain)

    return EventStream(work, request_id=request_id(request))


@router.post(
    "/run",
    summary="Draw the chart of a sealed context, or give its rows as Arrow",
    response_model=AnswerBody,
    responses={**ERRORS, 200: {"content": ARROW_RESPONSE}},
)
async def run(
    body: RunBody,
    request: Request,
    asker: Annotated[Asker, Depends(verified_asker)],
    runtime: Annotated[Runtime, Depends(runtime_of)],
) -> AnswerBody | Response:
    """Draw an alternative that the asker chose, or an earlier answer again. No model is asked.

    With ``Accept: application/vnd.apache.arrow.stream`` the rows come typed and alone, without a picture.
    """
    work = runtime.gateway.redraw(body.context, asker, cancel=Cancel(), width=body.width)
    answer = await until_left(request, work)
    if wants_arrow(request):
        return arrow_response(answer)
    return await answer_body(answer, svg=body.svg, explain=body.explain)


@router.get("/summary", summary="Exactly what the model may know", responses=ERRORS)
async def summary(
    asker: Annotated[Asker, Depends(verified_asker)],
    runtime: Annotated[Runtime, Depends(runtime_of)],
) -> SummaryBody:
    """The released Summary of this session's scope: names, types and disclosure-controlled statistics. No row."""
    known = await runtime.gateway.known(asker)
    return SummaryBody(release=known.summary.release, summary=known.summary, not_linked=list(known.index.skipped))
