"""What ``--explain`` shows of a statement."""

from __future__ import annotations

import json

from gateway.catalog import Dialect
from gateway.commands.explain import stage_by_stage
from tests.gateway.chart import shop
from tests.gateway.chart.cases import CASES


def test_a_pipeline_is_shown_stage_by_stage_and_sql_as_it_is() -> None:
    """Nothing is left out or put in: the lines are the stages."""
    query = shop.compiled(CASES["exists"], shop=shop.catalog(Dialect.MONGODB))
    lines = stage_by_stage(query.statement).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(query.statement)
    assert len(lines) > 5
    sql = shop.compiled(CASES["exists"]).statement
    assert stage_by_stage(sql) == sql
