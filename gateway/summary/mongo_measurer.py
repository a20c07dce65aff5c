"""Puts the questions of a summary as pipelines: one for a collection (or some of its columns), one for paths.

One ``$facet`` behind the barrier reads each document once and gathers every fact, so all are of one reading. A pipeline
spills nothing to disk; a column whose values need more memory than the server gives is left unknown
(`gateway.summary.measure`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from gateway.catalog import Column, Relationship, Table
from gateway.errors import QueryError, SourceError
from gateway.mongo import Bound, Stage
from gateway.project import SourceConfig
from gateway.summary.asking import CLASS_ROWS, Ask
from gateway.summary.measured import PathMeasured, TableMeasured
from gateway.summary.measurer import Answer, Inclusion, Within, subject_of
from gateway.summary.mongo_asking import (
    class_facts,
    class_stages,
    distinct_stages,
    numbers,
    quantile_stages,
    row_answer,
    row_facts,
    spread_facets,
    typed,
    unit_answer,
    unit_facts,
    unit_fields,
)
from gateway.summary.mongo_paths import path_stages, read_paths
from gateway.summary.paths import TIMEOUT_S
from gateway.summary.spread_statement import PAIR_ROWS
from gateway.tenancy.barrier_mongo import MongoBarrier

_COLUMNS_AT_ONCE: Final = 12
_SAMPLE_ABOVE: Final = 200_000
_SAMPLE_ROWS: Final = 100_000
"""As for the other servers: sorting for quantiles is dear, and a list of 200,000 numbers fits a document (16 MB)."""


class MongoMeasurer:
    """Asks in pipelines."""

    columns_at_once: int = _COLUMNS_AT_ONCE
    sample_above: int = _SAMPLE_ABOVE
    sample_rows: int = _SAMPLE_ROWS

    def count(self, within: Within, table: Table) -> int:
        """Documents of a collection in scope."""
        barrier = MongoBarrier(within.catalog, within.scope)
        stages: list[Stage] = [*barrier.stages(table.name, ()), {"$count": "n"}]
        found = _asked(within, barrier, table.name, stages, barrier.parameters)
        return _whole(found[0].get("n")) if found else 0

    def answer(self, within: Within, ask: Ask) -> Answer:
        """Everything that is asked of some columns of a collection, in one pipeline."""
        barrier = MongoBarrier(within.catalog, within.scope)
        names = {column.name for column in ask.columns} | ({ask.subject} if ask.subject else set())
        stages = [*barrier.stages(ask.table.name, names), *_measuring(ask)]
        bound: dict[str, Any] = dict(barrier.parameters)
        for i, column in enumerate(ask.columns):
            bound |= {f"label_{i}_{j}": label for j, label in enumerate(ask.labels.get(column.name, ()))}
        found = _asked(within, barrier, ask.table.name, stages, bound)
        if len(found) != 1:
            raise QueryError("a summary statement gave no answer", stage="summarise")
        return _read(found[0], ask)

    def spread(
        self,
        within: Within,
        measured: TableMeasured,
        edges: Mapping[str, tuple[float, ...]],
        paired: Sequence[str],
    ) -> Answer:
        """Rows up to each edge, and pairs of columns, in one pipeline."""
        barrier = MongoBarrier(within.catalog, within.scope)
        fields = numbers({*edges, *paired})
        facets = spread_facets(edges, paired, pair_rows=PAIR_ROWS)
        if measured.sampled is not None:
            fields["pick~"] = {"$lt": [{"$rand": {}}, measured.sampled / max(1, measured.rows)]}
            facets["bins"].insert(0, {"$match": {"pick~": True}})
        stages: list[Stage] = [
            *barrier.stages(measured.name, {*edges, *paired}),
            {"$project": fields},
            {"$facet": facets},
        ]
        found = _asked(within, barrier, measured.name, stages, barrier.parameters)
        said = [part for facet in found for name in facets for part in facet.get(name) or ()]
        if len(said) != len(facets):
            raise QueryError("a summary statement gave no answer", stage="summarise")
        return {key: value for part in said for key, value in part.items()}

    def paths(self, within: Within, config: SourceConfig, table: Table, column: Column) -> tuple[PathMeasured, ...]:
        """Paths within documents and lists (`gateway.summary.mongo_paths`)."""
        subject = subject_of(config, table)
        tail = path_stages(column, subject, least=config.thresholds.min_group)
        if not tail:
            return ()
        barrier = MongoBarrier(within.catalog, within.scope)
        stages = [*barrier.stages(table.name, {column.name} | ({subject} if subject else set())), *tail]
        soon = replace(within, timeout_s=min(within.timeout_s, TIMEOUT_S))
        try:
            found = _asked(soon, barrier, table.name, stages, barrier.parameters)
        except (QueryError, SourceError):
            return ()
        return read_paths(found)

    def common(self, within: Within, config: SourceConfig, table: Table, column: str, *, most: int) -> list[object]:
        """Values of a column that enough units have, the commonest first."""
        subject, least = subject_of(config, table), config.thresholds.min_group
        barrier = MongoBarrier(within.catalog, within.scope)
        units: Stage = {"$size": {"$setDifference": ["$units", [None]]}} if subject else {"$add": ["$rows", 0]}
        each = {"$addToSet": "$" + subject} if subject else {"$sum": 1}
        stages: list[Stage] = [
            *barrier.stages(table.name, {column} | ({subject} if subject else set())),
            {"$match": {column: {"$ne": None}}},
            {"$group": {"_id": "$" + column, "rows": {"$sum": 1}, "units": each}},
            # Keys of a sort are read in the order of their names (`gateway.mongo`).
            {"$project": {"_id": 0, "a": {"$multiply": ["$rows", -1]}, "b": "$_id", "units": units}},
            {"$match": {"units": {"$gte": least}}},
            {"$sort": {"a": 1, "b": 1}},
            {"$limit": most},
            {"$project": {"b": 1}},
        ]
        return [row.get("b") for row in _asked(within, barrier, table.name, stages, barrier.parameters)]

    def inclusion(self, within: Within, link: Relationship) -> Inclusion:
        """How far the values of a child column are keys of its supposed parent."""
        child, parent = link.columns[0], link.parent_columns[0]
        barrier = MongoBarrier(within.catalog, within.scope)
        keys: list[Stage] = [
            *barrier.stages(link.parent, {parent}),
            {"$group": {"_id": "$" + parent, "p": {"$sum": 1}}},
        ]
        is_key, is_value = {"$gt": ["$p", 0]}, {"$gt": ["$r", 0]}
        stages: list[Stage] = [
            *barrier.stages(link.table, {child}),
            {"$match": {child: {"$ne": None}}},
            {"$group": {"_id": "$" + child, "r": {"$sum": 1}}},
            {"$unionWith": {"coll": barrier.collection(link.parent), "pipeline": keys}},
            {"$group": {"_id": "$_id", "r": {"$sum": "$r"}, "p": {"$sum": "$p"}}},
            {
                "$group": {
                    "_id": None,
                    "r": {"$sum": "$r"},
                    "n": _counted(is_value),
                    "m": _counted({"$and": [is_key, is_value]}),
                    "a": {"$sum": "$p"},
                    "b": _counted({"$and": [is_key, {"$gt": ["$_id", None]}]}),
                }
            },
        ]
        found = _asked(within, barrier, link.table, stages, barrier.parameters)
        if not found:
            return 0, 0, 0, 0, 0
        rows, values, matched, parent_rows, parent_keys = (_whole(found[0].get(name)) for name in "rnmab")
        return rows, values, matched, parent_rows, parent_keys


def _counted(condition: object) -> Stage:
    return {"$sum": {"$cond": [condition, 1, 0]}}


def _measuring(ask: Ask) -> list[Stage]:
    """The stages after the barrier."""
    fields = typed(ask)
    if ask.share is not None:
        fields["pick"] = {"$lt": [{"$rand": {}}, ask.share]}
    picked: list[Stage] = [] if ask.share is None else [{"$match": {"pick": True}}]
    units: list[Stage]
    if ask.subject is None:
        units = [{"$project": {"_id": 0, **unit_fields(ask, grouped=False)}}]
    else:
        units = [{"$group": {"_id": "$s", **unit_fields(ask, grouped=True)}}]
    facets: dict[str, list[Stage]] = {
        "all": [{"$count": "n"}],
        "rows": [*picked, {"$group": {"_id": None, **row_facts(ask)}}, {"$project": row_answer(ask)}],
        "units": [*picked, *units, {"$group": {"_id": None, **unit_facts(ask)}}, {"$project": unit_answer(ask)}],
    }
    for name, stages in {**distinct_stages(ask), **quantile_stages(ask)}.items():
        facets[name] = [*picked, *stages]
    if classes := class_stages(ask, CLASS_ROWS):
        facets["classes"] = [*picked, *classes]
    return [{"$project": fields}, {"$facet": facets}]


def _read(document: Mapping[str, Any], ask: Ask) -> Answer:
    """The one document of the answer, as facts by key; a collection without documents has none, which reads as zero."""
    answer: dict[str, object] = {}
    for facts in (row_answer(ask), unit_answer(ask), class_facts(ask)):
        answer |= dict.fromkeys(name for name in facts if name != "_id")
    for name in ("rows", "units", "classes"):
        for found in document.get(name) or ():
            answer |= found
    for name in distinct_stages(ask):
        answer[name] = _first(document, name, "n", 0)
    for name in quantile_stages(ask):
        answer[name] = _first(document, name, "q", [])
    answer["rows"] = _first(document, "all", "n", 0)
    return answer


def _first(document: Mapping[str, Any], facet: str, field: str, default: object) -> object:
    found = document.get(facet) or ()
    return found[0].get(field, default) if found else default


def _asked(
    within: Within, barrier: MongoBarrier, table: str, stages: list[Stage], bound: Bound
) -> list[dict[str, Any]]:
    statement = json.dumps(
        {"collection": barrier.collection(table), "pipeline": stages}, sort_keys=True, allow_nan=False
    )
    rows = within.source.aggregate(statement, dict(bound), timeout_s=within.timeout_s)
    return [row[0] for row in rows if isinstance(row[0], dict)]


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0
