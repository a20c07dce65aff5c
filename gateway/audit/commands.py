"""``rowless audit``: review the log from a terminal or a cron job.

Exit codes: 0 done or verified; 1 the log does not verify, a search found nothing, or two prompts differ; 2 the request
or the log cannot be read; 3 a guard refused; 4 the log could not record the read.
"""

# ruff: noqa: PLR0913, PLR0917  # each argument is an option of the command line

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.audit import printing, standalone_verify
from gateway.audit.entry import prompt_bytes
from gateway.audit.export import flat, parquet, tenant_lines, whole_log
from gateway.audit.log import AuditLog
from gateway.audit.reader import Filter, Line
from gateway.audit.retention import Retention
from gateway.audit.reviewer import Reviewer, describe
from gateway.errors import NotFoundError, RequestError
from gateway.store.clock import from_iso
from gateway.store.state import State
from redaction.segments import Message, Segment, SegmentKind

app = typer.Typer(help="Review the audit log. Each read is an entry of the log itself.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option(help="Only this tenant.")]
User = Annotated[str, typer.Option(help="Only this user of the product.")]
Since = Annotated[str, typer.Option(help="Not before: a date, a time, or 7d, 12h.")]
Until = Annotated[str, typer.Option(help="Before: a date, a time, or 7d, 12h.")]
Decision = Annotated[str, typer.Option(help="answered, clarified, refused, failed, unfinished, allowed.")]
Kind = Annotated[str, typer.Option(help="Only where an entity of this kind was masked, for example email.")]
Template = Annotated[str, typer.Option(help="name or name@version of the prompt template.")]
Model = Annotated[str, typer.Option(help="Name of the model.")]
What = Annotated[str, typer.Option(help="all, questions or events.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON Lines in place of a table.")]


@contextmanager
def opened() -> Iterator[tuple[State, AuditLog, Reviewer]]:
    """The state, the log and the reviewer's functions, in the name of this account."""
    from gateway.config import Settings
    from gateway.runtime import open_audit, open_state

    settings = Settings.from_environment()
    state, _ = open_state(settings)
    try:
        log = open_audit(state, settings)
        try:
            yield state, log, Reviewer(state, log, account())
        finally:
            log.close()
    finally:
        state.close()


def account() -> str:
    """Name of the account at the command line."""
    if os.name != "posix":
        return "command line"
    import pwd

    try:
        return f"command line: {pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"command line: uid {os.getuid()}"


def chosen(
    tenant: str = "", user: str = "", since: str = "", until: str = "", decision: str = "", kind: str = "",
    template: str = "", model: str = "", what: str = "all",
) -> Filter:  # fmt: skip
    """The filter that the options name.

    Raises:
        RequestError: A time or a choice is not one.
    """
    if what not in ("all", "questions", "events"):
        msg = "--what is all, questions or events"
        raise RequestError(msg)
    return Filter(
        tenant=tenant, user=user, since_us=moment(since), until_us=moment(until), decision=decision, kind=kind.lower(),
        template=template, model=model, what=what,  # type: ignore[arg-type]  # checked above
    )  # fmt: skip


def moment(text: str) -> int | None:
    """A time as microseconds since 1970: ISO 8601, or so many days or hours ago.

    Raises:
        RequestError: It is neither.
    """
    if not text:
        return None
    unit = {"d": 86_400, "h": 3_600}.get(text[-1])
    if unit is not None and text[:-1].isdigit() and len(text) < 8:
        return round((datetime.now(UTC) - timedelta(seconds=int(text[:-1]) * unit)).timestamp() * 1_000_000)
    try:
        return from_iso(text)
    except ValueError:
        msg = "a time is like 2026-01-31, 2026-01-31T09:30, 7d or 12h"
        raise RequestError(msg) from None


@app.command("list")
def list_lines(
    tenant: Tenant = "", user: User = "", since: Since = "", until: Until = "", decision: Decision = "",
    kind: Kind = "", template: Template = "", model: Model = "", what: What = "all",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    before: Annotated[int | None, typer.Option(help="Only indexes below this: the next page.")] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """List questions and events, newest first."""
    which = chosen(tenant, user, since, until, decision, kind, template, model, what)
    with opened() as (_, _, reviewer):
        lines = reviewer.lines(which, limit=limit, before=before)
        _print_lines(lines, reviewer.actors(lines), as_json=as_json)


@app.command()
def show(
    entry: Annotated[str, typer.Argument(help="Id (six digits or more), or index as #12.")],
    raw: Annotated[bool, typer.Option("--raw", help="Only the prompt, byte for byte, as canonical JSON.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one question: what was asked, what the model saw, what each stage decided."""
    with opened() as (_, _, reviewer):
        found = reviewer.open(entry)
        actor = reviewer.actors([found.line])[found.line.seq]
    if raw:
        sys.stdout.buffer.write(_prompt(found.content))
    elif as_json:
        item = {**flat(found.line), "actor": actor, "content": found.content, "outcome": found.outcome}
        typer.echo(json.dumps({**item, "body": found.body, "outcome_body": found.outcome_body}))
    else:
        printing.show(Console(highlight=False), found, actor)


@app.command()
def search(
    words: Annotated[str, typer.Argument(help="Words of a question, prompt, reply or spec.")],
    tenant: Tenant = "", user: User = "", since: Since = "", until: Until = "", decision: Decision = "",
    kind: Kind = "", template: Template = "", model: Model = "", what: What = "all",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Find entries by their sealed content. Opens them one by one: narrow the time first."""
    which = chosen(tenant, user, since, until, decision, kind, template, model, what)
    with opened() as (_, _, reviewer):
        lines = reviewer.search(words, which, limit=limit)
        _print_lines(lines, reviewer.actors(lines), as_json=as_json)
    if not lines:
        raise typer.Exit(1)


@app.command()
def verify(
    checkpoint: Annotated[list[Path] | None, typer.Option(help="A checkpoint that you kept; repeatable.")] = None,
    key: Annotated[str, typer.Option(help="The log's public key that you kept, or a file with it.")] = "",
    content: Annotated[bool, typer.Option(help="Hash the sealed contents too.")] = True,
    signatures: Annotated[bool, typer.Option(help="Check the signature of every entry (slow).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Verify the whole log, from any checkpoint that you kept."""
    from gateway.config import Settings
    from gateway.runtime import checkpoint_folder, open_state

    settings = Settings.from_environment()
    state, _ = open_state(settings)
    try:
        files = checkpoint or sorted(checkpoint_folder(settings).glob("*.checkpoint"))[-1:]
        result = verify_state(state, files, key=key, content=content, signatures=signatures)
    except standalone_verify.UnreadableError as problem:
        typer.echo(f"NOT OK: {problem}", err=True)
        raise typer.Exit(1) from None
    finally:
        state.close()
    standalone_verify.report(result, as_json=as_json)
    raise typer.Exit(0 if result.ok else 1)


@app.command()
def prove(
    entry: Annotated[str, typer.Argument(help="Id or #index.")],
    out: Annotated[Path, typer.Option(help="Writes OUT.json and OUT.tlog-proof.")],
) -> None:
    """Write an offline proof that an entry is in the log (C2SP tlog-proof)."""
    with opened() as (_, _, reviewer):
        body, proof = reviewer.prove(entry)
        key = reviewer.head().verifier.text
    out.with_suffix(".json").write_text(body, encoding="utf-8")
    out.with_suffix(".tlog-proof").write_text(proof, encoding="utf-8")
    typer.echo(f"{out.with_suffix('.json')} is in the log of {key}")


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="The file: .jsonl or .parquet.")],
    whole: Annotated[bool, typer.Option("--whole", help="The whole log, sealed, for the verifier.")] = False,
    content: Annotated[bool, typer.Option("--content", help="With opened contents: questions and prompts.")] = False,
    tenant: Tenant = "", user: User = "", since: Since = "", until: Until = "", decision: Decision = "",
    kind: Kind = "", template: Template = "", model: Model = "", what: What = "all",
) -> None:  # fmt: skip
    """Export lines as JSON Lines with proofs, or as Parquet; or the whole log for the verifier."""
    which = chosen(tenant, user, since, until, decision, kind, template, model, what)
    if out.suffix not in (".jsonl", ".parquet") or (out.suffix == ".parquet" and (whole or content)):
        msg = "export to a .jsonl file, or without contents to a .parquet file"
        raise RequestError(msg)
    with opened() as (state, log, reviewer):
        log.checkpoint()
        reviewer.record("audit.exported", filter="whole log" if whole else describe(which), content=str(content))
        if out.suffix == ".parquet":
            count = parquet(reviewer.read(which), out)
        else:
            with open(out, "w", encoding="utf-8", opener=_private) as file:  # needs the opener
                write = whole_log(state, file) if whole else tenant_lines(state, which, file, content=content)
                count = write
    typer.echo(f"{count} {'entries' if whole else 'lines'} in {out}")


@app.command()
def stats(
    tenant: Tenant = "", user: User = "", since: Since = "7d", until: Until = "", decision: Decision = "",
    kind: Kind = "", template: Template = "", model: Model = "", what: What = "all",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:  # fmt: skip
    """Count questions, refusals, masked entities, tokens, cost and time, by day."""
    which = chosen(tenant, user, since, until, decision, kind, template, model, what)
    with opened() as (_, _, reviewer):
        numbers = reviewer.numbers(which)
    if as_json:
        typer.echo(json.dumps(numbers.as_dict()))
    else:
        printing.show_numbers(Console(highlight=False), numbers)


@app.command()
def diff(first: str, second: str) -> None:
    """Compare the prompts of two entries. Exit code 1 if they differ."""
    with opened() as (_, _, reviewer):
        lines = reviewer.diff(first, second)
    for line in lines:
        typer.echo(printing.visible(line))
    raise typer.Exit(1 if lines else 0)


@app.command()
def key() -> None:
    """Print the log's public key: keep it, and old checkpoints, away from this machine."""
    with opened() as (_, _, reviewer):
        typer.echo(reviewer.head().verifier.text)


@app.command()
def report(
    out: Annotated[Path, typer.Argument(help="An .html file; print it for a PDF.")],
    since: Since = "7d", until: Until = "", tenant: Tenant = "",
) -> None:  # fmt: skip
    """Write the weekly report: questions, refusals, masked entities, models, tokens, cost, times."""
    from gateway.audit.report import weekly_report

    which = chosen(tenant=tenant, since=since, until=until)
    with opened() as (_, _, reviewer):
        out.write_text(weekly_report(reviewer, which), encoding="utf-8")
    typer.echo(str(out))


@app.command()
def erase(
    tenant: Annotated[str, typer.Option(help="Erase all content of this tenant.")] = "",
    older_than_days: Annotated[int | None, typer.Option(min=1, help="Erase content of months older than this.")] = None,
) -> None:
    """Erase content for good by destroying its keys. The log still verifies."""
    if bool(tenant) == (older_than_days is not None):
        msg = "give either --tenant or --older-than-days"
        raise RequestError(msg)
    with opened() as (state, log, _):
        retention = Retention(state, log, account())
        count = retention.erase_tenant(tenant) if tenant else retention.expire(days=older_than_days or 0)
    typer.echo(f"{count} keys destroyed")


@app.command()
def hold(
    tenant: Annotated[str, typer.Argument(help="The tenant.")],
    release: Annotated[bool, typer.Option("--release", help="End the hold.")] = False,
) -> None:
    """Place a tenant under legal hold, or release it."""
    with opened() as (state, log, _):
        retention = Retention(state, log, account())
        retention.release(tenant) if release else retention.hold(tenant)
    typer.echo(f"hold {'released' if release else 'placed'}")


def verify_state(
    state: State, checkpoints: list[Path], *, key: str = "", content: bool = True, signatures: bool = False
) -> standalone_verify.Result:
    """Verify the log of an opened state, by the code of the standalone verifier."""
    from gateway.audit.rows import stored_notes, stored_rows

    own, notes = stored_notes(state)
    if key:
        text = key if "+" in key else Path(key).read_text(encoding="utf-8")
        if standalone_verify.read_key(text) != own:
            msg = "the log is signed with another key than yours"
            raise standalone_verify.UnreadableError(msg)
    kept = [n for path in checkpoints for n in standalone_verify.split_notes(path.read_text(encoding="utf-8"))]
    rows = stored_rows(state, content=content)
    return standalone_verify.verify(rows, own, [*notes, *kept], all_signatures=signatures)


def _print_lines(lines: list[Line], actors: dict[int, str], *, as_json: bool) -> None:
    if as_json:
        for line in lines:
            typer.echo(json.dumps({**flat(line), "actor": actors.get(line.seq, "")}))
    else:
        Console(highlight=False).print(printing.lines_table(lines, actors))


def _prompt(content: dict[str, object] | None) -> bytes:
    if not content or not isinstance(content.get("messages"), list) or not content["messages"]:
        msg = "this entry has no prompt, or its content was erased"
        raise NotFoundError(msg)
    messages = [
        Message(
            role=message["role"],
            segments=tuple(Segment(kind=SegmentKind(s["kind"]), text=s["text"]) for s in message["segments"]),
        )
        for message in content["messages"]  # type: ignore[attr-defined]  # a list, as checked
    ]
    return prompt_bytes(messages, str(content["reply_schema"]))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
