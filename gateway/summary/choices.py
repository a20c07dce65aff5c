"""Labels an owner may approve: shown to the owner on their own screen, never released by themselves.

Grouped and cut off in the database: only values that enough units have come back, and only from a column with few.
"""

from __future__ import annotations

from gateway.catalog import Catalog
from gateway.errors import NotFoundError
from gateway.project import SourceConfig
from gateway.sources.base import Source
from gateway.summary.disclosure import is_label
from gateway.summary.measure import TIMEOUT_S
from gateway.summary.measurer import Within, measurer_for
from gateway.tenancy.scope import Scope

MOST = 50


def label_choices(
    source: Source, catalog: Catalog, scope: Scope, config: SourceConfig, table: str, column: str
) -> tuple[str, ...]:
    """Values of a text column that may become labels, the commonest first.

    Returns:
        At most 50 texts that at least `min_group` units have and that look like labels; none if the column has more
        than 50 such values, as it is then no category.

    Raises:
        NotFoundError: The table or column is not in scope.
    """
    if table not in scope.tables or column not in scope.tables[table].columns:
        msg = "this tenant has no column of that name; `rowless summary show` lists them as TABLE.COLUMN"
        raise NotFoundError(msg, stage="scope")
    within = Within(source=source, catalog=catalog, scope=scope, timeout_s=TIMEOUT_S)
    measurer = measurer_for(catalog.dialect)
    found = measurer.common(within, config, catalog.by_name[table], column, most=MOST + 1)
    if len(found) > MOST:
        return ()
    return tuple(text for text in found if isinstance(text, str) and is_label(text))
