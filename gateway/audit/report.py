"""The weekly report: one HTML file that needs nothing else, made to be printed to PDF.

Only numbers and codes are in it: no question, no prompt, no person. It says which checkpoint it was made at, so that
its reader can hold it against the log later.
"""

from __future__ import annotations

from gateway.audit.numbers import Numbers
from gateway.audit.page import bars, render_page, stylesheet
from gateway.audit.reader import Filter
from gateway.audit.reviewer import Reviewer
from gateway.store.clock import iso, now_us

_WEEK_US = 7 * 86_400 * 1_000_000


def weekly_report(reviewer: Reviewer, which: Filter, *, linked: bool = False) -> str:
    """The report of a filter's time as HTML, beside the same stretch of time before it.

    Args:
        reviewer: In whose name it is made.
        which: Time and tenant; a week up to now if no time is given.
        linked: For the page: links to the review, and its style sheet by address.
    """
    until = which.until_us or now_us()
    since = which.since_us if which.since_us is not None else until - _WEEK_US
    numbers = reviewer.numbers(_between(which, since, until))
    before = reviewer.numbers(_between(which, since - (until - since), since))
    head = reviewer.head()
    return render_page(
        "report.html",
        numbers=numbers,
        before=before,
        tiles=_tiles(numbers, before),
        bars=bars(numbers),
        since=iso(since)[:16].replace("T", " "),
        until=iso(until)[:16].replace("T", " "),
        tenant=which.tenant,
        head=head,
        linked=linked,
        css="" if linked else stylesheet(),
        key_name="",
    )


def _between(which: Filter, since: int, until: int) -> Filter:
    return Filter(tenant=which.tenant, user=which.user, since_us=since, until_us=until)


def _tiles(now: Numbers, before: Numbers) -> list[tuple[str, str, str]]:
    """The big numbers: name, value, and the value of the time before."""

    def cost(numbers: Numbers) -> str:
        return "no price known" if numbers.cost_usd is None else f"{numbers.cost_usd:,.2f} USD"

    def refused(numbers: Numbers) -> str:
        return f"{numbers.decisions['refused']:,}"

    return [
        ("questions", f"{now.questions:,}", f"{before.questions:,}"),
        ("refused", refused(now), refused(before)),
        ("entities masked", f"{now.masked.total():,}", f"{before.masked.total():,}"),
        ("tokens", f"{now.tokens_in + now.tokens_out:,}", f"{before.tokens_in + before.tokens_out:,}"),
        ("cost", cost(now), cost(before)),
        ("p50 / p95", _times(now), _times(before)),
    ]


def _times(numbers: Numbers) -> str:
    return f"{numbers.p50_ms:,.0f} / {numbers.p95_ms:,.0f} ms" if numbers.ms else "none answered"
