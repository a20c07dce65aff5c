"""The demo database: the same rows for the same seed, three tenants, no broken key, charts that look alive."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from gateway.demo.generate import TENANTS, generate
from gateway.project import Project
from gateway.sources.open import open_source
from gateway.tenancy.rules import check_rules, scope_for

TABLES = {"customers", "products", "orders", "order_items", "subscriptions", "support_tickets", "web_events"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.duckdb"
    generate(path)
    return path


def ask(path: Path, statement: str) -> list[tuple[object, ...]]:
    with duckdb.connect(path, read_only=True) as connection:
        return connection.execute(statement).fetchall()


def digest(path: Path) -> list[object]:
    return [
        ask(path, f"SELECT count(*), bit_xor(md5_number_lower(t::VARCHAR)) FROM {table} t")[0]
        for table in sorted(TABLES)
    ]


def test_has_at_least_two_hundred_thousand_rows(demo: Path) -> None:
    assert sum(int(str(row[0])) for row in map(tuple, digest(demo))) >= 200_000  # type: ignore[call-overload]


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.duckdb" for i in range(3)]
    for path, seed in zip(paths, (7, 7, 8), strict=True):
        generate(path, seed=seed, scale=0.05)
    assert digest(paths[0]) == digest(paths[1]) != digest(paths[2])


def test_every_tenant_has_rows_everywhere_and_no_key_crosses(demo: Path) -> None:
    for table in TABLES - {"order_items"}:
        assert {r[0] for r in ask(demo, f"SELECT DISTINCT tenant_id FROM {table}")} == set(TENANTS)
    crossing = ask(demo, """
        SELECT (SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id
                WHERE c.tenant_id <> o.tenant_id),
            (SELECT count(*) FROM order_items i JOIN orders o ON o.id = i.order_id
                JOIN products p ON p.id = i.product_id
                WHERE p.tenant_id <> o.tenant_id),
            (SELECT count(*) FROM web_events w JOIN customers c ON c.id = w.customer_id
                WHERE c.tenant_id <> w.tenant_id),
            (SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id
                WHERE o.ordered_at < c.signed_up_on)
    """)  # fmt: skip
    assert crossing == [(0, 0, 0, 0)]


def test_dates_stay_in_three_years_with_growth_and_a_season(demo: Path) -> None:
    ((low, high),) = ask(demo, "SELECT min(ordered_at)::DATE::VARCHAR, max(ordered_at)::DATE::VARCHAR FROM orders")
    assert str(low) >= "2023-01-01"
    assert str(high) == "2025-12-31"
    years = [r[0] for r in ask(demo, "SELECT count(*) FROM orders GROUP BY year(ordered_at) ORDER BY year(ordered_at)")]
    assert years == sorted(years, key=lambda n: int(str(n)))
    months = dict(ask(demo, "SELECT month(ordered_at), count(*) FROM orders WHERE year(ordered_at) = 2025 GROUP BY 1"))  # type: ignore[arg-type]
    assert months[11] > 1.3 * months[7]  # type: ignore[operator]


def test_free_text_has_personal_data_in_it_and_columns_have_gaps(demo: Path) -> None:
    ((mails, phones),) = ask(
        demo,
        "SELECT count(*) FILTER (body LIKE '%@%.example%'), count(*) FILTER (body LIKE '%+1 %') FROM support_tickets",
    )
    assert int(str(mails)) > 1000
    assert int(str(phones)) > 100
    ((odd,),) = ask(
        demo, "SELECT count(*) FROM customers WHERE NOT regexp_full_match(email, '[a-z.-]+[0-9]*@[a-z]+\\.example')"
    )
    assert odd == 0
    ((gaps,),) = ask(demo, "SELECT count(*) FILTER (phone IS NULL) / count(*) FROM customers")
    assert 0.2 < float(str(gaps)) < 0.4


def test_the_project_file_fits_the_database(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every rule, metric and vocabulary of the demo's own project file is one the database has."""
    project = Project.load(Path("gateway/demo/rowless.toml"))
    config = project.source("demo").model_copy(update={"path": demo})
    source = open_source(config)
    catalog = source.reflect()
    check_rules(config, catalog)
    scope = scope_for(config, catalog, tenant="lumen")
    assert set(scope.tables) == TABLES
    assert not any(table.unrestricted for table in scope.tables.values())
    assert catalog.by_name["orders"].by_name["status"].vocabulary is not None
    assert len(catalog.relationships) == 6
    source.close()


def test_an_unfinished_file_never_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.demo.generate._SCRIPT", "missing.sql")
    with pytest.raises(FileNotFoundError):
        generate(tmp_path / "demo.duckdb")
    assert list(tmp_path.iterdir()) == []
