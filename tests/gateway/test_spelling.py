"""What the asker's words stand for is looked up in the asker's rows, bound, and said to the asker alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from gateway.attached import AttachedSource
from gateway.chart.spec import ChartSpec
from gateway.context import Context
from gateway.project import Project
from gateway.sources.open import open_source
from gateway.spelling import as_stored, suggestions
from gateway.tenancy.scope import Limits, Scope
from redaction.mask import LinkedValue

FIRMS = (
    ("one", "Acme Corp"), ("one", "Ana Lopez"), ("one", "Maria Lopez"), ("one", "Müller GmbH"),
    ("two", "Acme Rivals"), ("two", "Zorblax Industries"),
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """A source of two tenants."""

    attached: AttachedSource

    def scope(self, tenant: str = "one") -> Scope:
        return self.attached.scope(tenant=tenant)


def opened(folder: Path, rules: str) -> AttachedSource:
    with duckdb.connect(str(folder / "deals.duckdb")) as connection:
        connection.execute("create table deals (tenant varchar, firm varchar, amount double)")
        connection.executemany("insert into deals values (?, ?, 1.0)", FIRMS)
    (folder / "rowless.toml").write_text(
        f'[[source]]\nname = "shop"\npath = "deals.duckdb"\n{rules}[source.tables.deals]\ntenant = "tenant"\n'
    )
    config = Project.load(folder / "rowless.toml").source()
    return AttachedSource(open_source(config), config, index_key=b"k" * 32, max_index_values=1000, limits=Limits())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    attached = opened(tmp_path, "")
    yield World(attached)
    attached.close()


@pytest.fixture
def groups(tmp_path: Path) -> Iterator[World]:
    """The same, answering for groups of three at least."""
    attached = opened(tmp_path, "min_answer_group = 3\n")
    yield World(attached)
    attached.close()


def reading(filter_: dict[str, object], words: str) -> Context:
    spec = ChartSpec.model_validate({"mark": "bar", "table": "deals", "measures": [{"aggregate": "count"}],
                                     "filter": filter_})  # fmt: skip
    return Context(spec=spec, bindings={"v1": words}, placeholders={"v1": ("deals.firm",)})


def is_v1(op: str = "eq") -> dict[str, object]:
    return {"op": op, "column": "deals.firm", "value": {"placeholder": "v1"}}


PART = LinkedValue(placeholder="v1", columns=("deals.firm",), part=True)
STYLED = LinkedValue(placeholder="v1", columns=("deals.firm",), styled=True)


def test_a_part_of_one_value_becomes_the_value(world: World) -> None:
    """And the asker is told; another tenant's firm of the same beginning is not met."""
    stored = as_stored([reading(is_v1(), "acme")], [PART], world.attached, world.scope())
    assert stored.contexts[0].bindings == {"v1": "Acme Corp"}
    assert stored.notes == ("“acme” was read as “Acme Corp” (deals.firm)",)


def test_a_part_of_several_values_becomes_one_of_them(world: World) -> None:
    """Inside any condition, and negated as it was."""
    nested = {"op": "and", "filters": [is_v1("ne"), {"op": "in", "column": "deals.firm",
                                                    "values": [{"placeholder": "v1"}, "x"]}]}  # fmt: skip
    stored = as_stored([reading(nested, "lopez")], [PART], world.attached, world.scope()).contexts[0]
    dumped = stored.spec.model_dump(mode="json", exclude_defaults=True)["filter"]["filters"]
    assert [part["op"] for part in dumped] == ["not_in", "in"]
    assert {stored.bindings[v["placeholder"]] for v in dumped[0]["values"]} == {"Ana Lopez", "Maria Lopez"}
    assert dumped[1]["values"][-1] == "x"
    assert set(stored.placeholders) == set(stored.bindings)


def test_every_reading_is_rewritten(world: World) -> None:
    """An alternative that the asker chooses later compares with stored values too."""
    readings = [reading(is_v1(), "lopez"), reading(is_v1("ne"), "lopez")]
    stored = as_stored(readings, [PART], world.attached, world.scope()).contexts
    assert [context.spec.filter.op for context in stored] == ["in", "not_in"]  # type: ignore[union-attr]


def test_a_scope_of_groups_learns_no_other_word_of_a_value(groups: World) -> None:
    """There a part is compared by "contains", and nothing is said."""
    stored = as_stored([reading(is_v1(), "acme")], [PART], groups.attached, groups.scope())
    assert stored.contexts[0].bindings == {"v1": "acme"}
    assert stored.contexts[0].spec.filter.op == "contains"  # type: ignore[union-attr]
    assert stored.notes == ()


def test_a_folded_word_becomes_its_spelling(world: World) -> None:
    """Without a note: it is the same word."""
    stored = as_stored([reading(is_v1(), "muller gmbh")], [STYLED], world.attached, world.scope())
    assert stored.contexts[0].bindings == {"v1": "Müller GmbH"}
    assert stored.notes == ()


@pytest.mark.parametrize("words", ["acme", "zorblax"])
def test_another_tenants_value_is_no_value(world: World, words: str) -> None:
    """What only tenant two has stays as it was typed for tenant one's scope."""
    asked = "rivals" if words == "acme" else words
    stored = as_stored([reading(is_v1(), asked)], [PART], world.attached, world.scope())
    assert stored.contexts[0].bindings == {"v1": asked}
    assert stored.notes == ()


def test_did_you_mean_meets_the_beginning_of_a_value(world: World) -> None:
    """Typed with a slip and without its other words."""
    said = suggestions(reading(is_v1(), "Acmee"), world.attached, world.scope())
    assert said == ("nothing in deals.firm is “Acmee”; did you mean “Acme Corp”?",)


def test_a_scope_of_groups_is_offered_nothing(groups: World) -> None:
    """What is nearly spelt so may be one record's."""
    assert suggestions(reading(is_v1(), "Acmee"), groups.attached, groups.scope()) == ()


def test_a_value_that_is_there_is_not_called_missing(world: World) -> None:
    """Nothing matched for another reason: it is not the spelling."""
    assert suggestions(reading(is_v1(), "Ana Lopez"), world.attached, world.scope()) == ()
