"""Summary: all that a model may ever know of a datasource. A closed type: no field can hold text from a row.

Numbers here were *released* by `gateway.summary.disclosure` and by nothing else; text is an identifier, a word of a
closed set, a vocabulary label (a database enum, a CHECK list, or values the owner approved by command), or the
owner's own description. Source of the rules: docs/disclosure.md.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gateway.catalog import ColumnType

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
"""A safe name (see `gateway.catalog.SAFE_NAME`)."""

_KEY = r"[A-Za-z_][A-Za-z0-9_]{0,62}(\[\])?"
PathName = Annotated[
    str,
    StringConstraints(
        pattern=rf"^(\[\]|<dynamic>|\[\]\.<dynamic>|(\[\]\.)?{_KEY}(\.{_KEY}){{0,2}}(\.{_KEY}|\.<dynamic>)?)$"
    ),
]
"""Safe names of objects down to a value of a document, ``address.city``, ``items[].price`` through a list; or
``by_user.<dynamic>`` where the keys are data (`gateway.summary.paths`)."""

Share = Annotated[float, Field(ge=0, le=1, multiple_of=0.05)]
"""A share in steps of 0.05."""

OwnerText = Annotated[str, StringConstraints(max_length=200)]
"""Text the datasource's owner wrote and enabled; scanned, and capped as it may carry instructions."""

Count = Annotated[int, Field(ge=15)] | Literal["few"]
"""A count on the DRB rounding ladder; ``few`` below 15 (US Census DRB rule)."""

Distinct = Annotated[int, Field(ge=10)] | Literal["unique", "constant", "few", "many", "unknown"]

NullShare = Literal[
    "none", "all", "0-5%", "5%", "10%", "15%", "20%", "25%", "30%", "35%", "40%", "45%", "50%", "55%", "60%",
    "65%", "70%", "75%", "80%", "85%", "90%", "95-100%", "unknown",
]  # fmt: skip

Semantic = Literal[
    "identifier", "key", "currency", "percent", "quantity", "year", "month", "weekday", "hour", "latitude",
    "longitude", "country", "region", "city", "postcode", "boolean_like", "category", "free_text", "email_like",
    "phone_like", "url_like", "name_like", "code_like", "timestamp",
]  # fmt: skip
"""What a column seems to mean, inferred in the database from its name, type and pattern counts."""


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, ser_json_inf_nan="null")


Band = Literal["none", "weak", "medium", "strong"]
"""How strongly two columns move together."""


class Histogram(_Closed):
    """Rows up to each edge (that edge included) and above the last: one count more than edges; `few` below 15."""

    edges: tuple[float, ...]
    counts: tuple[Count, ...]


class Related(_Closed):
    """Another numeric column of the table, and how strongly the two move together."""

    column: Name
    band: Band


class NumberFacts(_Closed):
    """Released facts of a numeric column. A suppressed fact is None."""

    low: float | None = None
    high: float | None = None
    p10: float | None = None
    p25: float | None = None
    p50: float | None = None
    p75: float | None = None
    p90: float | None = None
    mean: float | None = None
    std: float | None = None
    whole: bool | None = None
    sign: Literal["positive", "negative", "mixed", "non_negative"] | None = None
    zeros: Share | None = None
    skew: Literal["left", "none", "right"] | None = None
    histogram: Histogram | None = None


class TimeFacts(_Closed):
    """Released facts of a date column: first and last period (``2023``, ``2023-Q2`` or ``2023-05``) and its grain."""

    first: Annotated[str, StringConstraints(pattern=r"^\d{4}(-(Q[1-4]|\d{2}))?$")] | None = None
    last: Annotated[str, StringConstraints(pattern=r"^\d{4}(-(Q[1-4]|\d{2}))?$")] | None = None
    grain: Literal["hourly", "daily", "weekly", "monthly", "yearly"] | None = None


class TextFacts(_Closed):
    """Released facts of a text column: a band of its length and a class from a fixed list."""

    length: Literal["1-4", "5-10", "11-20", "21-50", "51-200", "over 200"] | None = None
    pattern: (
        Literal["email-like", "uuid", "iso-date", "int", "decimal", "code-like", "url-like", "phone-like",
                "name-like", "word", "free-text"] | None
    ) = None  # fmt: skip


class Label(_Closed):
    """One label of a vocabulary, with the share of rows to 0.05 where at least ten subjects have it."""

    text: Annotated[str, StringConstraints(max_length=60)]
    share: Share | None = None


class JsonPath(_Closed):
    """A path within a column of documents that at least ten subjects and one percent of the documents have."""

    name: PathName
    type: Literal["number", "text", "boolean", "object", "array", "mixed"] = "mixed"
    share: Share | None = None


class ColumnSummary(_Closed):
    """All that may be known of one column. `paths` are those within its documents.

    `related` says how it moves with later columns of its table; a pair that is not listed was not told.
    """

    name: Name
    type: ColumnType
    semantic: Semantic | None = None
    nulls: NullShare = "unknown"
    distinct: Distinct = "unknown"
    number: NumberFacts | None = None
    time: TimeFacts | None = None
    text: TextFacts | None = None
    labels: tuple[Label, ...] | None = None
    paths: tuple[JsonPath, ...] | None = None
    related: tuple[Related, ...] | None = None
    description: OwnerText = ""
    synonyms: tuple[OwnerText, ...] = ()


class TableSummary(_Closed):
    """All that may be known of one table."""

    name: Name
    rows: Count = "few"
    columns: tuple[ColumnSummary, ...]
    primary_key: tuple[Name, ...] = ()
    description: OwnerText = ""
    synonyms: tuple[OwnerText, ...] = ()

    def column(self, name: str) -> ColumnSummary | None:
        """The column of that name, if it is in scope."""
        return next((c for c in self.columns if c.name == name), None)


class Link(_Closed):
    """A many-to-one relationship: each row of `table` has at most one row of `parent`."""

    table: Name
    columns: tuple[Name, ...]
    parent: Name
    parent_columns: tuple[Name, ...]
    origin: Literal["declared", "inferred", "owner"] = "declared"

    @property
    def name(self) -> str:
        """What a spec's `via` calls this step: ``table.column``."""
        return f"{self.table}.{self.columns[0]}"


class Metric(_Closed):
    """A measure the owner named, for example ``revenue = sum(order_items.unit_price * order_items.quantity)``."""

    name: Name
    table: Name
    aggregate: Literal["count", "count_distinct", "sum", "avg", "median", "min", "max"]
    expression: Annotated[str, StringConstraints(max_length=400)]
    format: Literal["number", "currency", "percent"] = "number"
    description: OwnerText = ""
    synonyms: tuple[OwnerText, ...] = ()


class Summary(_Closed):
    """Everything a model may know of one datasource within one scope."""

    version: Literal["1"] = "1"
    source: Name
    tables: tuple[TableSummary, ...]
    links: tuple[Link, ...] = ()
    metrics: tuple[Metric, ...] = ()
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None

    @property
    def release(self) -> str:
        """Content hash of exactly these facts: the id of the release in audit entries and cache keys."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def table(self, name: str) -> TableSummary | None:
        """The table of that name, if it is in scope."""
        return next((t for t in self.tables if t.name == name), None)
