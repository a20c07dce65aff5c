"""Cells, the connection pool, the watch over a statement, and CHECK vocabularies: no server needed."""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime, timedelta, timezone
from datetime import time as clock
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog import Dialect
from gateway.errors import QueryError, QueryTimeoutError
from gateway.sources.base import Cancel
from gateway.sources.cells import size, to_cell
from gateway.sources.checks import check_bodies, vocabulary
from gateway.sources.errors import Code
from gateway.sources.pool import Pool
from gateway.sources.sql import Watch


@pytest.mark.parametrize(
    ("value", "kind", "cell"),
    [
        (None, "text", None), (b"raw", "text", None), (1, "boolean", True), (Decimal(0), "boolean", False),
        (True, "number", True), (Decimal("2.00"), "number", 2), (Decimal("2.50"), "number", 2.5),
        ("290000-01-01", "date", None), ("0044-03-15 (BC)", "date", None), ("-0044-03-15", "date", None),
        ("290000-01-01 00:00:00", "datetime", None), ("2024-02-29 10:00:00", "date", "2024-02-29"),
        (Decimal("NaN"), "number", None), (float("inf"), "number", None), ("12.5", "number", 12.5),
        ("abc", "number", None), ("nan", "number", None), (5, "text", "5"), (2**70, "number", 2**70),
        (date(2024, 1, 2), "date", "2024-01-02"), (datetime(2024, 1, 2, tzinfo=UTC), "date", "2024-01-02"),
        (datetime(2024, 1, 2, 12, tzinfo=timezone(timedelta(hours=2))), "datetime", "2024-01-02T10:00:00"),
        (clock(10, 30), "text", "10:30:00"), (timedelta(minutes=2), "number", 120.0),
        (UUID(int=1), "text", "00000000-0000-0000-0000-000000000001"), ([1, {"a": 2}], "text", '[1, {"a": 2}]'),
    ],
)  # fmt: skip
def test_cells(value: object, kind: str, cell: object) -> None:
    assert to_cell(value, kind) == cell


@given(st.lists(st.none() | st.booleans() | st.integers() | st.text(max_size=20)))
def test_size_counts_at_least_the_text(row: list[bool | int | str | None]) -> None:
    assert size(row) >= sum(len(c.encode()) for c in row if isinstance(c, str))


class Thing:
    """A connection that only knows whether it is clean."""

    def __init__(self) -> None:
        self.clean, self.closed = True, False

    def close(self) -> None:
        """Close it."""
        self.closed = True


def pool_of(made: list[Thing], size: int = 2) -> Pool[Thing]:
    def connect() -> Thing:
        made.append(Thing())
        return made[-1]

    return Pool("s", connect=connect, is_clean=lambda t: t.clean and not t.closed, close=Thing.close, size=size)


def test_pool_lends_the_same_connection_again_if_it_is_clean() -> None:
    made: list[Thing] = []
    pool = pool_of(made)
    with pool.lend() as first:
        pass
    with pool.lend() as second:
        assert second is first
    assert len(made) == 1


def _divide_with(pool: Pool[Thing]) -> float:
    with pool.lend() as thing:
        thing.clean = False
        return 1 / 0


def test_pool_drops_a_connection_that_comes_back_unclean() -> None:
    """Attack 46: what raised in the middle of a transaction is never lent to the next tenant."""
    made: list[Thing] = []
    pool = pool_of(made)
    with pytest.raises(ZeroDivisionError):
        _divide_with(pool)
    assert made[0].closed
    with pool.lend() as other:
        assert other is not made[0]


def test_pool_is_bounded_and_closed_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.sources.pool._WAIT_S", 0.05)
    made: list[Thing] = []
    pool = pool_of(made, size=1)
    with pool.lend(), pytest.raises(QueryTimeoutError), pool.lend():
        pass
    pool.close()
    assert made[0].closed
    with pytest.raises(QueryError), pool.lend():
        pass


def test_watch_repeats_the_stop_until_the_statement_ends() -> None:
    """A stop that comes before the statement began is lost in the engine, so once is not enough."""
    stops: list[float] = []
    with Watch("s", lambda: stops.append(time.monotonic()), timeout_s=0.05, cancel=None) as watch:
        time.sleep(0.7)
    assert watch.reason is Code.TIMEOUT
    assert len(stops) >= 2
    count = len(stops)
    time.sleep(0.4)
    assert len(stops) == count


def test_watch_stops_nothing_once_it_is_left() -> None:
    stops: list[int] = []
    cancel = Cancel()
    with Watch("s", lambda: stops.append(1), timeout_s=5, cancel=cancel) as watch:
        pass
    cancel.cancel()
    watch._insist()  # a timer that fired while the watch was being left
    assert stops == []
    assert watch.reason is None


def test_watch_refuses_a_caller_who_has_left() -> None:
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(QueryError) as caught, Watch("s", lambda: None, timeout_s=5, cancel=cancel):
        raise AssertionError
    assert caught.value.code == Code.CANCELLED


def test_cancel_wins_over_a_later_time_out() -> None:
    cancel = Cancel()
    threading.Timer(0.05, cancel.cancel).start()
    with Watch("s", lambda: None, timeout_s=0.2, cancel=cancel) as watch:
        time.sleep(0.4)
    assert watch.reason is Code.CANCELLED


@pytest.mark.parametrize(
    ("expression", "dialect", "found"),
    [
        ("status IN ('a', 'b')", Dialect.SQLITE, ("status", ("a", "b"))),
        ("CHECK (((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))",
         Dialect.POSTGRES, ("status", ("a", "b"))),
        ("CHECK ((status = ANY (ARRAY['a'::text, 'b'::text])))", Dialect.POSTGRES, ("status", ("a", "b"))),
        ("CHECK (((status = 'a'::text) OR (status = 'b'::text)))", Dialect.POSTGRES, ("status", ("a", "b"))),
        ("`status` in ('a','it''s')", Dialect.MYSQL, ("status", ("a", "it's"))),
        ("amount > 100", Dialect.POSTGRES, None),
        ("amount IN (1, 2)", Dialect.POSTGRES, None),
        ("status IN ('a') AND amount > 5", Dialect.POSTGRES, None),
        ("status NOT IN ('a')", Dialect.POSTGRES, None),
        ("status <> 'ada@lovelace.example'", Dialect.POSTGRES, None),
        ("lower(status) IN ('a')", Dialect.POSTGRES, None),
        ("status IN (SELECT x FROM y)", Dialect.SQLITE, None),
        ("a = 'x' OR b = 'y'", Dialect.SQLITE, None),
        ("((((", Dialect.SQLITE, None),
        ("", Dialect.SQLITE, None),
    ],
)  # fmt: skip
def test_only_a_plain_list_is_a_vocabulary(
    expression: str, dialect: Dialect, found: tuple[str, tuple[str, ...]] | None
) -> None:
    assert vocabulary(expression, dialect) == found


def test_checks_in_quotes_are_text() -> None:
    ddl = r"""CREATE TABLE t (a TEXT DEFAULT 'CHECK (a IN (''x''))', b TEXT CHECK (b IN ('(', 'y')), "CHECK (c" TEXT)"""
    assert check_bodies(ddl, Dialect.SQLITE) == ["b IN ('(', 'y')"]
    assert check_bodies(r"a text COMMENT 'x\' CHECK (1)', b int CHECK (b > 0)", Dialect.MYSQL) == ["b > 0"]


def test_a_statement_that_is_over_is_forgotten() -> None:
    """What stops all summaries of a source lives as long as the source: it must not keep every one of them."""
    cancel, stopped = Cancel(), []
    for _ in range(3):
        with Watch("s", lambda: stopped.append(1), timeout_s=10, cancel=cancel):
            pass
    assert cancel._stop == []
    cancel.cancel()
    assert stopped == []
