"""Stage 7 with its purse and its memory: a planner, each tenant's token budget, and replies that are still good."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from gateway.attached import Known
from gateway.llm.accounts import Accounts, Ledger
from gateway.llm.attempt import AttemptInfo, BeforeSend, InHouse, OnProgress, Rescan, sending
from gateway.llm.cache import AnswerCache, answer_key, keepable
from gateway.llm.choose import choose_planner, make_accounts, make_allowed, make_cache
from gateway.llm.places import TenantPlaces
from gateway.llm.port import Planner
from gateway.llm.settings import LlmSettings
from gateway.refusals import mapped
from gateway.tenancy.scope import Scope
from gateway.types import Reply
from redaction.envelope import check_envelope
from redaction.scan import ScannedPrompt, Scanner


@dataclass(slots=True)
class Planning:
    """Asks the planner, within the tenant's budget, unless the same question of the same facts was asked before."""

    planner: Planner
    accounts: Accounts
    cache: AnswerCache
    scanner: Scanner
    endpoints: Callable[[str], frozenset[str] | None] = lambda _: None
    places: TenantPlaces = field(default_factory=lambda: TenantPlaces(12))
    _checked: set[tuple[str, ...]] = field(default_factory=set)

    @classmethod
    def configured(
        cls,
        settings: LlmSettings,
        scanner: Scanner,
        planner: Planner | None = None,
        *,
        ledger: Ledger | None = None,
    ) -> Planning:
        """The planner, accounts and cache that the settings ask for.

        Args:
            settings: The group of settings.
            scanner: Holds what goes with a prompt to its closed shape.
            planner: In place of the configured one.
            ledger: Where spends are kept; in memory if None.

        Raises:
            ConfigError: An address, certificate file, price or name of an endpoint is not usable.
        """
        return cls(
            planner=planner or choose_planner(settings),
            accounts=make_accounts(settings, ledger),
            cache=make_cache(settings),
            scanner=scanner,
            endpoints=make_allowed(settings),
            places=TenantPlaces(settings.max_per_tenant or settings.max_concurrent * 3 // 2),
        )

    def key(self, prompt: ScannedPrompt, scope: Scope, known: Known) -> str:
        """What a reply to this prompt depends on, hashed."""
        built = prompt.prompt
        return answer_key(
            masked_question=built.question,
            summary_release=known.summary.release,
            scope_shape=scope.shape(),
            template=built.template,
            version=built.version,
            model=f"{self.planner.name}/{self.planner.model}",
            previous=built.previous,
            scanner=prompt.report.scanner,
        )

    def recall(self, key: str) -> Reply | None:
        """A reply to the same question of the same facts, if it is still good. Nothing leaves for it."""
        return self.cache.get(key)

    async def reply(
        self,
        prompt: ScannedPrompt,
        *,
        tenant: str,
        before_send: BeforeSend,
        in_house: InHouse,
        rescan: Rescan,
        on_progress: OnProgress | None = None,
    ) -> Reply:
        """Answer a prompt.

        Args:
            prompt: What the scan let through.
            tenant: Who pays.
            before_send: Told of each send before it happens.
            in_house: Told before a planner inside the process takes over from an endpoint.
            rescan: Scans the prompt again before a fall-back is asked.
            on_progress: Called as a streamed reply grows.

        Raises:
            BudgetSpentError: The tenant's budget does not allow it.
            RefusedError: None of the endpoints may be asked for this tenant.
            GuardFailedError: The ledger of budgets is away.
            ModelError: The planner could not be reached, refused, timed out, or is kept busy by the tenant.
        """
        if not self.planner.leaves:
            return await self.planner.plan(prompt)
        with self.places.hold(tenant):
            async with self.accounts.spending(tenant) as spend:
                announce = spend.after(self._after_envelope(before_send))
                allowed = self.endpoints(tenant)
                with sending(announce, on_progress, rescan=rescan, allowed=allowed, in_house=in_house):
                    reply = await self.planner.plan(prompt)
                spend.settle(reply)
            return reply

    def _after_envelope(self, before_send: BeforeSend) -> BeforeSend:
        """A hook that first holds what goes with the prompt (model and tool names) to its closed shape, once each."""

        async def both(attempt: AttemptInfo) -> None:
            names = tuple(sorted(_names(json.loads(attempt.body))))
            if (attempt.model, *names) not in self._checked:
                with mapped("plan"):
                    await asyncio.to_thread(check_envelope, self.scanner, model=attempt.model, tool_names=names)
                self._checked.add((attempt.model, *names))
            await before_send(attempt)

        return both

    def keep(self, key: str, reply: Reply) -> None:
        """Remember a reply that was read and found valid."""
        if keepable(reply, self.planner.model):
            self.cache.put(key, reply)


def _names(payload: dict[str, Any]) -> Iterator[str]:
    """Names of the tools and of the reply format that a request body carries."""
    for tool in payload.get("tools") or ():
        yield str(tool["function"]["name"])
    schema = (payload.get("response_format") or {}).get("json_schema")
    if schema is not None:
        yield str(schema["name"])
