"""The same real engines as the chart tests."""

from tests.gateway.chart.conftest import (
    duckdb_shop,
    mariadb_server,
    mariadb_shop,
    mongodb_server,
    mongodb_shop,
    postgres_server,
    postgres_shop,
    spark_server,
    spark_shop,
    sqlite_shop,
)

__all__ = [
    "duckdb_shop",
    "mariadb_server",
    "mariadb_shop",
    "mongodb_server",
    "mongodb_shop",
    "postgres_server",
    "postgres_shop",
    "spark_server",
    "spark_shop",
    "sqlite_shop",
]
