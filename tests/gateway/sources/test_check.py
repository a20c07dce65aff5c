"""`rowless source check`: what fails, and that the printed statements make a user that passes, on real servers."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.errors import RefusedError
from gateway.project import SourceConfig
from gateway.sources.check import CheckReport, check_source, require_read_only
from tests.servers.mariadb import MariadbServer
from tests.servers.postgres import PostgresServer


def config(url: str, **more: object) -> SourceConfig:
    return SourceConfig.model_validate({"name": "shop", "url": SecretStr(url), "unrestricted": True, **more})


def failing(report: CheckReport) -> set[str]:
    return {f.code for f in report.findings if f.level == "fails"}


@pytest.fixture(scope="module")
def pg(postgres_server: PostgresServer) -> PostgresServer:
    with postgres_server.admin() as admin:
        admin.execute("DROP DATABASE IF EXISTS checked")
        admin.execute("CREATE DATABASE checked")
    with postgres_server.admin("checked") as admin:
        admin.execute('CREATE TABLE "Odd ""Name" (id int); CREATE TABLE plain (id serial, at date)')
        admin.execute("CREATE ROLE writer LOGIN PASSWORD 'secret'; GRANT SELECT, INSERT ON plain TO writer")
        admin.execute("CREATE ROLE owning LOGIN PASSWORD 'secret'; CREATE TABLE owned (id int)")
        admin.execute("ALTER TABLE owned OWNER TO owning")
        admin.execute("CREATE ROLE passing LOGIN PASSWORD 'secret' BYPASSRLS; GRANT SELECT ON plain TO passing")
        admin.execute("CREATE ROLE filing LOGIN PASSWORD 'secret'; GRANT pg_read_server_files TO filing")
        admin.execute("GRANT SELECT ON plain TO filing")
        admin.execute("CREATE ROLE by_column LOGIN PASSWORD 'secret'; GRANT SELECT, UPDATE (at) ON plain TO by_column")
    return postgres_server


@pytest.mark.server
@pytest.mark.parametrize(
    ("user", "codes"),
    [
        ("admin", {"superuser", "bypass_rls", "owner", "can_write"}),
        ("writer", {"can_write"}),
        ("by_column", {"can_write"}),
        ("owning", {"owner", "can_write"}),
        ("passing", {"bypass_rls"}),
        ("filing", {"server_files"}),
    ],
)
def test_postgres_user_that_can_do_more_fails(pg: PostgresServer, user: str, codes: set[str]) -> None:
    report = check_source(config(pg.url(user, database="checked")))
    assert codes <= failing(report)
    assert not report.passed
    with pytest.raises(RefusedError) as caught:
        require_read_only(config(pg.url(user, database="checked")))
    assert caught.value.code == "source_can_write"


@pytest.mark.server
def test_postgres_owner_can_accept_what_fails(pg: PostgresServer) -> None:
    report = require_read_only(config(pg.url("writer", database="checked"), unsafe_can_write=True))
    assert report.overridden
    assert "can_write" in failing(report)


@pytest.mark.server
def test_postgres_printed_statements_make_a_user_that_passes(pg: PostgresServer) -> None:
    """The statements run as printed, odd names included, and their user reads the same tables and does no more."""
    first = check_source(config(pg.url("admin", database="checked")))
    with pg.admin("checked") as admin:
        for statement in first.statements:
            admin.execute(statement.encode())
    report = check_source(config(pg.url("rowless_reader", "choose-a-long-one", "checked")))
    assert failing(report) == set()
    assert report.passed
    assert report.tables == first.tables
    assert {f.code for f in report.findings if f.level == "warns"} <= {"old_server"}


@pytest.fixture(scope="module")
def my(mariadb_server: MariadbServer) -> MariadbServer:
    admin = mariadb_server.admin()
    with admin, admin.cursor() as cursor:
        for statement in (
            "DROP DATABASE IF EXISTS checked", "CREATE DATABASE checked", "CREATE DATABASE IF NOT EXISTS other",
            "CREATE TABLE checked.`odd``name` (id int)", "CREATE TABLE checked.plain (id int, at date)",
            "CREATE USER writer@'127.0.0.1' IDENTIFIED BY 'secret'",
            "GRANT SELECT, INSERT ON checked.* TO writer@'127.0.0.1'",
            "CREATE USER filing@'127.0.0.1' IDENTIFIED BY 'secret'", "GRANT FILE ON *.* TO filing@'127.0.0.1'",
            "GRANT SELECT ON checked.* TO filing@'127.0.0.1'",
            "CREATE USER wide@'127.0.0.1' IDENTIFIED BY 'secret'", "GRANT SELECT ON *.* TO wide@'127.0.0.1'",
            "CREATE USER giving@'127.0.0.1' IDENTIFIED BY 'secret'",
            "GRANT SELECT ON checked.* TO giving@'127.0.0.1' WITH GRANT OPTION",
            "CREATE USER by_column@'127.0.0.1' IDENTIFIED BY 'secret'",
            "GRANT SELECT (id), UPDATE (id, at) ON checked.plain TO by_column@'127.0.0.1'",
            "CREATE ROLE hats", "CREATE USER hatted@'127.0.0.1' IDENTIFIED BY 'secret'",
            "GRANT hats TO hatted@'127.0.0.1'", "GRANT SELECT ON checked.* TO hatted@'127.0.0.1'",
            "CREATE USER nosy@'127.0.0.1' IDENTIFIED BY 'secret'", "GRANT SELECT ON checked.* TO nosy@'127.0.0.1'",
            "GRANT SELECT ON other.* TO nosy@'127.0.0.1'",
        ):  # fmt: skip
            cursor.execute(statement)
    return mariadb_server


@pytest.mark.server
@pytest.mark.parametrize(
    ("user", "codes"),
    [
        ("admin", {"can_write", "server_files", "can_grant"}),
        ("writer", {"can_write"}),
        ("by_column", {"can_write"}),
        ("filing", {"server_files"}),
        ("wide", {"reads_accounts"}),
        ("giving", {"can_grant"}),
        ("hatted", {"unknown_right"}),
        ("nosy", set()),
    ],
)
def test_mariadb_user_that_can_do_more_fails(my: MariadbServer, user: str, codes: set[str]) -> None:
    report = check_source(config(my.url(user, database="checked")))
    assert codes <= failing(report)
    assert report.passed == (not codes)
    if user == "nosy":
        assert "other_schemas" in {f.code for f in report.findings}


@pytest.mark.server
def test_mariadb_printed_statements_make_a_user_that_passes(my: MariadbServer) -> None:
    first = check_source(config(my.url("admin", database="checked")))
    admin = my.admin()
    with admin, admin.cursor() as cursor:
        for statement in first.statements:
            cursor.execute(statement)
    report = check_source(config(my.url("rowless_reader", "choose-a-long-one", "checked")))
    assert failing(report) == set()
    assert report.tables == first.tables == 2


def test_file_that_may_be_written_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("id,amount\n1,2\n2,3\n")
    report = check_source(SourceConfig(name="own", path=path, unrestricted=True))
    assert report.passed
    assert report.tables == 1


def test_tables_without_a_rule_are_named(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("id,amount\n1,2\n2,3\n")
    report = check_source(SourceConfig(name="own", path=path))
    assert [f.code for f in report.findings if f.level == "warns"][-1] == "not_ruled"
