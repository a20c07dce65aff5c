"""Runs cases through the real stages 1 to 11, with each model, and judges each expectation on its own.

The stages are those of `gateway.pipeline`, without its audit log and picture: a case is about one prompt and the reply
to it, after the repair rounds of a recorded model. A prompt is prepared once, whatever the number of models.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from gateway.errors import ConfigError
from gateway.llm.port import Planner
from gateway.regression.answers import Answered, Answers, AskedNow
from gateway.regression.fixtures import Fixtures
from gateway.regression.judge import Judged, judge
from gateway.regression.leaks import planted_leaks
from gateway.regression.prepare import Choice, Prepared, message_tokens, prepare
from prompts.regression.case import Case
from prompts.regression.fingerprint import prompt_hash
from prompts.regression.outcome import CaseResult, Failed, Run
from prompts.template import load_template
from redaction.scan import Scanner

__all__ = ["Choice", "Runner"]


class Runner:
    """Runs cases; scanner, fixtures and answers are shared. Thread-safe.

    Args:
        fixtures: The databases.
        scanner: The recognisers, loaded.
        choice: Template and budget.
        planner: Asked for the reply; the offline planner if None.
        answers: In place of `planner`: where the replies of each model come from.
    """

    def __init__(
        self,
        fixtures: Fixtures,
        scanner: Scanner,
        *,
        choice: Choice | None = None,
        planner: Planner | None = None,
        answers: Sequence[Answers] = (),
    ) -> None:
        self._fixtures = fixtures
        self._scanner = scanner
        self._choice = choice or Choice()
        self._answers = tuple(answers) or (AskedNow(planner),)

    def run(
        self, cases: Sequence[Case], *, workers: int = 2, label: str = "", progress: Callable[[], None] = lambda: None
    ) -> Run:
        """Run all cases with the first model.

        Raises:
            ConfigError: A case names a fixture that is not there.
        """
        return self.run_all(cases, workers=workers, label=label, progress=progress)[0]

    def run_all(
        self,
        cases: Sequence[Case],
        *,
        workers: int = 2,
        label: str = "",
        progress: Callable[[], None] = lambda: None,
        plant_leaks: bool = False,
    ) -> tuple[Run, ...]:
        """Run all cases, with each model.

        Args:
            cases: The cases.
            workers: Threads.
            label: Kept in the runs.
            progress: Called after each case.
            plant_leaks: Plant leaks in copies of the template too.

        Raises:
            ConfigError: A case names a fixture that is not there.
        """
        started = time.perf_counter()
        template = load_template(self._choice.template, self._choice.version, self._choice.folder)

        def one(case: Case) -> tuple[CaseResult, ...]:
            results = self.each(case)
            progress()
            return results

        with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
            results = tuple(pool.map(one, cases))
        planted, missed = 0, tuple[str, ...]()
        if plant_leaks:
            planted, missed = planted_leaks(self._fixtures, self._scanner, self._choice, tuple(cases))
        took = round(time.perf_counter() - started, 3)
        return tuple(
            Run(
                model=source.name,
                template=template.name,
                template_version=template.version,
                label=label,
                elapsed_s=took if at == 0 else 0.0,
                leaks_planted=planted if at == 0 else 0,
                leaks_missed=missed if at == 0 else (),
                results=tuple(of_case[at] for of_case in results),
            )
            for at, source in enumerate(self._answers)
        )

    def case(self, case: Case) -> CaseResult:
        """Run one case with the first model."""
        return self.each(case)[0]

    def each(self, case: Case) -> tuple[CaseResult, ...]:
        """Run one case, with each model."""
        started = time.perf_counter()
        made = prepare(case, self._fixtures, self._scanner, self._choice)
        before = time.perf_counter() - started
        results = []
        for source in self._answers:
            started = time.perf_counter()
            answered = Answered()
            if made.scanned is not None and not made.faulty:
                answered = source.of(made, made.scanned)
            result = _result(made, answered)
            elapsed_ms = round((before + time.perf_counter() - started) * 1000, 2)
            results.append(result.model_copy(update={"elapsed_ms": elapsed_ms}))
        return tuple(results)


def _result(made: Prepared, answered: Answered) -> CaseResult:
    prompt, case = made.prompt, made.case
    privacy = (*made.privacy, *answered.privacy)
    result = CaseResult(
        id=case.id,
        group=case.group,
        tags=case.tags,
        verdict="error",
        question=made.masked.text if made.masked is not None and not privacy else "",
        # A prompt that a guard refused is not kept: it holds what must not be shown.
        prompt=made.shown,
        prompt_sha256=prompt_hash(prompt) if prompt is not None else "",
        tokens=message_tokens(prompt) if prompt is not None else 0,
        privacy=privacy,
    )
    if made.faulty:
        invalid = Failed(column="case", says="its summary or a spec in it is not valid")
        return result.model_copy(update={"failed": (invalid,)})
    if answered.stale:
        failed = tuple(Failed(column="privacy", says=kind) for kind in answered.privacy)
        verdict = "fail" if failed else "stale"
        return result.model_copy(update={"verdict": verdict, "stale": answered.stale, "failed": failed, "samples": 0})
    try:
        judged = [judge(made, given.reply, given.code) for given in answered.given] or [judge(made, None)]
    except ConfigError:
        return result.model_copy(update={"failed": (Failed(column="case", says="cannot be judged"),)})
    return result.model_copy(update=_told(judged) | _spent(answered))


def _told(judged: Sequence[Judged]) -> dict[str, object]:
    """The verdict over the samples: a case passes if more than half of its replies do."""
    passed = sum(not one.failed for one in judged)
    holds = passed * 2 > len(judged)
    shown = next((one for one in judged if bool(one.failed) is not holds), judged[0])
    worst = next((one.failed for one in judged if one.failed), ())
    return {
        "verdict": "pass" if holds else "fail",
        "failed": () if holds else worst,
        "outcome": shown.outcome,
        "spec": shown.spec,
        "samples": len(judged),
        "samples_passed": passed,
        "readings": len({one.spec for one in judged}),
    }


def _spent(answered: Answered) -> dict[str, object]:
    replies = [given.reply for given in answered.given if given.reply is not None]
    if not replies:
        return {}
    costs = [reply.cost_usd for reply in replies if reply.cost_usd is not None]
    return {
        "tokens_out": round(sum(reply.tokens_out for reply in replies) / len(replies)),
        "cost_usd": sum(costs) / len(costs) if costs else None,
        "latency_ms": round(sum(given.latency_ms for given in answered.given) / len(answered.given), 2),
        "repairs": round(sum(given.repairs for given in answered.given) / len(answered.given), 2),
    }
