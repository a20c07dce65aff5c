"""Which engine speaks which dialect."""

from __future__ import annotations

from datetime import datetime

from gateway.catalog import Dialect
from gateway.chart.compile.binder import Binder
from gateway.chart.compile.engine import Engine, WeekStart
from gateway.chart.compile.engine_mysql import MySQLEngine
from gateway.chart.compile.engine_spark import SparkEngine
from gateway.chart.compile.engine_sqlite import SQLiteEngine
from gateway.chart.compile.engine_zoned import DuckDBEngine, PostgresEngine
from gateway.errors import ScopeRefusedError

_ENGINES: dict[Dialect, type[Engine]] = {
    Dialect.DUCKDB: DuckDBEngine,
    Dialect.POSTGRES: PostgresEngine,
    Dialect.SQLITE: SQLiteEngine,
    Dialect.MYSQL: MySQLEngine,
    Dialect.SPARK: SparkEngine,
}


def engine_for(dialect: Dialect, binder: Binder, *, timezone: str, week_start: WeekStart, now: datetime) -> Engine:
    """The dialect of a source.

    Raises:
        ScopeRefusedError: No dialect is written for the engine.
    """
    engine = _ENGINES.get(dialect)
    if engine is None:
        raise ScopeRefusedError("no compiler is known for this engine", stage="compile")
    return engine(binder, timezone=timezone, week_start=week_start, now=now)
