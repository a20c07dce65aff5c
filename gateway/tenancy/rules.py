"""Stage 1. From the owner's rules and a session to a Scope. Fails closed at every step.

In: the source's rules (`gateway.project_rules`), its catalog, and who asks. Out: a Scope. Proved: every table in it
    has a row filter or was declared shared by the owner; a table without a rule does not exist; every filter
    names a column that exists; a tenant id is text or a whole number that fits the column exactly (SECURITY D
    33-36). Not proved here: that a query keeps to the scope; `gateway.tenancy.barrier` puts it in and
    `gateway.chart.prove` checks it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.catalog import Catalog, Column, ColumnType, Table
from gateway.errors import ConfigError, ScopeRefusedError
from gateway.project import SourceConfig
from gateway.project_rules import TableRule, read_link
from gateway.tenancy.scope import Limits, ParentFilter, RowFilter, Scope, ScopeValue, TableScope

_WHOLE = re.compile(r"(0|-?[1-9][0-9]{0,18})\Z", re.ASCII)
_MAX_TEXT = 256
_INT64 = 2**63
_TENANT_TYPES = {ColumnType.TEXT, ColumnType.INTEGER, ColumnType.OTHER}
"""OTHER takes a UUID or a MongoDB ObjectId, which are compared as text."""


def scope_for(
    source_config: SourceConfig,
    catalog: Catalog,
    *,
    tenant: ScopeValue,
    user: str = "",
    attributes: Mapping[str, object] | None = None,
    timezone: str | None = None,
    limits: Limits | None = None,
) -> Scope:
    """Build the full right of one session on one datasource.

    Args:
        source_config: The owner's rules.
        catalog: The structure the rules are about.
        tenant: The tenant's id, text or whole number. Never a float, a boolean, null or a list.
        user: Who asks, for the audit log and for cache keys.
        attributes: Session attributes for ``match`` rules: text, whole numbers, or a list of them.
        timezone: IANA name; the source's if None.
        limits: Bounds on one query; the defaults if None.

    Returns:
        A Scope with the tables that have a rule (all tables, if the source is unrestricted).

    Raises:
        ConfigError: A rule does not fit the catalog.
        ScopeRefusedError: The tenant id or an attribute is missing or of the wrong type.
    """
    check_rules(source_config, catalog)
    zone = timezone or source_config.timezone
    if not _is_zone(zone):
        raise ScopeRefusedError("the time zone is not known", stage="scope")
    given = _checked(tenant, "tenant")
    tables: dict[str, TableScope] = {}
    for table in catalog.tables:
        rule = source_config.rule(table.name) or TableRule()
        if source_config.unrestricted or rule.shared:
            columns = _visible(table, rule, catalog)
            if columns:
                tables[table.name] = TableScope(columns=columns, unrestricted=True, subject=rule.subject)
        elif rule.has_rule:
            columns = _visible(table, rule, catalog)
            filters = _filters(table, rule, given, attributes or {})
            if columns:
                tables[table.name] = TableScope(columns=columns, filters=filters, subject=rule.subject)
    return Scope(
        source=source_config.name,
        tenant=str(given),
        tables=tables,
        user=user,
        timezone=zone,
        week_start=source_config.week_start,
        min_answer_group=source_config.min_answer_group,
        limits=limits or Limits(),
    )


def check_rules(config: SourceConfig, catalog: Catalog) -> None:
    """Refuse rules that do not fit the catalog, before anything is asked.

    Raises:
        ConfigError: Names every table and key that does not fit.
    """
    problems = []
    if not _is_zone(config.timezone):
        problems.append("timezone: not a known time zone")
    for name, rule in config.tables.items():
        table = catalog.by_name.get(name)
        if table is None:
            problems.append(f"tables.{name}: the source has no such table")
            continue
        problems += [f"tables.{name}.{text}" for text in _rule_problems(config, catalog, table, rule)]
    for text in (*config.relationships.confirm, *config.relationships.remove):
        problems += _link_problems(text, catalog)
    if problems:
        raise ConfigError(f"source '{config.name}': " + "; ".join(problems))


def _rule_problems(config: SourceConfig, catalog: Catalog, table: Table, rule: TableRule) -> list[str]:
    problems = [
        f"{place}: the table has no such column"
        for place, column in _named_columns(rule)
        if column not in table.by_name
    ]
    problems += _moved(rule, table)
    if rule.tenant in table.by_name and table.by_name[rule.tenant or ""].type not in _TENANT_TYPES:
        problems.append("tenant: a tenant id is text, a whole number or a uuid")
    problems += [
        f"match.{column}: must be text, a whole number or a uuid"
        for column in rule.match
        if column in table.by_name and table.by_name[column].type not in _TENANT_TYPES
    ]
    if rule.parent and not problems:
        problems += _via_problems(config, catalog, table.name)
    if not rule.has_rule and not config.unrestricted:
        problems.append("tenant: say whose rows these are: tenant, via or shared")
    return problems


def _moved(rule: TableRule, table: Table) -> list[str]:
    """Numbers that stand for a table or column: a new one may take the number, and with it the rule."""
    problems = _pinned("", table, table.own_name, rule.physical)
    for name in dict.fromkeys(column for _, column in _named_columns(rule) if column in table.by_name):
        said = rule.columns[name].physical if name in rule.columns else None
        column = table.by_name[name]
        problems += _pinned(f"columns.{name}.", column, column.physical, said)
    return problems


def _pinned(place: str, thing: Table | Column, own: str, said: str | None) -> list[str]:
    if said is None and thing.is_numbered:
        return [f"{place}physical: missing; '{thing.name}' is a number, and says nothing (rowless init writes it)"]
    return [f"{place}physical: '{thing.name}' stands for another name now"] if said not in (None, own) else []


def _named_columns(rule: TableRule) -> list[tuple[str, str]]:
    named = [("tenant", rule.tenant), ("subject", rule.subject)]
    named += [("via", rule.parent[0] if rule.parent else None)]
    named += [(f"match.{c}", c) for c in rule.match]
    named += [("allow", c) for c in rule.allow or ()] + [("deny", c) for c in rule.deny]
    named += [(f"columns.{c}", c) for c in rule.columns]
    return [(place, column) for place, column in named if column is not None]


def _via_problems(config: SourceConfig, catalog: Catalog, start: str) -> list[str]:
    """Follow the chain of parents: it must end, without a circle, at a table with a tenant column."""
    seen, at = {start}, start
    while True:
        rule = config.rule(at)
        if rule is None or not rule.has_rule:
            return ["via: its parent has no rule, so it names no tenant"]
        if rule.shared:
            return ["via: its parent is shared, so it names no tenant"]
        if rule.parent is None:
            return []
        _, parent, parent_column = rule.parent
        if parent not in catalog.by_name or parent_column not in catalog.by_name[parent].by_name:
            return ["via: the source has no such parent column"]
        if parent in seen:
            return ["via: the chain of parents runs in a circle"]
        seen.add(parent)
        at = parent


def _link_problems(text: str, catalog: Catalog) -> list[str]:
    link = read_link(text)
    if link is None:
        return ["relationships: not a relationship"]
    table, columns, parent, parent_columns = link
    known = (
        (name in catalog.by_name and column in catalog.by_name[name].by_name)
        for name, names in ((table, columns), (parent, parent_columns))
        for column in names
    )
    return [] if all(known) else [f"relationships: '{table}' or '{parent}' has no such column"]


def _visible(table: Table, rule: TableRule, catalog: Catalog) -> frozenset[str]:
    """Columns that exist for askers: allowed, not denied or hidden; the tenant column only if a join needs it."""
    names = set(table.by_name) if rule.allow is None else set(rule.allow)
    names -= set(rule.deny) | {name for name, column in rule.columns.items() if column.hidden}
    if rule.tenant and rule.tenant not in (rule.allow or ()) and not _in_a_key(table.name, rule.tenant, catalog):
        names.discard(rule.tenant)
    return frozenset(names)


def _in_a_key(table: str, column: str, catalog: Catalog) -> bool:
    return any(
        (link.table == table and column in link.columns) or (link.parent == table and column in link.parent_columns)
        for link in catalog.relationships
    )


def _filters(
    table: Table, rule: TableRule, tenant: ScopeValue, attributes: Mapping[str, object]
) -> tuple[RowFilter | ParentFilter, ...]:
    filters: list[RowFilter | ParentFilter] = []
    if rule.tenant is not None:
        column = table.by_name[rule.tenant]
        filters.append(RowFilter(column=column.name, values=(_fitted(tenant, column, "tenant"),)))
    if rule.parent is not None:
        name, parent, parent_column = rule.parent
        filters.append(ParentFilter(column=name, parent=parent, parent_column=parent_column))
    for name, attribute in sorted(rule.match.items()):
        if attribute not in attributes:
            msg = f"the session has no attribute '{attribute}'"
            raise ScopeRefusedError(msg, stage="scope")
        raw = attributes[attribute]
        values = raw if isinstance(raw, list | tuple) else (raw,)
        column = table.by_name[name]
        fitted = tuple(_fitted(_checked(v, attribute), column, attribute) for v in values)
        filters.append(RowFilter(column=name, values=fitted))
    return tuple(filters)


def _checked(value: object, name: str) -> ScopeValue:
    """Take text or a whole number and nothing that could be juggled into another tenant (SECURITY D 33)."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ScopeRefusedError(f"'{name}' must be text or a whole number", stage="scope")
    if isinstance(value, str) and (not value.strip() or len(value) > _MAX_TEXT or "\x00" in value):
        raise ScopeRefusedError(f"'{name}' is empty or too long", stage="scope")
    if isinstance(value, str) and value.encode(errors="ignore").decode() != value:
        # Half of a surrogate pair: a driver could not encode it, and would say so with the value.
        raise ScopeRefusedError(f"'{name}' is no text that can be stored", stage="scope")
    return value


def _fitted(value: ScopeValue, column: Column, name: str) -> ScopeValue:
    """Turn an id into exactly the column's type; what does not fit is refused, not cast by the database."""
    if column.type is ColumnType.INTEGER:
        if isinstance(value, str):
            if not _WHOLE.match(value):
                raise ScopeRefusedError(f"'{name}' does not fit its column", stage="scope")
            value = int(value)
        if not -_INT64 <= value < _INT64:
            raise ScopeRefusedError(f"'{name}' does not fit its column", stage="scope")
        return value
    if not isinstance(value, str):
        raise ScopeRefusedError(f"'{name}' does not fit its column", stage="scope")
    return value


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
