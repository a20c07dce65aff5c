"""`rowless ask`: follow-ups refine the last answer, other readings are drawn by number."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.commands.last_answer import LastAnswer
from gateway.errors import GatewayError
from gateway.llm.offline.planner import OfflinePlanner

AMBIGUOUS = (
    '{"charts":[{"mark":"bar","table":"sales","measures":[{"aggregate":"sum","column":"sales.amount"}],'
    '"dimensions":[{"column":"sales.region"}]},{"mark":"bar","table":"sales","measures":[{"aggregate":"count"}],'
    '"dimensions":[{"column":"sales.region"}]}],"ambiguous":true,"missing":["shoe size"]}'
)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("ROWLESS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ROWLESS_HOME", str(tmp_path / "home"))
    rows = [f"{'north' if i % 3 else 'south'},{'web' if i % 2 else 'shop'},{i % 40}" for i in range(240)]
    (tmp_path / "sales.csv").write_text("region,channel,amount\n" + "\n".join(rows) + "\n")
    (tmp_path / "other.csv").write_text("city,people\n" + "\n".join(f"c{i % 4},{i}" for i in range(240)) + "\n")
    return tmp_path


def ask(shop: Path, question: str, *options: str, data: str = "sales.csv") -> Result:
    return CliRunner().invoke(app, ["ask", "--data", str(shop / data), question, *options])


def test_follow_up_refines_the_last_answer_of_the_same_data(shop: Path) -> None:
    """The chart is kept sealed, for its owner alone; without --follow a question stands alone."""
    first = ask(shop, "total amount by region")
    assert first.exit_code == 0, first.output
    assert "Total amount by region" in first.output
    then = ask(shop, "now by channel", "--follow")
    assert then.exit_code == 0, then.output
    assert "Total amount by channel" in then.output
    kept = shop / "home" / "last-answer"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "region" not in kept.read_text()


def test_answer_of_other_data_is_not_refined(shop: Path) -> None:
    """A sealed context opens for the right it was made under, and for no other."""
    ask(shop, "total amount by region")
    other = ask(shop, "now by city", "--follow", data="other.csv")
    assert isinstance(other.exception, GatewayError)
    assert other.exception.code == "context_invalid"


def test_follow_up_needs_an_earlier_answer(shop: Path) -> None:
    without = ask(shop, "now by channel", "--follow")
    assert isinstance(without.exception, GatewayError)
    assert "no earlier answer" in str(without.exception)
    (shop / "home").mkdir(exist_ok=True)
    (shop / "home" / "last-answer").write_text("not one of ours")
    broken = ask(shop, "now by channel", "--follow")
    assert isinstance(broken.exception, GatewayError)
    assert broken.exception.code == "context_invalid"


@pytest.mark.loopback
def test_other_readings_are_listed_and_drawn_by_number(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ambiguous reply: the second reading is drawn on demand; what was not understood is said; a third is none."""
    from tests.simulator.chat_server import chat_server

    with chat_server(reply=lambda _: AMBIGUOUS) as server:
        monkeypatch.setenv("ROWLESS_LLM__PLANNER", "openai")
        monkeypatch.setenv("ROWLESS_LLM__BASE_URL", server.base_url)
        first = ask(shop, "sales by region")
        assert first.exit_code == 0, first.output
        assert "Total amount by region" in first.output
        assert "2  Number of sales by region" in first.output
        assert "not in this data, or not understood: shoe size" in first.output
        second = ask(shop, "sales by region", "--reading", "2")
        assert second.exit_code == 0, second.output
        assert second.output.lstrip().startswith("Number of sales by region")
        third = ask(shop, "sales by region", "--reading", "3")
    assert isinstance(third.exception, GatewayError)
    assert "2 readings only" in str(third.exception)


def test_kept_answer_is_replaced_whole(tmp_path: Path) -> None:
    """A longer one before leaves nothing behind; a link in its place is not written through."""
    last = LastAnswer(tmp_path)
    last.keep("a" * 100)
    last.keep("b")
    assert last.context() == "b"
    target = tmp_path / "target"
    target.write_text("mine")
    (tmp_path / "last-answer.new").symlink_to(target)
    last.keep("c")
    assert (last.context(), target.read_text()) == ("c", "mine")


def test_rows_without_an_end_and_old_years_are_asked_about(shop: Path) -> None:
    """9999-12-31 stands for "no end" in many databases, and museums have years of three digits."""
    rows = [
        f"{'9999-12-31' if i % 3 else '2024-01-31'},{'0987-05-01' if i % 2 else '1750-01-01'},{i}" for i in range(240)
    ]
    (shop / "pieces.csv").write_text("valid_until,made_on,weight\n" + "\n".join(rows) + "\n")
    asked = ask(shop, "total weight by year of valid until", data="pieces.csv")
    assert asked.exit_code == 0, asked.output
    assert "9999" in asked.output


def test_explained_answer_names_who_answered_and_that_nothing_left(shop: Path) -> None:
    """The offline planner reads the prompt in this process: no model saw it."""
    shown = ask(shop, "total amount by region", "--explain")
    assert shown.exit_code == 0, shown.output
    assert f"reply of {OfflinePlanner.model}; nothing left the process" in shown.output
