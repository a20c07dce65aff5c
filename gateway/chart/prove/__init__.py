"""Stage 10. An independent checker: it alone makes a ScopedQuery, and it trusts nothing the compiler says.

It reads the final text (`lexer`, `grammar`, `facts`) and compares it with the scope: exactly one SELECT of known
parts, with a limit; every base table read in one scope CTE of its own, fenced, with exactly the filters of this scope
and this scope's own values bound; no hidden column let out; nothing but the columns, functions, types and numbers on
its lists. A pipeline of MongoDB is read in the same spirit by `pipeline`. It shares no code with the compilers or the
barriers, so that one mistake does not hide in both. What it does not recognise it refuses; what it cannot finish it
refuses.

Not checked here: whether the answer is what was asked (`gateway.chart.validate`), and limits of time and bytes, which
the source keeps.
"""

from __future__ import annotations

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Table
from gateway.chart.prove.facts import Facts, read_facts
from gateway.chart.prove.nodes import refuse
from gateway.chart.prove.pipeline import check_pipeline
from gateway.chart.prove.scope_cte import Predicate, ScopeCte
from gateway.errors import ScopeRefusedError
from gateway.tenancy.scope import ParentFilter, RowFilter, Scope, TableScope
from gateway.types import _PROOF, CompiledQuery, ScopedQuery

_BY_MATERIALIZED = (Dialect.DUCKDB, Dialect.POSTGRES, Dialect.SQLITE)


def prove(query: CompiledQuery, *, catalog: Catalog, scope: Scope) -> ScopedQuery:
    """Prove that a statement stays in a scope, or refuse it.

    Args:
        query: What is to be run.
        catalog: Structure of the source it is to be run on.
        scope: Right of the asking session.

    Returns:
        The same query, which a source may now run.

    Raises:
        ScopeRefusedError: The statement leaves the scope, is not understood, or could not be read to the end.
    """
    try:
        _check(query, catalog, scope)
    except ScopeRefusedError:
        raise
    except Exception:  # noqa: BLE001
        # A parser that fails, or recursion too deep: what cannot be read to the end is refused. Its text is dropped,
        # as it can quote the statement.
        raise refuse("it could not be read to the end") from None
    return ScopedQuery(query=query, scope_fingerprint=scope.fingerprint(), _proof=_PROOF)


def _check(query: CompiledQuery, catalog: Catalog, scope: Scope) -> None:
    if query.dialect is not catalog.dialect or scope.source != catalog.source:
        raise refuse("it is for another source")
    if query.dialect is Dialect.MONGODB:
        check_pipeline(query, catalog, scope)
        return
    facts = read_facts(query.statement, query.dialect)
    for name, cte in facts.ctes.items():
        _check_table(name, cte, facts, query, catalog, scope)
    _check_references(facts, catalog, scope)
    _check_parameters(facts, query)
    if {cte.table for cte in facts.ctes.values()} != set(query.tables):
        raise refuse("it reads other tables than it says")
    if facts.outputs != tuple(column.field for column in query.columns):
        raise refuse("it gives other columns than it says")
    if not 1 <= facts.limit <= max(scope.limits.max_rows, 1) + 1 or facts.limit != query.max_rows:
        raise refuse("its LIMIT is not that of the scope")


def _check_table(name: str, cte: ScopeCte, facts: Facts, query: CompiledQuery, catalog: Catalog, scope: Scope) -> None:
    table = catalog.by_name.get(cte.table)
    right = scope.tables.get(cte.table)
    if table is None or right is None or name != f"s_{cte.table}":
        raise refuse("it reads a table outside the scope")
    if cte.physical != table.physical:
        raise refuse("it reads another table than it says")
    keys = {
        key for other in facts.ctes.values() for p in other.predicates for parent, key in [p.parent] if parent == name
    }
    for physical, safe in cte.columns:
        if not physical and safe == "one":
            continue
        column = table.by_name.get(safe)
        if column is None or column.physical != physical or not (safe in right.columns or safe in keys):
            raise refuse("it lets through a column outside the scope")
    if right.unrestricted:
        if cte.predicates:
            raise refuse("it filters an unrestricted table in a scope CTE")
        return
    _check_filters(cte, table, right, query)
    if query.dialect in _BY_MATERIALIZED and not cte.materialized:
        raise refuse("a scope CTE has no fence")
    if query.dialect is Dialect.MYSQL and not cte.limited:
        raise refuse("a scope CTE has no fence")
    if query.dialect is Dialect.SPARK and not cte.by_chance:
        raise refuse("a scope CTE has no fence")


def _check_filters(cte: ScopeCte, table: Table, right: TableScope, query: CompiledQuery) -> None:
    """Exactly the filters of the scope, in their order, none more and none less."""
    found = list(cte.predicates)
    if not right.filters:
        raise refuse("a table without a rule is no table")
    for row_filter in right.filters:
        column = table.by_name.get(row_filter.column)
        if column is None:
            raise refuse("the scope filters by a column that does not exist")
        if isinstance(row_filter, ParentFilter):
            parent = (f"s_{row_filter.parent}", row_filter.parent_column)
            _expect(found, Predicate("parent", column.physical, parent=parent))
        elif not row_filter.values:
            _expect(found, Predicate("never"))
        else:
            for form in _forms(column, query.dialect):
                _expect_values(found, column, form, row_filter, query)
    if found:
        raise refuse("a scope CTE has a condition that is not of the scope")


def _forms(column: Column, dialect: Dialect) -> tuple[str, ...]:
    """How text must be compared so that tenant "a" is never tenant "A"."""
    if column.type is not ColumnType.TEXT:
        return ("plain",)
    if dialect is Dialect.SPARK:
        return ("binary",) if " collate " in column.native_type else ("plain",)
    return {Dialect.SQLITE: ("binary",), Dialect.MYSQL: ("plain", "bytes")}.get(dialect, ("plain",))


def _expect(found: list[Predicate], wanted: Predicate) -> None:
    if not found or found.pop(0) != wanted:
        raise refuse("a scope CTE lacks a condition of the scope")


def _expect_values(
    found: list[Predicate], column: Column, form: str, row_filter: RowFilter, query: CompiledQuery
) -> None:
    if not found:
        raise refuse("a scope CTE lacks a condition of the scope")
    predicate = found.pop(0)
    if (predicate.kind, predicate.column, predicate.form) != ("equal", column.physical, form):
        raise refuse("a scope CTE lacks a condition of the scope")
    bound = [query.parameters.get(mark) for mark in predicate.marks]
    if len(bound) != len(row_filter.values):
        raise refuse("a scope CTE has other values than the scope")
    for mine, theirs in zip(bound, row_filter.values, strict=True):
        # True equals 1 and 1.0 equals 1 in Python, so the types must be the same as well.
        if type(mine) is not type(theirs) or mine != theirs or not _fits(theirs, column.type):
            raise refuse("a scope CTE has other values than the scope")


def _fits(value: object, kind: ColumnType) -> bool:
    """Whether no engine has to convert the value to compare it."""
    if kind in (ColumnType.INTEGER, ColumnType.NUMBER):
        return type(value) is int and abs(value) < (2**63 if kind is ColumnType.INTEGER else 2**53 + 1)
    return kind in (ColumnType.TEXT, ColumnType.OTHER) and type(value) is str and "\x00" not in value


def _check_references(facts: Facts, catalog: Catalog, scope: Scope) -> None:
    """Outside the scope CTEs only columns the asker may see are named, not the keys that parent filters need."""
    for name, column in facts.references:
        table = facts.ctes[name].table
        if column == "one" and ("", "one") in facts.ctes[name].columns:
            continue
        if column not in scope.tables[table].columns or column not in catalog.by_name[table].by_name:
            raise refuse("it uses a column outside the scope")
        if column not in {safe for _, safe in facts.ctes[name].columns}:
            raise refuse("it uses a column that its scope CTE does not have")


def _check_parameters(facts: Facts, query: CompiledQuery) -> None:
    if facts.scope_marks & facts.marks:
        raise refuse("a scope value is used outside its scope CTE")
    if facts.scope_marks != set(query.scope_parameters):
        raise refuse("its scope parameters are not those it says")
    if facts.scope_marks | facts.marks != set(query.parameters):
        raise refuse("its parameters are not those it binds")
    for value in query.parameters.values():
        if type(value) not in (str, int, float, bool):
            raise refuse("a parameter of an unknown type")
