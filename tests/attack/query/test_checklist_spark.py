"""Attacks that only Spark's language has, by the number of the checklist they belong to."""

# ruff: noqa: E501 -- attacks are read more easily on one line

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.catalog import Dialect
from gateway.chart.prove import prove
from gateway.errors import QueryError, ScopeRefusedError
from tests.attack.query.test_checklist import _filled, compiled
from tests.gateway.chart import shop
from tests.gateway.chart.conftest import Engine

_COLUMN = "`t`.`customer_id` AS `d1`, COUNT(*) AS `m1` FROM `s_orders` AS `t`"


def _calling(call: str) -> str:
    return "{with} SELECT " + call + " AS `d1`, 1 AS `m1` FROM `s_orders` AS `t` LIMIT 5001"


STATEMENTS: dict[str, tuple[str, ...]] = {
    "02 text that is put in": ("{with} SELECT '${env:HOME}' AS `d1`, 1 AS `m1` LIMIT 5001", _calling("`t`.`${spark.x}`")),
    "05 from first, pipes": ("FROM orders SELECT *", "{all} |> LIMIT 1", "FROM s_orders |> AGGREGATE COUNT(*)"),
    "06 what Spark runs besides queries": (
        "REFRESH TABLE orders", "CACHE TABLE orders", "ADD JAR 'http://x/y.jar'", "LIST JAR", "SHOW CREATE TABLE orders",
        "CREATE TEMPORARY FUNCTION leak AS 'x.Y'", "MSCK REPAIR TABLE orders", "DESCRIBE EXTENDED orders", "BEGIN SELECT 1; END",
        "EXECUTE IMMEDIATE 'SELECT 1'", "INSERT OVERWRITE DIRECTORY '/tmp/x' SELECT 1", "USE other",
    ),
    "08 hints": ("{with} SELECT /*+ BROADCAST(t) */ " + _COLUMN + " LIMIT 5001",),
    "11 a name made of text": (
        "{with} SELECT `t`.`customer_id` AS `d1`, 1 AS `m1` FROM IDENTIFIER('orders') AS `t` LIMIT 5001", _calling("IDENTIFIER('tenant_id')"),
    ),
    "16 star, regular expressions and structs": (
        "{with} SELECT `t`.`(.*)?` AS `d1`, 1 AS `m1` FROM `s_orders` AS `t` LIMIT 5001", _calling("STRUCT(*)"),
        _calling("TO_JSON(STRUCT(`t`.`tenant_id`))"), _calling("`t`.*"), _calling("`t`.`customer_id`.`x`"),
    ),
    "18 hidden columns of files": (
        _calling("`t`.`_metadata`.`file_path`"), _calling("INPUT_FILE_NAME()"), _calling("INPUT_FILE_BLOCK_START()"),
    ),
    "19 functions that run code": (
        _calling("REFLECT('java.lang.System', 'getenv')"), _calling("JAVA_METHOD('java.lang.System', 'exit', 1)"),
        _calling("TRY_REFLECT('java.lang.System', 'getProperty', 'user.home')"),
        "{with} SELECT TRANSFORM(`t`.`customer_id`) USING 'cat' AS (`d1`) FROM `s_orders` AS `t` LIMIT 5001",
    ),
    "20 settings and server functions": (
        _calling("CURRENT_USER()"), _calling("SESSION_USER()"), _calling("CURRENT_CATALOG()"), _calling("VERSION()"), _calling("SPARK_PARTITION_ID()"),
    ),
    "21 files by their path, tables of functions": tuple(
        "{with} SELECT `f`.`value` AS `d1`, 1 AS `m1` FROM " + source + " AS `f` LIMIT 5001"
        for source in ("text.`/etc/passwd`", "`parquet`.`/data`", "`text`.`file:///etc/passwd`", "read_files('/etc')", "RANGE(10)", "EXPLODE(ARRAY(1))")
    ),
    "24 errors that are asked for": (
        _calling("RAISE_ERROR(`t`.`status`)"), _calling("ASSERT_TRUE(`t`.`status` = 'x', `t`.`status`)"), _calling("TO_NUMBER(`t`.`status`, '9')"),
        _calling("RLIKE(`t`.`status`, '(')"),
    ),
    "25 lateral views, samples, pivots": (
        "{with} SELECT `x`.`c` AS `d1`, 1 AS `m1` FROM `s_orders` AS `t` LATERAL VIEW EXPLODE(SEQUENCE(1, 1000000)) x AS c LIMIT 5001",
        "{with} SELECT " + _COLUMN + " TABLESAMPLE (1 PERCENT) LIMIT 5001",
        "{with} SELECT * FROM `s_orders` PIVOT (COUNT(*) FOR `status` IN ('new')) LIMIT 5001",
        "{with} SELECT " + _COLUMN + " LEFT ANTI JOIN `s_orders` AS `b` ON `t`.`id` = `b`.`id` LIMIT 5001",
    ),
    "29 another time, another catalogue": (
        "{with} SELECT " + _COLUMN + " VERSION AS OF 1 LIMIT 5001", "{with} SELECT `t`.`customer_id` AS `d1`, 1 AS `m1` FROM `spark_catalog`.`chartshop`.`orders` AS `t` LIMIT 5001",
        "{with} SELECT `t`.`customer_id` AS `d1`, 1 AS `m1` FROM `global_temp`.`orders` AS `t` LIMIT 5001",
    ),
}  # fmt: skip

FENCES = (
    (", RAND() AS `~fence`", ""),
    ("RAND() AS `~fence`", "0 AS `~fence`"),
    ("RAND() AS `~fence`", "RAND(1) AS `~fence`"),
    ("WHERE `~fence` >= 0", ""),
    ("WHERE `~fence` >= 0", "WHERE `~fence` >= 1"),
    ("WHERE `~fence` >= 0", "WHERE `~fence` > 0"),
    ("WHERE `~fence` >= 0", "WHERE `~fence` >= 0 OR `~fence` IS NULL"),
    ("RAND() AS `~fence`", "RAND() AS `fence`"),
    (
        "SELECT `customer_id` FROM (SELECT `customer_id`",
        "SELECT `customer_id` FROM (SELECT `tenant_id` AS `customer_id`",
    ),
    ("SELECT `customer_id` FROM (", "SELECT `customer_id`, `~fence` FROM ("),
    (" AS `f` WHERE", " AS `f` CROSS JOIN `orders` WHERE"),
)
"""What is done to the fence, and is refused."""


@pytest.mark.parametrize("name", STATEMENTS)
def test_statement_is_refused(name: str) -> None:
    """R: by the checker, before any driver."""
    query = compiled(Dialect.SPARK)
    for form in STATEMENTS[name]:
        with pytest.raises(ScopeRefusedError):
            prove(
                replace(query, statement=_filled(form, query)),
                catalog=shop.catalog(Dialect.SPARK),
                scope=shop.scope("a"),
            )


@pytest.mark.parametrize(("was", "becomes"), FENCES)
def test_a_fence_that_is_no_fence_is_refused(was: str, becomes: str) -> None:
    """R: it must be random, tested so that no row is lost, and let out the columns it reads under their names."""
    query = compiled(Dialect.SPARK)
    attack = query.statement.replace(was, becomes)
    assert attack != query.statement
    with pytest.raises(ScopeRefusedError):
        prove(replace(query, statement=attack), catalog=shop.catalog(Dialect.SPARK), scope=shop.scope("a"))


@pytest.mark.server
def test_the_session_refuses_what_the_checker_would_miss(spark_shop: Engine) -> None:
    """E: files by path, patterns for names and text that is put in are off in the session itself."""
    for statement in (
        "SELECT * FROM text.`/etc/passwd`",
        "SELECT `(.*)?` FROM chartshop.orders",
        "SELECT 1 AS a FROM chartshop.orders GROUP BY ${spark.x}",
    ):
        with pytest.raises(QueryError):
            spark_shop.source.aggregate(statement, {}, timeout_s=60)
    assert spark_shop.source.aggregate("SELECT '${env:HOME}' AS a", {}, timeout_s=60) == [("${env:HOME}",)]
