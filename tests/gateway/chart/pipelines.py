"""The shop on MongoDB, and proved pipelines run over a plain driver: what a tenant sees without a source's limits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bson import Decimal128, ObjectId
from pymongo.database import Database

from gateway.catalog import Dialect
from gateway.mongo import substituted
from gateway.types import ScopedQuery
from tests.gateway.chart import shop

Documents = Database[dict[str, Any]]


def load_shop(database: Documents) -> None:
    """Every table of the shop as a collection, whose validator tells its fields as an owner might."""
    for name in shop.COLUMNS:
        database.drop_collection(name)
        database.create_collection(name, validator={"$jsonSchema": _schema(name)}, validationAction="warn")
        database[name].insert_many([_stored(document) for document in shop.documents(name)])


def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"bsonType": "object", "properties": {}}
    for column in shop.catalog(Dialect.MONGODB).by_name[name].columns:
        *way, last = column.physical.split(".")
        within = schema
        for part in way:
            within = within["properties"].setdefault(part, {"bsonType": "object", "properties": {}})
        within["properties"][last] = {"bsonType": [*column.native_type.split("|"), "null"]}
    return schema


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
