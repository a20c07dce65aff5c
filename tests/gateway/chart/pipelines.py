"""Proved pipelines run over a plain driver, without what the source adds: compiler and checker by themselves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bson import Decimal128, ObjectId
from pymongo.database import Database

from gateway.catalog import Catalog, Dialect
from gateway.mongo import substituted
from gateway.sources.base import Cancel
from gateway.sources.cells import convert
from gateway.tenancy.scope import Limits
from gateway.types import ResultTable, ScopedQuery
from tests.gateway.chart import shop

Documents = Database[dict[str, Any]]


def load_shop(database: Documents) -> None:
    """Every table of the shop as a collection."""
    for name in shop.COLUMNS:
        database.drop_collection(name)
        database[name].insert_many([_stored(document) for document in shop.documents(name)])


def _stored(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stored(item) for key, item in value.items()}
    return Decimal128(value) if isinstance(value, Decimal) else value


def run(database: Documents, query: ScopedQuery) -> list[tuple[Any, ...]]:
    """Rows as the driver gives them, decimals as Python's."""
    said = query.query
    stages = substituted(said.statement, said.parameters, object_id=ObjectId)
    found = database[said.collection].aggregate(stages, maxTimeMS=20_000)
    return [
        tuple(v.to_decimal() if isinstance(v, Decimal128) else v for v in (d[c.field] for c in said.columns))
        for d in found
    ]


class PlainSource:
    """As much of a source as running a proved pipeline needs."""

    name = "shop"
    dialect = Dialect.MONGODB

    def __init__(self, database: Documents) -> None:
        self._database = database

    def reflect(self) -> Catalog:
        return shop.catalog(Dialect.MONGODB)

    def run(self, query: ScopedQuery, *, limits: Limits, cancel: Cancel | None = None) -> ResultTable:
        rows = convert(run(self._database, query), query.query.columns)
        return ResultTable(
            columns=query.query.columns, rows=tuple(rows[: limits.max_rows]), truncated=len(rows) > limits.max_rows
        )
