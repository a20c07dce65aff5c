"""Whatever a Spark Connect call ends in becomes one of the closed codes, and no word of it is kept."""

from __future__ import annotations

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.sources.errors import GRPC_STATUS, SPARK_CLASS, Code, failure, spark_code
from gateway.sources.spark_connect import SparkFailure, read_failure


@pytest.mark.parametrize(
    ("error_class", "sqlstate", "java", "status", "code"),
    [
        ("TABLE_OR_VIEW_NOT_FOUND", "42P01", (), "INTERNAL", Code.MISSING),
        ("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", (), "INTERNAL", Code.MISSING),
        ("CAST_INVALID_INPUT", "22018", ("SparkNumberFormatException",), "INTERNAL", Code.VALUE),
        ("ARITHMETIC_OVERFLOW", "22003", (), "INTERNAL", Code.OVERFLOW),
        ("DIVIDE_BY_ZERO", "22012", (), "INTERNAL", Code.DIVISION),
        ("INSUFFICIENT_PERMISSIONS", "42501", (), "INTERNAL", Code.DENIED),
        ("OPERATION_CANCELED", "HY008", (), "INTERNAL", Code.CANCELLED),
        ("", None, ("AccessControlException", "RuntimeException"), "INTERNAL", Code.DENIED),
        ("", None, ("SparkOutOfMemoryError",), "INTERNAL", Code.MEMORY),
        ("", None, (), "UNAUTHENTICATED", Code.AUTH),
        ("", None, (), "DEADLINE_EXCEEDED", Code.TIMEOUT),
        ("", None, (), "RESOURCE_EXHAUSTED", Code.BYTES),
        ("NEW_CLASS_OF_SPARK_9", "XX999", ("NewException",), "INTERNAL", Code.FAILED),
    ],
)
def test_errors_are_told_apart(
    error_class: str, sqlstate: str | None, java: tuple[str, ...], status: str, code: Code
) -> None:
    """By Spark's class first, then Java's, then SQLSTATE, then what gRPC says."""
    assert spark_code(error_class, sqlstate, java, status) is code


@given(
    st.text(), st.none() | st.text(max_size=5), st.lists(st.text(), max_size=3), st.sampled_from(list(grpc.StatusCode))
)
def test_whatever_a_server_says_is_one_of_the_codes(
    error_class: str, sqlstate: str | None, java: list[str], status: grpc.StatusCode
) -> None:
    """Cannot finish is no case: what no table knows has failed."""
    code = spark_code(error_class, sqlstate, java, status.name)
    assert isinstance(code, Code)
    assert isinstance(failure(code, "lake"), GatewayError)


def test_tables_name_codes_and_statuses_that_exist() -> None:
    """No misspelt name of gRPC, and only codes of the set."""
    assert set(GRPC_STATUS) <= {status.name for status in grpc.StatusCode}
    assert all(isinstance(code, Code) for code in (*SPARK_CLASS.values(), *GRPC_STATUS.values()))


class Broken(grpc.RpcError, grpc.Call):
    """An error whose details cannot be read."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.INTERNAL

    def details(self) -> str:
        return "ada@x.example"

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        return (("grpc-status-details-bin", b"\xff ada@x.example"),)

    def __getattr__(self, name: str) -> object:
        raise AttributeError(name)


Broken.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]


@pytest.mark.parametrize("error", [grpc.RpcError("ada@x.example"), Broken()])
def test_an_error_that_cannot_be_read_is_an_error_without_words(error: grpc.RpcError) -> None:
    """Neither its text nor its details get on."""
    read = read_failure(error)
    assert isinstance(read, SparkFailure)
    assert (read.code, read.session_lost) == (Code.FAILED, False)
    assert "ada" not in str(read)
