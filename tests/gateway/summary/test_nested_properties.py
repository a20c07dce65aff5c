"""Any documents: no key below the threshold, none that is data, none that is no plain name, whatever the document."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.summary import mongo_paths, nested
from gateway.summary.measured import PathMeasured
from tests.gateway.summary.documents import (
    Row,
    in_duckdb,
    in_mariadb,
    in_mongodb,
    in_postgres,
    in_spark,
    in_sqlite,
    told,
)
from tests.servers.mariadb import MariadbServer
from tests.servers.mongodb import MongodbServer
from tests.servers.postgres import PostgresServer
from tests.servers.spark import SparkServer

ODD_KEYS = (
    "a.b", ".", "..", "a..b", "$", "$.a", "~", "a~b", "[]", "a[]", "a[0]", "[0].a", '"', 'a"b', "'", "a'b", "\\", "`",
    "", " ", "a b", "a\nb", "a\n", "\u2028", "é", "ſ", "\u212a", "名", "🙂", "a\u202eb", "null", "<dynamic>", "items[]",
    "'; DROP TABLE t; --", '") OR 1=1 --', "*/ UNION SELECT 1 /*", "${jndi}", "{{x}}", "%s", "%(scope_0)s", ":scope_0",
    "$rowlessParam", "@v", "?", "x" * 63, "x" * 64, "x" * 5000, "ada@lovelace.example", "u4915112345678", "key",
    "value", "p", "u", "_id", "A", "a",
)  # fmt: skip
KEYS = st.one_of(st.sampled_from(ODD_KEYS), st.sampled_from(["city", "name", "items", "tags"]), st.text(max_size=6))
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**31), 2**31), st.sampled_from([0.5, 1e300, -1e-5]),
    st.sampled_from(["", "x", "{", '{"a": 1}', "[1, 2]", "null", "ada@lovelace.example", "\u0001", "🙂", "\\u0041"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")
LONG = re.compile(r"\d{6}")


def paths_in(value: object, above: str = "", depth: int = 0, *, item: bool = False) -> Iterator[tuple[str, str]]:
    """Every path of a document with its type: a second implementation, of the rule as it is written down."""
    if isinstance(value, dict) and depth < 4:
        for key, inner in value.items():
            if PLAIN.match(key) and inner is not None:
                path = f"{above}.{key}" if above else key
                yield path, kind_of(inner)
                yield from paths_in(inner, path, depth + 1)
    elif isinstance(value, list) and not item:
        for inner in value[:100]:
            if inner is not None:
                yield f"{above}[]", kind_of(inner)
                yield from paths_in(inner, f"{above}[]", depth, item=True)


def kind_of(value: object) -> str:
    kinds: Mapping[type, str] = {bool: "boolean", int: "number", float: "number", str: "text", dict: "object"}
    return kinds.get(type(value), "array")


def common(documents: Sequence[object]) -> dict[str, str]:
    """Paths of plain names that at least ten documents have, and their types: all that may leave the database."""
    units: Counter[str] = Counter()
    kinds: dict[str, set[str]] = {}
    for document in documents:
        found = list(paths_in(document))
        units.update({path for path, _ in found})
        for path, kind in found:
            kinds.setdefault(path, set()).add(kind)
    enough = [path for path, count in units.items() if count >= 10]
    return {path: kinds[path].pop() if len(kinds[path]) == 1 else "mixed" for path in enough}


def check(place: str, documents: Sequence[object]) -> None:
    """What leaves the database is what may, and what is told of it is that without long numbers."""
    answers: list[PathMeasured] = []

    def heard(**facts: Any) -> PathMeasured:
        answers.append(PathMeasured(**facts))
        return answers[-1]

    with patch.object(nested, "PathMeasured", heard), patch.object(mongo_paths, "PathMeasured", heard):
        found = {path: kind for path, (kind, _) in told(place, "a").items()}
    assert {answer.key: answer.type for answer in answers} == common(documents)
    few = sum(document is not None for document in documents) < 30
    assert found == ({} if few else {p: kind for p, kind in common(documents).items() if not LONG.search(p)})


def rows_of(documents: Iterable[object]) -> list[Row]:
    """Documents of tenant a, and as many of another tenant with a key of its own."""
    rows = [("a", i, json.dumps(document)) for i, document in enumerate(documents)]
    return rows + [("b", i, json.dumps({"foreign": i})) for i in range(len(rows))]


@st.composite
def crowds(draw: st.DrawFn) -> list[object]:
    """Forty documents of a few forms, so that some keys are common and some rare."""
    forms = draw(st.lists(VALUES, min_size=1, max_size=4))
    counts = draw(st.lists(st.integers(1, 25), min_size=len(forms), max_size=len(forms)))
    made = [form for form, count in zip(forms, counts, strict=True) for _ in range(count)]
    return [*made, *([{"city": "x"}] * max(0, 40 - len(made)))]


QUIET = list(HealthCheck)


@settings(max_examples=25, deadline=None, suppress_health_check=QUIET)
@given(crowds())
def test_any_documents_in_duckdb(documents: list[object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check(in_duckdb(Path(folder), rows_of(documents)), documents)


@settings(max_examples=30, deadline=None, suppress_health_check=QUIET)
@given(crowds(), st.sampled_from(["json", "text"]))
def test_any_documents_in_sqlite(documents: list[object], kind: str) -> None:
    assume(kind == "json" or all(isinstance(document, dict | list) for document in documents))
    with tempfile.TemporaryDirectory() as folder:
        check(in_sqlite(Path(folder), rows_of(documents), kind), documents)


@pytest.mark.server
@settings(max_examples=8, deadline=None, suppress_health_check=QUIET)
@given(crowds(), st.sampled_from(["json", "jsonb"]))
def test_any_documents_in_postgres(postgres_server: PostgresServer, documents: list[object], kind: str) -> None:
    assume("\\u0000" not in json.dumps(documents))
    check(in_postgres(postgres_server, rows_of(documents), kind), documents)


@pytest.mark.server
@settings(max_examples=10, deadline=None, suppress_health_check=QUIET)
@given(crowds())
def test_any_documents_in_mariadb(mariadb_server: MariadbServer, documents: list[object]) -> None:
    check(in_mariadb(mariadb_server, rows_of(documents)), documents)


@pytest.mark.server
@settings(max_examples=3, deadline=None, suppress_health_check=QUIET)
@given(crowds())
def test_any_documents_in_spark(spark_server: SparkServer, documents: list[object]) -> None:
    check(in_spark(spark_server, rows_of(documents)), documents)


@pytest.mark.server
@settings(max_examples=3, deadline=None, suppress_health_check=QUIET)
@given(crowds())
def test_any_documents_in_mongodb(mongodb_server: MongodbServer, documents: list[object]) -> None:
    kept = [d for d in documents if isinstance(d, dict) and "\\u0000" not in json.dumps(d)]
    assume(len(kept) >= 30)
    check(in_mongodb(mongodb_server, rows_of(kept)), kept)
