"""What the columns of a result are called and how they are shown."""

from __future__ import annotations

import re
from typing import Literal

from gateway.catalog import ColumnType
from gateway.chart.compile.question import BOX, Question
from gateway.chart.spec import ChartSpec, Dimension, Measure
from gateway.summary.model import ColumnSummary
from gateway.types import ResultColumn

Format = Literal["number", "integer", "currency", "percent", "date", "text"]
CellType = Literal["number", "text", "boolean", "date", "datetime"]
_PARTS = {
    "quarter_of_year": "Quarter", "month_of_year": "Month", "day_of_month": "Day of month", "weekday": "Weekday",
    "hour_of_day": "Hour",
}  # fmt: skip
_WORDS = {
    "count_distinct": "Distinct", "sum": "Total", "avg": "Average", "median": "Median", "min": "Lowest",
    "max": "Highest", "stddev": "Spread of",
}  # fmt: skip
_BOX = {"min": "Lowest", "q1": "First quartile", "median": "Median", "q3": "Third quartile", "max": "Highest"}
_ABBREVIATIONS = frozenset(
    {
        "mrr",
        "arr",
        "aov",
        "csat",
        "nps",
        "id",
        "url",
        "sku",
        "vat",
        "roi",
        "ctr",
        "cac",
        "ltv",
        "gmv",
        "kpi",
        "ip",
        "gdp",
    }
)
_VAGUE = frozenset({"name", "title", "label", "id", "code", "type", "kind", "description"})


def words(name: str) -> str:
    """A name as words: ``unit_price`` and ``unitPrice`` are "unit price"."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ")
    return " ".join(spaced.split()).lower()


def singular(name: str) -> str:
    """A table's name for one of its rows, by the commonest English endings."""
    if name.endswith("ies") and len(name) > 4:
        return name[:-3] + "y"
    if name.endswith(("sses", "xes", "ches", "shes")):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


def result_columns(question: Question, groups: dict[str, Dimension], *, boxplot: bool) -> tuple[ResultColumn, ...]:
    """One entry per output column, in output order, with titles that tell them apart."""
    spec = question.spec
    columns: list[ResultColumn] = []
    for name, dimension in groups.items():
        columns.append(_group(question, name, dimension))
    for position, measure in enumerate(spec.measures):
        if boxplot:
            columns.extend(_box(question, position, measure))
        else:
            columns.append(_measure(question, spec, position, measure))
    seen: dict[str, int] = {}
    unique: list[ResultColumn] = []
    for column in columns:
        seen[column.title] = seen.get(column.title, 0) + 1
        times = seen[column.title]
        title = column.title if times == 1 else f"{column.title} {times}"
        unique.append(_titled(column, title))
    return tuple(unique)


def _titled(column: ResultColumn, title: str) -> ResultColumn:
    return ResultColumn(
        field=column.field, title=title, type=column.type, role=column.role, format=column.format, grain=column.grain
    )


def _capital(text: str) -> str:
    """A title: first letter upper case, and abbreviations as they are written."""
    text = " ".join(word.upper() if word in _ABBREVIATIONS else word for word in text.split(" "))
    return text[:1].upper() + text[1:]


def _group(question: Question, name: str, dimension: Dimension) -> ResultColumn:
    table, column = question.column(dimension.column)
    summary = question.names.column(dimension.column)
    title = _column_title(table, column.name)
    kind, shown, grain = _column_type(column.type), _column_format(summary), ""
    if dimension.grain is not None:
        title, grain, shown = _capital(dimension.grain), dimension.grain, "date"
        kind = "datetime" if dimension.grain == "hour" else "date"
    elif dimension.part is not None:
        title, grain, kind, shown = _PARTS[dimension.part], dimension.part, "number", "integer"
    elif dimension.bin is not None:
        kind, grain = "number", f"bin:{dimension.bin.width:g}" if dimension.bin.width else "bin"
    elif kind in {"date", "datetime"}:
        shown, grain = "date", "day" if kind == "date" else ""
    role: Literal["series", "dimension"] = "series" if name == "s" else "dimension"
    return ResultColumn(field=name, title=title, type=kind, role=role, format=shown, grain=grain)


def _column_title(table: str, column: str) -> str:
    plain = words(column)
    return _capital(f"{singular(words(table))} {plain}" if plain in _VAGUE else plain)


def _column_type(kind: ColumnType) -> CellType:
    if kind.is_numeric:
        return "number"
    known: dict[ColumnType, CellType] = {
        ColumnType.BOOLEAN: "boolean", ColumnType.DATE: "date", ColumnType.DATETIME: "datetime",
    }  # fmt: skip
    return known.get(kind, "text")


def _column_format(column: ColumnSummary | None) -> Format:
    if column is None or not column.type.is_numeric:
        return "text"
    if column.semantic in {"currency", "percent"}:
        return "currency" if column.semantic == "currency" else "percent"
    return "integer" if column.type is ColumnType.INTEGER else "number"


def _measure(question: Question, spec: ChartSpec, position: int, measure: Measure) -> ResultColumn:
    title, shown = measure_title(question, spec, measure), measure_format(question, spec, measure)
    if measure.filter is not None and any(
        other == measure.model_copy(update={"filter": None}) for other in spec.measures
    ):
        # The filter's own words are in the sentence; here the two only have to be told apart.
        title = f"{title} (selected)"
    kind: CellType = "number"
    if measure.derive is None and question.result_type(measure) in {"date", "datetime"}:
        kind = "date" if question.result_type(measure) == "date" else "datetime"
        shown = "date"
    return ResultColumn(field=f"m{position + 1}", title=title, type=kind, role="measure", format=shown)


def _box(question: Question, position: int, measure: Measure) -> list[ResultColumn]:
    table, _, name = (measure.column or "").partition(".")
    about = _column_title(table, name).lower()
    shown = _column_format(question.names.column(measure.column or ""))
    return [
        ResultColumn(field=f"m{position + 1}_{part}", title=f"{_BOX[part]} {about}", type="number", role="measure",
                     format="number" if shown == "integer" else shown)
        for part in BOX
    ]  # fmt: skip


def measure_title(question: Question, spec: ChartSpec, measure: Measure) -> str:
    """A measure in a few words."""
    if measure.metric is not None:
        return _capital(words(measure.metric))
    if measure.derive is not None:
        return _derived_title(question, spec, measure)
    if measure.column is None:
        return _capital(words(spec.table))
    table, _, name = measure.column.partition(".")
    about = _column_title(table, name).lower()
    if measure.aggregate == "count":
        return _capital(words(table)) if name in _key_of(question, table) else f"Number of {about}"
    if measure.aggregate == "count_distinct":
        return _distinct_title(question, table, name, about)
    if measure.aggregate == "percentile":
        return f"{measure.percentile:g}th percentile of {about}"
    return f"{_WORDS[measure.aggregate or 'sum']} {about}"


def _key_of(question: Question, table: str) -> tuple[str, ...]:
    found = question.catalog.by_name.get(table)
    return found.primary_key if found and len(found.primary_key) == 1 else ()


def _distinct_title(question: Question, table: str, name: str, about: str) -> str:
    """Distinct keys are the rows they stand for: "Distinct customers"."""
    if name in _key_of(question, table):
        return f"Distinct {words(table)}"
    for link in question.names.summary.links:
        if link.table == table and link.columns == (name,):
            return f"Distinct {words(link.parent)}"
    return f"Distinct {about}"


def _derived_title(question: Question, spec: ChartSpec, measure: Measure) -> str:
    of = _referred(spec, measure.of)
    base = measure_title(question, spec, of) if of else "Value"
    lower = base[:1].lower() + base[1:]
    if measure.derive == "ratio":
        by = _referred(spec, measure.by)
        below = measure_title(question, spec, by) if by else "value"
        if base == below:
            return f"Share of {lower}"
        return f"{base} per {singular(below[:1].lower() + below[1:])}"
    return {
        "share_of_total": f"Share of {lower}",
        "running_total": f"Running total of {lower}",
        "moving_average": f"Moving average of {lower}",
        "change": f"Change in {lower}",
        "change_percent": f"Change in {lower} (%)",
    }[measure.derive or "change"]


def _referred(spec: ChartSpec, name: str | None) -> Measure | None:
    if name is None or name[0] != "m":
        return None
    position = int(name[1:]) - 1
    return spec.measures[position] if position < len(spec.measures) else None


def measure_format(question: Question, spec: ChartSpec, measure: Measure) -> Format:
    """How the numbers of a measure are written."""
    if measure.metric is not None:
        metric = question.names.metric(measure.metric)
        if metric is not None and metric.aggregate in {"count", "count_distinct"}:
            return "integer"
        return metric.format if metric else "number"
    if measure.derive is not None:
        return _derived_format(question, spec, measure)
    if measure.column is None or measure.aggregate in {"count", "count_distinct"}:
        return "integer"
    shown = _column_format(question.names.column(measure.column))
    if shown == "integer" and measure.aggregate not in {"sum", "min", "max"}:
        return "number"
    return shown


def _derived_format(question: Question, spec: ChartSpec, measure: Measure) -> Format:
    of, by = _referred(spec, measure.of), _referred(spec, measure.by)
    if measure.derive in {"share_of_total", "change_percent"}:
        return "percent"
    shown = measure_format(question, spec, of) if of else "number"
    if measure.derive == "ratio":
        below = measure_format(question, spec, by) if by else "number"
        if of and by and of.model_copy(update={"filter": None}) == by.model_copy(update={"filter": None}):
            return "percent"
        return "currency" if shown == "currency" and below != "currency" else "number"
    return "number" if shown == "integer" and measure.derive == "moving_average" else shown
