"""Bodies of the HTTP API. Closed: an unknown key is refused, and no error quotes what was sent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, StringConstraints

from gateway.chart.render import WIDTH
from gateway.chart.spec import ChartSpec
from gateway.summary.model import Summary


class Body(BaseModel):
    """Base of every request and response body."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


Cell = str | int | float | bool | None


Width = Annotated[int, Field(ge=240, le=2000)]


class AskBody(Body):
    """A question in plain words."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"question": "revenue by month as a line"}]},
    )

    question: Annotated[str, StringConstraints(max_length=10_000)]
    context: Annotated[str, StringConstraints(max_length=100_000)] | None = None
    """The `context` of an earlier answer, for a follow-up such as "now by region"."""
    explain: bool = False
    """Show every stage: the masked question, the exact prompt, the reply, the scoped query, the timings."""
    svg: bool = True
    """Draw the chart as SVG too."""
    width: Width = WIDTH
    """Of the drawing area without axes, in pixels: what the place has that the chart is shown in."""


class RunBody(Body):
    """Draw the chart of a sealed context: an alternative reading, or an earlier answer again."""

    context: Annotated[str, StringConstraints(max_length=100_000)]
    explain: bool = False
    svg: bool = True
    width: Width = WIDTH


class MaskedBody(Body):
    """A part of the question that did not leave."""

    placeholder: str
    kind: str
    columns: list[str] = []


class AlternativeBody(Body):
    """Another reading of the question."""

    sentence: str
    spec: ChartSpec
    context: str


class ColumnBody(Body):
    """A column of the result table."""

    field: str
    title: str
    type: str
    role: str
    format: str


class TableBody(Body):
    """The rows behind the chart: the asking tenant's own."""

    columns: list[ColumnBody]
    rows: list[list[Cell]]
    truncated: bool


class SegmentBody(Body):
    """A piece of a prompt and where its text came from."""

    kind: str
    text: str


class MessageBody(Body):
    """A message of a prompt."""

    role: str
    segments: list[SegmentBody]


class StageBody(Body):
    """One stage of the line."""

    name: str
    ms: float
    says: str


class ExplainBody(Body):
    """Every stage laid open."""

    masked_question: str
    prompt: list[MessageBody]
    reply: str
    answered_by: str
    """Model of the planner that gave the reply; empty for a chart drawn again."""
    sends: int
    """How often the prompt left the process for this question; 0 where the reply was made or kept in it."""
    statement: str
    stages: list[StageBody]


class AnswerBody(Body):
    """A chart, with the id of its audit entry."""

    audit_id: str
    sentence: str
    """What the chart shows, in words: read it to see that the question was understood."""
    spec: ChartSpec
    vega_lite: dict[str, object]
    svg: str | None = None
    table: TableBody
    notes: list[str]
    masked: list[MaskedBody]
    ambiguous: bool
    alternatives: list[AlternativeBody]
    context: str
    """Send it back with the next question to refine this chart. Sealed; valid for this right only."""
    explain: ExplainBody | None = None


class SummaryBody(Body):
    """Exactly what the model may know when this session asks."""

    release: str
    summary: Summary
    not_linked: list[str] = []
    """Columns with too many values to be linked: a value of theirs that is typed into a question leaves with it."""


class SessionRequest(Body):
    """A session for one embed user, asked for by the product's own server with an API key."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        json_schema_extra={
            "examples": [{"tenant": "northwind", "user": "u-17", "source": "shop", "origin": "https://app.example.com"}]
        },
    )

    tenant: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    user: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """The product's own id of the user."""
    source: Annotated[str, StringConstraints(min_length=1, max_length=63)]
    origin: Annotated[str, StringConstraints(max_length=200)]
    """The one web origin that may use the session's token, spelt exactly."""
    user_attributes: dict[str, StrictStr | StrictInt] = {}
    """What holds for the user in every session."""
    attributes: dict[str, StrictStr | StrictInt] = {}
    """What narrows this session further; may not contradict the user's own."""
    ttl_s: Annotated[int, Field(ge=30, le=900)] = 300


class EndedBody(Body):
    """How many live sessions were ended."""

    ended: int


class SessionBody(Body):
    """A session's token, shown once."""

    token: str
    session: str
    expires_at: str
    tenant: str
    source: str


class DemoBody(Body):
    """The demo's tenants and the questions its page offers."""

    tenants: list[str]
    questions: list[str]


class ErrorFacts(Body):
    """What went wrong, where, and what to do. Never a value."""

    code: str
    message: str
    request_id: str
    details: dict[str, object] = {}


class ErrorBody(Body):
    """The one shape of every error."""

    error: ErrorFacts


class HealthBody(Body):
    """Whether the gateway can answer."""

    status: Literal["ok"]
