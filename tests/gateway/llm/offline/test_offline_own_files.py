"""One table without owner's words, as from a person's own file."""

from __future__ import annotations

import pytest

from gateway.catalog import ColumnType
from gateway.chart.canonical import canonical
from gateway.chart.spec import ChartSpec, Compare, InList
from gateway.chart.validate import validate
from gateway.llm.offline.plan import plan_question
from gateway.summary.model import ColumnSummary, Summary, TableSummary, TextFacts

TYPES = {
    "t": ColumnType.TEXT,
    "i": ColumnType.INTEGER,
    "n": ColumnType.NUMBER,
    "d": ColumnType.DATE,
    "b": ColumnType.BOOLEAN,
}


def table(name: str, columns: str) -> Summary:
    """A Summary from ``name:type`` or ``name:type:distinct`` words."""
    found = []
    for word in columns.split():
        column, kind, *distinct = word.split(":")
        known = distinct[0] if distinct else "few"
        count = int(known) if known.isdigit() else known
        found.append(ColumnSummary.model_validate({"name": column, "type": TYPES[kind], "distinct": count}))
    return Summary(source="own", tables=(TableSummary(name=name, rows=1000, columns=tuple(found)),))


SALES = table("sales", "order_date:d:350 product:t:40 region:t units:i:50 unit_price:n:80 revenue:n:900 returned:b")
MOVIES = table("movies", "title:t:unique genre:t:20 release_year:i:60 director:t:300 gross:n:900 imdb_rating:n:70")
PEOPLE = table("people", "PassengerId:i:unique Survived:i Sex:t Age:n:80 Fare:n:250")


def first(own: Summary, question: str) -> ChartSpec:
    """The first chart, which has to be drawable."""
    plan = plan_question(own, question)
    assert plan.charts, plan.missing
    assert validate(plan.charts[0], own) == []
    return plan.charts[0]


@pytest.mark.parametrize(
    ("own", "question", "mark", "aggregate", "column", "group"),
    [
        (SALES, "revenue by month", "line", "sum", "sales.revenue", "sales.order_date"),
        (SALES, "average unit price per region", "bar", "avg", "sales.unit_price", "sales.region"),
        (SALES, "best selling product", "bar", "sum", "sales.revenue", "sales.product"),
        (MOVIES, "average rating by genre", "bar", "avg", "movies.imdb_rating", "movies.genre"),
        (MOVIES, "highest rated movies", "bar", "avg", "movies.imdb_rating", "movies.title"),
        (MOVIES, "gross over time", "line", "sum", "movies.gross", "movies.release_year"),
        (PEOPLE, "survival rate by sex", "bar", "avg", "people.Survived", "people.Sex"),
    ],
)
def test_a_plain_question_has_its_plain_chart(
    own: Summary, question: str, mark: str, aggregate: str, column: str, group: str
) -> None:
    chart = first(own, question)
    assert (chart.mark, chart.measures[0].aggregate, chart.measures[0].column) == (mark, aggregate, column)
    assert chart.dimensions[0].column == group


def test_a_rate_of_a_yes_or_no_column_is_a_share_of_rows() -> None:
    chart = first(SALES, "return rate by region")
    assert [m.derive for m in chart.measures] == [None, None, "ratio"]
    assert chart.measures[0].filter == Compare(op="eq", column="sales.returned", value=True)


@pytest.mark.parametrize(
    ("own", "question", "expected"),
    [
        (MOVIES, "movies released after 2010 by genre", Compare(op="ge", column="movies.release_year", value=2011)),
        (MOVIES, "movies in 2010 by genre", Compare(op="eq", column="movies.release_year", value=2010)),
        (PEOPLE, "passengers older than 60 by sex", Compare(op="gt", column="people.Age", value=60)),
    ],
)
def test_years_held_as_numbers_and_comparatives_find_their_column(
    own: Summary, question: str, expected: Compare
) -> None:
    assert first(own, question).filter == expected


ORDERS = table("sales", "order_date:d:350 product:t:40 category:t region:t units:i:50 customer:t:400")


def test_half_a_name_is_not_taken_for_the_whole() -> None:
    """There is no revenue here: units and a table of sales are not it."""
    plan = plan_question(ORDERS, "revenue by month")
    assert plan.charts == ()
    assert plan.missing == ("revenue",)


@pytest.mark.parametrize(
    ("question", "column"), [("customers by region", "customer"), ("products by category", "product")]
)
def test_things_that_are_a_column_are_counted_once_each(question: str, column: str) -> None:
    chart = first(ORDERS, question)
    assert (chart.measures[0].aggregate, chart.measures[0].column) == ("count_distinct", f"sales.{column}")


def test_orders_where_only_their_date_is_known_are_rows() -> None:
    assert first(ORDERS, "number of orders by region").measures[0].aggregate == "count"


CLUBS = table("club", "club_id:i:unique club_name:t:unique region:t start_year:d:unique members:i:12")


def test_an_open_chart_lists_its_readings() -> None:
    """Sum, mean and count by the named column are all readings of a pie chart of a category."""
    plan = plan_question(CLUBS, "Draw a pie chart of the regions.")
    assert {c.mark for c in plan.charts} == {"arc"}
    assert plan.charts[0].dimensions[0].column == "club.region"
    kinds = {
        (c.measures[0].aggregate, c.measures[0].column) for c in plan.charts if c.dimensions[0].column == "club.region"
    }
    assert {("count", None), ("sum", "club.members"), ("avg", "club.members")} <= kinds


def test_the_same_chart_is_never_proposed_twice() -> None:
    charts = plan_question(CLUBS, "Show the number of clubs by region.").charts
    assert len(charts) == 5
    assert len({canonical(c) for c in charts}) == 5


@pytest.mark.parametrize(
    "words",
    [
        "Djurgården, Häcken, or AIK",
        "'north', 'south', and 'east'",
        "first, second, or third",
        "⟨name:1⟩, AIK, or Brage",
    ],
)
def test_values_nobody_could_mask_are_read_from_the_question(words: str) -> None:
    chart = first(CLUBS, f"A bar chart of club names for the clubs {words}.")
    assert isinstance(chart.filter, InList)
    assert chart.filter.column == "club.club_name"
    assert len(chart.filter.values) == 3


def test_words_are_no_values_of_columns_whose_values_are_masked() -> None:
    """The Summary tells the text of the column: its values were indexed, so an unknown name is not one of them."""
    told = CLUBS.model_copy(
        update={
            "tables": tuple(
                t.model_copy(
                    update={
                        "columns": tuple(
                            c.model_copy(update={"text": TextFacts(length="5-10")}) if c.type is ColumnType.TEXT else c
                            for c in t.columns
                        )
                    }
                )
                for t in CLUBS.tables
            )
        }
    )
    plan = plan_question(told, "members by region for Djurgården")
    assert all(c.filter is None for c in plan.charts)
    assert plan.missing == ("djurgården",)
