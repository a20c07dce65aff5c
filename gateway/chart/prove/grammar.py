"""The closed list of what a proved statement may be made of: node types, their parts, functions, types, numbers.

Anything that is not here is refused, so a new function of an engine or a new node of the parser is refused until
somebody adds it and says why. No function here reads a file, a catalogue, a setting, another table, or runs text.
"""

from __future__ import annotations

from sqlglot import exp

from gateway.catalog import Dialect

_ONE = frozenset({"this"})
_TWO = frozenset({"this", "expression"})

NODES: dict[type[exp.Expr], frozenset[str]] = {
    # Statements and their clauses
    exp.Select: frozenset({"expressions", "from_", "joins", "where", "group", "order", "limit", "with_"}),
    exp.Union: _TWO,
    exp.Subquery: frozenset({"this", "alias"}),
    exp.From: _ONE,
    exp.Where: _ONE,
    exp.Group: frozenset({"expressions"}),
    exp.Order: frozenset({"expressions"}),
    exp.Ordered: frozenset({"this", "desc", "nulls_first"}),
    exp.Limit: frozenset({"expression"}),
    exp.Join: frozenset({"this", "on", "side", "kind"}),
    exp.Alias: frozenset({"this", "alias"}),
    exp.TableAlias: _ONE,
    exp.Table: frozenset({"this", "db", "catalog", "alias"}),
    exp.Column: frozenset({"this", "table"}),
    exp.Identifier: frozenset({"this", "quoted"}),
    exp.Star: frozenset(),
    # Values
    exp.Placeholder: _ONE,
    exp.Literal: frozenset({"this", "is_string"}),
    exp.Null: frozenset(),
    exp.Boolean: _ONE,
    exp.Var: _ONE,
    exp.DataType: frozenset({"this", "expressions"}),
    exp.DataTypeParam: _ONE,
    # Conditions and arithmetic
    exp.Paren: _ONE,
    exp.And: _TWO,
    exp.Or: _TWO,
    exp.Not: _ONE,
    exp.EQ: _TWO,
    exp.NEQ: _TWO,
    exp.LT: _TWO,
    exp.LTE: _TWO,
    exp.GT: _TWO,
    exp.GTE: _TWO,
    exp.Is: _TWO,
    exp.In: frozenset({"this", "expressions", "query"}),
    exp.Tuple: frozenset({"expressions"}),
    exp.Exists: _ONE,
    exp.Case: frozenset({"ifs", "default"}),
    exp.If: frozenset({"this", "true"}),
    exp.Add: _TWO,
    exp.Sub: _TWO,
    exp.Mul: _TWO,
    exp.Div: _TWO | {"typed", "safe"},
    exp.IntDiv: _TWO,
    exp.Mod: _TWO,
    exp.Neg: _ONE,
    exp.DPipe: _TWO | {"safe"},
    exp.Cast: frozenset({"this", "to"}),
    exp.TryCast: frozenset({"this", "to"}),
    exp.Collate: _TWO,
    exp.Nullif: _TWO,
    exp.Coalesce: frozenset({"this", "expressions"}),
    exp.Abs: _ONE,
    exp.Floor: _ONE,
    exp.Sqrt: _ONE,
    # Text
    exp.Lower: _ONE,
    exp.Length: _ONE,
    exp.Substring: frozenset({"this", "start", "length"}),
    exp.StrPosition: frozenset({"this", "substr"}),
    # Aggregates and windows
    exp.Count: frozenset({"this", "big_int"}),
    exp.Distinct: frozenset({"expressions"}),
    exp.Sum: _ONE,
    exp.Avg: _ONE,
    exp.Min: _ONE,
    exp.Max: _ONE,
    exp.RowNumber: frozenset(),
    exp.PercentileCont: _TWO,
    exp.Quantile: frozenset({"this", "quantile"}),
    exp.WithinGroup: _TWO,
    exp.Window: frozenset({"this", "partition_by", "order", "spec", "over"}),
    exp.WindowSpec: frozenset({"kind", "start", "start_side", "end", "end_side"}),
    # Time
    exp.AtTimeZone: frozenset({"this", "zone"}),
    exp.Extract: _TWO,
    exp.TimestampTrunc: frozenset({"this", "unit"}),
    exp.DateAdd: frozenset({"this", "expression", "unit"}),
    exp.DateSub: frozenset({"this", "expression", "unit"}),
    exp.DateDiff: frozenset({"this", "expression", "unit", "date_part_boundary"}),
    exp.TsOrDsAdd: frozenset({"this", "expression", "unit"}),
    exp.ConvertTimezone: frozenset({"source_tz", "target_tz", "timestamp"}),
    exp.Date: _ONE,
    exp.TimeToStr: frozenset({"this", "format"}),
    exp.TsOrDsToDate: _ONE,
    exp.TsOrDsToTimestamp: _ONE,
    exp.Year: _ONE,
    exp.Quarter: _ONE,
    exp.Month: _ONE,
    exp.DayOfMonth: _ONE,
    exp.Hour: _ONE,
}

FUNCTIONS: dict[Dialect, frozenset[str]] = {
    Dialect.DUCKDB: frozenset(),
    Dialect.POSTGRES: frozenset({"DIV"}),
    Dialect.SQLITE: frozenset({"DATE", "DATETIME", "JULIANDAY", "STRFTIME"}),
    Dialect.MYSQL: frozenset({"WEEKDAY"}),
    Dialect.SPARK: frozenset({"WEEKDAY"}),
}
"""Functions that the parser keeps by name. Every other one has a node type above, or is refused."""

WORDS = frozenset({"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "SECOND", "ISODOW", "BINARY"})
"""Bare words: units of time, and SQLite's collation by bytes."""

TYPES = frozenset(
    {"DATE", "TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPNTZ", "DATETIME", "TEXT", "VARCHAR", "CHAR", "BIGINT", "INT",
     "DOUBLE", "FLOAT", "DECIMAL"}
)  # fmt: skip
"""Types a value may be cast to."""

NUMBERS = frozenset(
    {str(n) for n in range(366)}
    | {str(step * 10**power) for step in (1, 2, 5) for power in range(11)}
    | {str(float(f"{step}e{power}")) for step in (1, 2, 5) for power in range(-4, 0)}
    | {"1e-09"}
)
"""Numbers the compiler needs: whole ones up to the periods of a moving average, round widths of bins, and a nudge.

Those of a spec are bound."""

JOINS = frozenset({("LEFT", ""), ("", "INNER"), ("", "CROSS")})
WINDOW_ENDS = frozenset({"UNBOUNDED", "CURRENT ROW"})
