"""What the owner says of tables, columns, measures and relationships, in the project file (``rowless.toml``).

Frozen strict models: a key that is not known, a rule that stands twice, or a value of the wrong type is refused, and
the value itself never repeated. What each key means: docs/project-file.md. How the file is read: `gateway.project`.
Whether a rule fits the database: `gateway.tenancy.rules.check_rules`, which has the catalog.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from gateway.chart.metric import MetricInvalidError, parse_metric
from gateway.summary.model import Name, OwnerText, Semantic

_ONE = r"[A-Za-z_][A-Za-z0-9_]{0,62}"
ColumnPath = Annotated[str, StringConstraints(pattern=rf"^{_ONE}\.{_ONE}$")]
VIA = re.compile(rf"\s*({_ONE})\s*->\s*({_ONE})\.({_ONE})\s*\Z")
LINK = re.compile(
    rf"\s*({_ONE}\.{_ONE}(?:\s*,\s*{_ONE}\.{_ONE})*)\s*->\s*({_ONE}\.{_ONE}(?:\s*,\s*{_ONE}\.{_ONE})*)\s*\Z"
)
LabelText = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class Closed(BaseModel):
    """A strict, frozen model that keeps what it was given out of its errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class ColumnRule(Closed):
    """What the owner says of one column."""

    physical: str | None = None
    """The column's own name; a must where a rule speaks of it by a number (``c9``), which may move to another."""
    description: OwnerText = ""
    """One sentence for the model; scanned, and capped as it may carry instructions."""
    synonyms: tuple[OwnerText, ...] = ()
    """Other words askers use for the column."""
    vocabulary: Literal[True] | Annotated[tuple[LabelText, ...], Field(min_length=1, max_length=50)] | None = None
    """Opt-in to labels: true for the list the database declares (enum or CHECK), or the approved labels."""
    semantic: Semantic | None = None
    """What the column means, where the inference is wrong."""
    hidden: bool = False
    """Never visible: not to the model, not in a chart."""
    bounds: tuple[float, float] | None = None
    """Lowest and highest value that can be, told as the range; needed for a mean with differential privacy."""

    @model_validator(mode="after")
    def _bounds_in_order(self) -> ColumnRule:
        if self.bounds is not None and not self.bounds[0] < self.bounds[1]:
            msg = "bounds are [lowest, highest]"
            raise ValueError(msg)
        return self


class TableRule(Closed):
    """Whose rows these are (`tenant`, `via` or `shared`: exactly one, unless the source is unrestricted)."""

    tenant: Name | None = None
    """Column that holds the tenant's id: only rows equal to the session's tenant are visible."""
    physical: str | None = None
    """The table's own name, schema first; a must where a number (``t3``) stands for it, which may move to another."""
    via: str | None = None
    """``order_id -> orders.id``: rows are visible if their parent row is."""
    shared: bool = False
    """A look-up table that every tenant may read in full."""
    match: dict[Name, Name] = {}
    """Further filters, column = session attribute; a session without the attribute is refused."""
    allow: tuple[Name, ...] | None = None
    """Only these columns exist for askers."""
    deny: tuple[Name, ...] = ()
    """These columns do not exist for askers."""
    subject: Name | None = None
    """Column that names the person or firm a row is about: thresholds then count these, not rows."""
    description: OwnerText = ""
    synonyms: tuple[OwnerText, ...] = ()
    columns: dict[Name, ColumnRule] = {}

    @model_validator(mode="after")
    def _one_rule(self) -> TableRule:
        if sum((self.tenant is not None, self.via is not None, self.shared)) > 1:
            msg = "give one of tenant, via and shared, not several"
            raise ValueError(msg)
        if self.via is not None and not VIA.match(self.via):
            msg = "via is written 'column -> parent.column'"
            raise ValueError(msg)
        if self.match and not (self.tenant or self.via):
            msg = "match narrows a tenant or via rule; it does not replace one"
            raise ValueError(msg)
        return self

    @property
    def has_rule(self) -> bool:
        """Whether it says whose rows these are."""
        return self.tenant is not None or self.via is not None or self.shared

    @property
    def parent(self) -> tuple[str, str, str] | None:
        """The ``via`` rule as (column, parent table, parent column)."""
        found = VIA.match(self.via) if self.via else None
        return (found[1], found[2], found[3]) if found else None


class MetricRule(Closed):
    """A named measure: an aggregate over ``table.column`` names, numbers and + - * /."""

    expression: Annotated[str, StringConstraints(min_length=3, max_length=400)]
    format: Literal["number", "currency", "percent"] = "number"
    description: OwnerText = ""
    synonyms: tuple[OwnerText, ...] = ()

    @model_validator(mode="after")
    def _is_aggregate(self) -> MetricRule:
        try:
            parse_metric(self.expression)
        except MetricInvalidError:
            msg = "a metric is one aggregate, for example 'sum(orders.quantity * orders.price)'"
            raise ValueError(msg) from None
        return self


class RelationshipRules(Closed):
    """Relationships the owner adds or takes back, each ``orders.customer_id -> customers.id``."""

    infer: bool = True
    """Look for undeclared keys by name and type, tested in the database; they are marked as inferred."""
    confirm: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _are_links(self) -> RelationshipRules:
        for text in (*self.confirm, *self.remove):
            if read_link(text) is None:
                msg = "a relationship is written 'orders.customer_id -> customers.id'"
                raise ValueError(msg)
        return self


class Thresholds(Closed):
    """Disclosure thresholds: they can be raised here, never lowered. Sources: docs/disclosure.md."""

    min_group: Annotated[int, Field(ge=10, le=10_000)] = 10
    """Smallest group of subjects that may show in a fact."""
    min_distinct: Annotated[int, Field(ge=30, le=100_000)] = 30
    """Fewest subjects for a distinct count, mean or standard deviation."""
    min_spread: Annotated[int, Field(ge=100, le=1_000_000)] = 100
    """Fewest subjects for ranges and quantiles; p10 and p90 need twice as many."""
    p_percent: Annotated[float, Field(ge=10, le=100)] = 10.0
    """p% rule: the second-largest contributor must not learn the largest to within this."""
    top_two_share: Annotated[float, Field(gt=0, le=0.85)] = 0.85
    """Two contributors may not make up more of a total."""
    sample_above: Annotated[int, Field(ge=10_000)] = 5_000_000
    """Rows above which all facts but the row count are those of a random sample."""
    sample_rows: Annotated[int, Field(ge=10_000)] = 1_000_000
    """About how many rows such a sample has."""
    release_hours: Annotated[int, Field(ge=24, le=8_784)] = 24
    """Fewest hours between two releases of a table's facts."""


class PrivacyRules(Closed):
    """Differential privacy, off unless this is given (docs/disclosure.md, differential privacy)."""

    epsilon: Annotated[float, Field(gt=0, le=10)]
    """Cost of one release of one table within one scope."""
    budget: Annotated[float, Field(gt=0, le=1_000)]
    """What all releases of one table within one scope may cost together."""


def read_link(text: str) -> tuple[str, tuple[str, ...], str, tuple[str, ...]] | None:
    """Read ``a.x, a.y -> b.x, b.y`` as (table, columns, parent, parent columns); None if it is not that."""
    found = LINK.match(text)
    if not found:
        return None
    child, parent = ([part.strip().split(".") for part in side.split(",")] for side in (found[1], found[2]))
    if len(child) != len(parent) or len({t for t, _ in child}) != 1 or len({t for t, _ in parent}) != 1:
        return None
    return child[0][0], tuple(c for _, c in child), parent[0][0], tuple(c for _, c in parent)
