"""`rowless source check` of MongoDB: what fails, and the user that the printed statements make, on a server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo.errors import OperationFailure

from gateway.errors import RefusedError
from gateway.project import SourceConfig
from gateway.sources.check import CheckReport, check_source, require_read_only
from gateway.sources.check_mongo import read_rights
from tests.servers.mongodb import MongodbServer


def config(url: str, **more: object) -> SourceConfig:
    return SourceConfig.model_validate({"name": "shop", "url": SecretStr(url), "unrestricted": True, **more})


def failing(report: CheckReport) -> set[str]:
    return {f.code for f in report.findings if f.level == "fails"}


@pytest.fixture(scope="module")
def checked(mongodb_server: MongodbServer) -> Iterator[MongodbServer]:
    with mongodb_server.admin() as client:
        client["checked"]["odd 'Name\""].insert_many([{"x": i} for i in range(20)])
        client["checked"]["plain"].insert_many([{"x": i} for i in range(20)])
        yield mongodb_server
        for user in client["checked"].command("usersInfo")["users"]:
            client["checked"].command("dropUser", user["user"])
        client.drop_database("checked")


@pytest.mark.server
@pytest.mark.parametrize("role", ["readWrite", "dbOwner", "userAdmin", "dbAdmin"])
def test_a_user_that_can_do_more_than_read_fails(checked: MongodbServer, role: str) -> None:
    checked.make_reader("more", "checked", role)
    with checked.admin() as client:
        client["checked"].command("grantRolesToUser", "more", roles=["read"])
    url = checked.url("more", database="checked")
    report = check_source(config(url))
    assert failing(report) & {"can_write", "unknown_right", "can_administer"}
    with pytest.raises(RefusedError) as caught:
        require_read_only(config(url))
    assert caught.value.code == "source_can_write"
    assert require_read_only(config(url, unsafe_can_write=True)).overridden


@pytest.mark.server
def test_an_administrator_fails(checked: MongodbServer) -> None:
    user, password = checked.administrator
    url = checked.url(user, password, database="checked", options="?authSource=admin")
    assert failing(check_source(config(url)))


@pytest.mark.server
def test_a_user_that_only_reads_passes(checked: MongodbServer) -> None:
    checked.make_reader("reads", "checked")
    report = check_source(config(checked.url("reads", database="checked")))
    assert report.passed
    assert {"reads_only", "server"} <= {f.code for f in report.findings}
    assert report.tables == 2


@pytest.mark.server
def test_the_printed_statements_make_a_user_that_reads_and_cannot_write(checked: MongodbServer) -> None:
    checked.make_reader("reads", "checked")
    report = check_source(config(checked.url("reads", database="checked")))
    with checked.admin() as client:
        for statement in report.statements:
            parts = re.fullmatch(r"db\.getSiblingDB\((.+?)\)\.runCommand\((.+)\)", statement)
            assert parts is not None
            client[json.loads(parts[1])].command(json.loads(parts[2]))
        role = client["checked"].command("rolesInfo", "rowless_reader", showPrivileges=True)["roles"][0]
    url = checked.url("rowless_reader", "choose-a-long-one", database="checked")
    again = check_source(config(url))
    assert again.tables == 2
    privileges = role["privileges"]
    status = {"authenticatedUsers": [{}], "authenticatedUserPrivileges": privileges}
    assert [f for f in read_rights(status, "checked") if f.level != "passes"] == []
    if checked.engine != "secantusdb":
        # SecantusDB 0.7 lists no privileges to the user itself, so the check there knows the role by name only.
        assert again.passed
    from pymongo import MongoClient

    with MongoClient[dict[str, Any]](url, directConnection=True) as client:
        for write in ({"insert": "plain", "documents": [{}]}, {"drop": "plain"}, {"create": "new"}):
            with pytest.raises(OperationFailure):
                client["checked"].command(write)


def _status(*privileges: tuple[dict[str, Any], list[str]]) -> dict[str, Any]:
    return {
        "authenticatedUsers": [{"user": "u", "db": "shop"}],
        "authenticatedUserRoles": [{"role": "any", "db": "shop"}],
        "authenticatedUserPrivileges": [{"resource": r, "actions": a} for r, a in privileges],
    }


_HERE = {"db": "shop", "collection": ""}


@pytest.mark.parametrize(
    ("status", "codes"),
    [
        (_status((_HERE, ["find", "listCollections", "listIndexes", "collStats", "killCursors"])), set()),
        (_status((_HERE, ["find", "insert"])), {"can_write"}),
        (_status(({"db": "shop", "collection": "t"}, ["find", "brandNewAction"])), {"can_write"}),
        (_status(({"db": "", "collection": ""}, ["find"])), {"reads_accounts"}),
        (_status(({"db": "admin", "collection": "system.users"}, ["find"])), {"reads_accounts"}),
        (_status(({"db": "other", "collection": ""}, ["find"])), {"other_schemas"}),
        (_status(({"db": "other", "collection": ""}, ["find", "remove"])), {"other_schemas", "can_write"}),
        (_status(({"cluster": True}, ["listDatabases"])), set()),
        (_status(({"cluster": True}, ["inprog"])), {"can_administer"}),
        (_status(({"anyResource": True}, ["anyAction"])), {"unknown_right"}),
        (_status(({"system_buckets": "x"}, ["find"])), {"unknown_right"}),
        ({"authenticatedUsers": []}, {"no_access_control"}),
        ({}, {"no_access_control"}),
        ({"authenticatedUsers": [{}], "authenticatedUserRoles": [{"role": "read", "db": "shop"}]}, set()),
        ({"authenticatedUsers": [{}], "authenticatedUserRoles": [{"role": "read", "db": "admin"}]}, {"reads_accounts"}),
        ({"authenticatedUsers": [{}], "authenticatedUserRoles": [{"role": "own", "db": "shop"}]}, {"unknown_right"}),
    ],
)
def test_each_right_is_judged(status: dict[str, Any], codes: set[str]) -> None:
    """What MongoDB's manual shows of ``connectionStatus``; an action that is not known fails."""
    assert {finding.code for finding in read_rights(status, "shop")} == codes
