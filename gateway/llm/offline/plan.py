"""From a Summary and a masked question to a Plan: the pure core of the offline planner."""

from __future__ import annotations

from gateway.chart.spec import ChartSpec, Measure, Plan
from gateway.summary.model import Summary


def plan_question(summary: Summary, question: str, previous: ChartSpec | None = None) -> Plan:
    """Propose charts for a question.

    Args:
        summary: What may be known of the datasource.
        question: The asker's words after masking.
        previous: The spec a follow-up refines.

    Returns:
        Up to five ranked charts, or what is missing.
    """
    lowered = question.lower()
    for table in summary.tables:
        if table.name.lower().rstrip("s") in lowered:
            return Plan(charts=(ChartSpec(mark="text", table=table.name, measures=(Measure(aggregate="count"),)),))
    return Plan(missing=(question[:60],)) if previous is None else Plan(charts=(previous,))
