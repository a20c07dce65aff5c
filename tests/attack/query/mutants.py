"""Ways to break a compiled statement.

Each takes a parsed statement and changes it so that it says something else about who may see what; None where there
is nothing of its kind to break.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import sqlglot
from sqlglot import exp

from gateway.types import CompiledQuery

Mutator = Callable[[exp.Select, Random], "exp.Expr | None"]
TREES: dict[str, Mutator] = {}
QUERIES: dict[str, Callable[[CompiledQuery, Random], CompiledQuery | None]] = {}


def _tree(mutator: Mutator) -> Mutator:
    TREES[mutator.__name__.strip("_")] = mutator
    return mutator


def _query(
    mutator: Callable[[CompiledQuery, Random], CompiledQuery | None],
) -> Callable[[CompiledQuery, Random], CompiledQuery | None]:
    QUERIES[mutator.__name__.strip("_")] = mutator
    return mutator


def mutate(query: CompiledQuery, name: str, random: Random) -> CompiledQuery | None:
    """The query broken in one way; None if that way does not apply or changes nothing."""
    if name in QUERIES:
        return QUERIES[name](query, random)
    tree = sqlglot.parse_one(query.statement, read=query.dialect.value)
    assert isinstance(tree, exp.Select)
    same = tree.sql(dialect=query.dialect.value)
    broken = TREES[name](tree, random)
    if broken is None:
        return None
    text = broken.sql(dialect=query.dialect.value)
    return None if text == same else replace(query, statement=text)


def _ctes(tree: exp.Select) -> list[exp.CTE]:
    with_ = tree.args["with_"]
    return [cte for cte in with_.expressions if cte.alias.startswith("s_")]


def _body(cte: exp.CTE) -> exp.Select:
    """The SELECT that reads the base table: on Spark it stands within the fence."""
    select = cte.this
    source = select.args["from_"].this
    return source.this if isinstance(source, exp.Subquery) else select  # type: ignore[no-any-return]


def _scoped(tree: exp.Select, random: Random) -> exp.CTE | None:
    found = [cte for cte in _ctes(tree) if _body(cte).args.get("where")]
    return random.choice(found) if found else None


def _predicate(tree: exp.Select, random: Random) -> exp.Expr | None:
    cte = _scoped(tree, random)
    return _body(cte).args["where"].this if cte else None


def _outer_tables(tree: exp.Select) -> list[exp.Table]:
    inside = {id(table) for cte in _ctes(tree) for table in cte.find_all(exp.Table)}
    return [table for table in tree.find_all(exp.Table) if id(table) not in inside]


def _ident(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)


def _base(random: Random) -> exp.Table:
    return exp.Table(this=_ident(random.choice(["orders", "customers", "items", "products", "tickets", "secrets"])))


@_tree
def drop_scope_filter(tree: exp.Select, random: Random) -> exp.Expr | None:
    cte = _scoped(tree, random)
    if cte is not None:
        _body(cte).set("where", None)
    return tree if cte is not None else None


@_tree
def or_true(tree: exp.Select, random: Random) -> exp.Expr | None:
    test = _predicate(tree, random)
    if test is None:
        return None
    test.replace(
        exp.Or(this=test.copy(), expression=exp.EQ(this=exp.Literal.number(1), expression=exp.Literal.number(1)))
    )
    return tree


@_tree
def negate_scope(tree: exp.Select, random: Random) -> exp.Expr | None:
    test = _predicate(tree, random)
    if test is not None:
        test.replace(exp.Not(this=exp.Paren(this=test.copy())))
    return tree if test is not None else None


@_tree
def weaken_comparison(tree: exp.Select, random: Random) -> exp.Expr | None:
    test = _predicate(tree, random)
    found = list(test.find_all(exp.EQ)) if test is not None else []
    if not found:
        return None
    chosen = random.choice(found)
    kind = random.choice([exp.NEQ, exp.GTE, exp.LTE, exp.Like, exp.NullSafeEQ])
    chosen.replace(kind(this=chosen.this.copy(), expression=chosen.expression.copy()))
    return tree


@_tree
def compare_with_itself(tree: exp.Select, random: Random) -> exp.Expr | None:
    test = _predicate(tree, random)
    found = list(test.find_all(exp.Placeholder)) if test is not None else []
    if not found:
        return None
    random.choice(found).replace(exp.column("tenant_id", quoted=True))
    return tree


@_tree
def literal_tenant(tree: exp.Select, random: Random) -> exp.Expr | None:
    test = _predicate(tree, random)
    found = list(test.find_all(exp.Placeholder)) if test is not None else []
    if not found:
        return None
    random.choice(found).replace(exp.Literal.string("A"))
    return tree


@_tree
def other_parameter(tree: exp.Select, random: Random) -> exp.Expr | None:
    test = _predicate(tree, random)
    found = list(test.find_all(exp.Placeholder)) if test is not None else []
    if not found:
        return None
    random.choice(found).replace(exp.Placeholder(this="p0"))
    return tree


@_tree
def other_filter_column(tree: exp.Select, random: Random) -> exp.Expr | None:
    test = _predicate(tree, random)
    if test is None:
        return None
    column = random.choice(list(test.find_all(exp.Column)))
    column.set("this", _ident("id" if column.name != "id" else "tenant_id"))
    return tree


@_tree
def other_base_table(tree: exp.Select, random: Random) -> exp.Expr | None:
    cte = random.choice(_ctes(tree))
    _body(cte).args["from_"].set("this", _base(random))
    return tree


@_tree
def other_schema(tree: exp.Select, random: Random) -> exp.Expr | None:
    table = _body(random.choice(_ctes(tree))).args["from_"].this
    table.set("db", _ident(random.choice(["other", "public", "main", "pg_catalog", "information_schema"])))
    return tree


@_tree
def parent_by_base_table(tree: exp.Select, random: Random) -> exp.Expr | None:
    for cte in _ctes(tree):
        where = _body(cte).args.get("where")
        inner = where.find(exp.Table) if where else None
        if inner is not None:
            inner.set("this", _ident(inner.name.removeprefix("s_")))
            return tree
    return None


@_tree
def parent_by_other_key(tree: exp.Select, random: Random) -> exp.Expr | None:
    for cte in _ctes(tree):
        where = _body(cte).args.get("where")
        inner = where.find(exp.Select) if where else None
        if inner is not None:
            inner.expressions[0].set("this", _ident("customer_id"))
            return tree
    return None


@_tree
def drop_fence(tree: exp.Select, random: Random) -> exp.Expr | None:
    cte = _scoped(tree, random)
    if cte is None:
        return None
    cte.set("materialized", None)
    cte.this.set("limit", None)
    if _body(cte) is not cte.this:
        inner = _body(cte).copy()
        inner.set("expressions", inner.expressions[:-1])
        cte.set("this", inner)
    return tree


@_tree
def let_hidden_column_through(tree: exp.Select, random: Random) -> exp.Expr | None:
    cte = random.choice(_ctes(tree))
    _body(cte).expressions.append(exp.alias_(exp.column("tenant_id", quoted=True), "tenant_id", quoted=True))
    return tree


@_tree
def alias_hidden_column(tree: exp.Select, random: Random) -> exp.Expr | None:
    cte = random.choice(_ctes(tree))
    item = random.choice(_body(cte).expressions)
    item.replace(exp.alias_(exp.column("tenant_id", quoted=True), item.alias_or_name, quoted=True))
    return tree


@_tree
def star_in_scope_cte(tree: exp.Select, random: Random) -> exp.Expr | None:
    _body(random.choice(_ctes(tree))).set("expressions", [exp.Star()])
    return tree


@_tree
def read_base_table_outside(tree: exp.Select, random: Random) -> exp.Expr | None:
    tables = [t for t in _outer_tables(tree) if t.name.startswith("s_")]
    if not tables:
        return None
    table = random.choice(tables)
    table.set("this", _ident(table.name.removeprefix("s_")))
    return tree


@_tree
def read_catalogue_outside(tree: exp.Select, random: Random) -> exp.Expr | None:
    table = random.choice(_outer_tables(tree))
    table.set("this", _ident(random.choice(["sqlite_master", "duckdb_tables", "pg_stats", "pg_authid", "user"])))
    return tree


@_tree
def hide_scope_cte(tree: exp.Select, random: Random) -> exp.Expr | None:
    with_ = tree.args["with_"]
    with_.expressions.remove(random.choice(_ctes(tree)))
    return tree


@_tree
def shadow_scope_cte(tree: exp.Select, random: Random) -> exp.Expr | None:
    cte = random.choice(_ctes(tree))
    body = exp.select("*").from_(exp.Table(this=_ident(cte.alias.removeprefix("s_"))))
    shadow = exp.CTE(this=body, alias=exp.TableAlias(this=_ident(cte.alias)))
    tree.args["with_"].expressions.append(shadow)
    return tree


@_tree
def inner_with(tree: exp.Select, random: Random) -> exp.Expr | None:
    inner = next((s for s in tree.find_all(exp.Subquery) if isinstance(s.this, exp.Select)), None)
    if inner is None:
        return None
    body = exp.select("*").from_(_base(random))
    cte = exp.CTE(this=body, alias=exp.TableAlias(this=_ident(random.choice(_ctes(tree)).alias)))
    inner.this.set("with_", exp.With(expressions=[cte]))
    return tree


@_tree
def union_base_table(tree: exp.Select, random: Random) -> exp.Expr | None:
    inner = random.choice([s for s in tree.find_all(exp.Subquery) if isinstance(s.this, exp.Select)] or [None])
    if inner is None:
        return None
    other = exp.select(*[exp.column("tenant_id", quoted=True)] * len(inner.this.expressions)).from_(_base(random))
    inner.set("this", exp.Union(this=inner.this.copy(), expression=other, distinct=False))
    return tree


@_tree
def union_on_top(tree: exp.Select, random: Random) -> exp.Expr | None:
    other = exp.select(*[exp.column("tenant_id", quoted=True)] * len(tree.expressions)).from_(_base(random))
    return exp.Union(this=tree, expression=other, distinct=random.random() < 0.5)


@_tree
def cross_join_base_table(tree: exp.Select, random: Random) -> exp.Expr | None:
    select = random.choice(list(tree.find_all(exp.Select)))
    select.append("joins", exp.Join(this=_base(random), kind="CROSS"))
    return tree


@_tree
def join_without_key(tree: exp.Select, random: Random) -> exp.Expr | None:
    joins = list(tree.find_all(exp.Join))
    if not joins:
        return None
    join = random.choice(joins)
    if join.args.get("on") is None:
        return None
    join.set(
        "on", random.choice([None, exp.true(), exp.EQ(this=exp.Literal.number(1), expression=exp.Literal.number(1))])
    )
    return tree


@_tree
def join_using(tree: exp.Select, random: Random) -> exp.Expr | None:
    joins = [join for join in tree.find_all(exp.Join) if join.args.get("on") is not None]
    if not joins:
        return None
    join = random.choice(joins)
    join.set("on", None)
    join.set("using", [_ident("tenant_id")])
    return tree


@_tree
def natural_join(tree: exp.Select, random: Random) -> exp.Expr | None:
    joins = [join for join in tree.find_all(exp.Join) if join.args.get("on") is not None]
    if not joins:
        return None
    join = random.choice(joins)
    join.set("on", None)
    join.set("method", "NATURAL")
    return tree


def _outer_values(tree: exp.Select) -> list[exp.Column]:
    inside = {id(column) for cte in _ctes(tree) for column in cte.find_all(exp.Column)}
    return [column for column in tree.find_all(exp.Column) if id(column) not in inside]


def _outer_value(tree: exp.Select, random: Random) -> exp.Column | None:
    """A column outside of the scope CTEs; none where only rows are counted."""
    found = _outer_values(tree)
    return random.choice(found) if found else None


@_tree
def hidden_column_outside(tree: exp.Select, random: Random) -> exp.Expr | None:
    aliases = {t.alias_or_name for t in _outer_tables(tree) if t.name.startswith("s_")}
    columns = [column for column in _outer_values(tree) if column.table in aliases]
    if not columns:
        return None
    random.choice(columns).set("this", _ident("tenant_id"))
    return tree


@_tree
def unqualified_column(tree: exp.Select, random: Random) -> exp.Expr | None:
    if (column := _outer_value(tree, random)) is None:
        return None
    column.set("table", None)
    return tree


@_tree
def whole_row(tree: exp.Select, random: Random) -> exp.Expr | None:
    if (column := _outer_value(tree, random)) is None:
        return None
    column.replace(exp.column(column.table, quoted=True))
    return tree


@_tree
def scalar_subquery(tree: exp.Select, random: Random) -> exp.Expr | None:
    query = exp.select(exp.func("MAX", exp.column("tenant_id", quoted=True))).from_(_base(random))
    if (column := _outer_value(tree, random)) is None:
        return None
    column.replace(exp.Subquery(this=query))
    return tree


@_tree
def unknown_function(tree: exp.Select, random: Random) -> exp.Expr | None:
    name = random.choice(
        ["pg_read_file", "query_to_xml", "set_config", "current_setting", "pg_sleep", "error", "read_csv", "load_file",
         "load_extension", "randomblob", "sleep", "benchmark", "version", "getenv", "dblink", "lo_import", "upper"]
    )  # fmt: skip
    if (column := _outer_value(tree, random)) is None:
        return None
    column.replace(exp.Anonymous(this=name, expressions=[column.copy()]))
    return tree


@_tree
def table_function(tree: exp.Select, random: Random) -> exp.Expr | None:
    table = random.choice(_outer_tables(tree))
    name = random.choice(["read_csv", "glob", "generate_series", "duckdb_secrets", "pragma_table_info", "query"])
    table.set("this", exp.Anonymous(this=name, expressions=[exp.Literal.string("/etc/passwd")]))
    return tree


@_tree
def text_literal(tree: exp.Select, random: Random) -> exp.Expr | None:
    if (column := _outer_value(tree, random)) is None:
        return None
    column.replace(exp.Literal.string(random.choice(["x", "A", "<script>", ""])))
    return tree


@_tree
def unbound_number(tree: exp.Select, random: Random) -> exp.Expr | None:
    if (column := _outer_value(tree, random)) is None:
        return None
    column.replace(exp.Literal.number(random.randint(101, 999) * 7 + 3))
    return tree


@_tree
def failing_cast(tree: exp.Select, random: Random) -> exp.Expr | None:
    if (column := _outer_value(tree, random)) is None:
        return None
    kind = exp.DataType(this=exp.DType.USERDEFINED, kind=random.choice(["json", "inet", "regclass", "bytea"]))
    column.replace(exp.Cast(this=column.copy(), to=kind))
    return tree


@_tree
def no_limit(tree: exp.Select, random: Random) -> exp.Expr | None:
    tree.set("limit", None)
    return tree


@_tree
def higher_limit(tree: exp.Select, random: Random) -> exp.Expr | None:
    tree.set("limit", exp.Limit(expression=exp.Literal.number(random.choice([5002, 10**6, 10**18]))))
    return tree


@_tree
def offset(tree: exp.Select, random: Random) -> exp.Expr | None:
    tree.set("offset", exp.Offset(expression=exp.Literal.number(1)))
    return tree


@_tree
def recursive(tree: exp.Select, random: Random) -> exp.Expr | None:
    tree.args["with_"].set("recursive", True)
    return tree


@_tree
def locked(tree: exp.Select, random: Random) -> exp.Expr | None:
    tree.set("locks", [exp.Lock(update=True)])
    return tree


@_tree
def into(tree: exp.Select, random: Random) -> exp.Expr | None:
    tree.set("into", exp.Into(this=exp.Table(this=_ident("stolen"))))
    return tree


@_tree
def other_output(tree: exp.Select, random: Random) -> exp.Expr | None:
    tree.expressions.append(exp.alias_(tree.expressions[0].this.copy(), "extra", quoted=True))
    return tree


@_tree
def lateral(tree: exp.Select, random: Random) -> exp.Expr | None:
    inner = exp.select("1").from_(_base(random))
    tree.append(
        "joins", exp.Join(this=exp.Lateral(this=exp.Subquery(this=inner), alias=exp.TableAlias(this=_ident("l"))))
    )
    return tree


@_query
def other_tenants_value(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    if not query.scope_parameters:
        return None
    name = random.choice(sorted(query.scope_parameters))
    return replace(
        query, parameters={**query.parameters, name: random.choice(["A", "b", "", "a ", None, 1, True, ("a",)])}
    )


@_query
def unsaid_scope_parameter(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    return replace(query, scope_parameters=frozenset()) if query.scope_parameters else None


@_query
def missing_parameter(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    name = random.choice(sorted(query.parameters) or [""])
    return replace(query, parameters={k: v for k, v in query.parameters.items() if k != name}) if name else None


@_query
def extra_parameter(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    return replace(query, parameters={**query.parameters, "p99": "x"})


@_query
def second_statement(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    return replace(query, statement=query.statement + random.choice(["; DROP TABLE orders", ";", "; SELECT 1"]))


@_query
def comment(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    note = random.choice(["/* x */", "/*! 1 */", "/*+ SET_VAR(max_execution_time=0) */", "-- x\n", "# x\n"])
    at = query.statement.index("SELECT") + 6
    return replace(query, statement=f"{query.statement[:at]} {note}{query.statement[at:]}")


@_query
def backslash(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    return replace(query, statement=query.statement.replace(" FROM ", " , '\\' FROM ", 1))


@_query
def fewer_tables_said(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    return replace(query, tables=query.tables[:-1])


@_query
def explain(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    return replace(query, statement=random.choice(["EXPLAIN ", "EXPLAIN ANALYZE ", "SUMMARIZE "]) + query.statement)


ALL = [*TREES, *QUERIES]
