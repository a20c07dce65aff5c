"""``rowless regress new``, ``copy``, ``export`` and ``import``: cases made, and carried to and from promptfoo."""

# ruff: noqa: PLR0913, PLR0917  # each argument is an option of the command line

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.opening import named_data
from gateway.commands.regress_options import Budget, Projects, Rules, Tag, Templates, TemplateVersion, write_text
from gateway.config import Settings
from gateway.errors import ConfigError, RequestError
from prompts.errors import PromptError
from prompts.regression.case import CASES, Case

if TYPE_CHECKING:
    # These load engines, which --help does not wait for.
    from gateway.attached import Known
    from gateway.regression.new_case import Found


def new(
    question: Annotated[str, typer.Argument(help="The question; left out with --audit.")] = "",
    audit: Annotated[str, typer.Option(help="Make it from this audit entry: six digits of its id, or #12.")] = "",
    fixture: Annotated[str, typer.Option(help="Ask a fixture: shop, helpdesk or ugly.")] = "",
    data: Annotated[Path | None, typer.Option(help="Ask a file or folder of your own.")] = None,
    project: Annotated[Path | None, typer.Option(help="Ask a datasource of a project file.")] = None,
    source: Annotated[str | None, typer.Option(help="The project's datasource; its only one if left out.")] = None,
    tenant: Annotated[str, typer.Option(help="Whose rows; the entry's if left out.")] = "",
    out: Annotated[Path, typer.Option(help="The case file; a case is added to one that is there.")] = Path(
        "cases/new.yaml"
    ),
    name: Annotated[str, typer.Option("--id", help="Id of the case; made from the question if left out.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="A tag; repeatable.")] = None,
    as_typed: Annotated[
        bool, typer.Option("--as-typed", help="Keep the question as typed, personal data and row values too.")
    ] = False,
) -> None:
    """Make a case, with the expectations that a run finds, for you to review."""
    from gateway.regression.fixtures import Fixtures
    from gateway.regression.new_case import draft, known_of, masked_by, write_case
    from gateway.regression.suite import Setup
    from gateway.runtime import scan_config
    from redaction.scan import Scanner

    if bool(question) == bool(audit):
        msg = "give a question, or --audit ENTRY"
        raise RequestError(msg, code="question_empty")
    settings = Settings.from_environment()
    found = None
    if audit:
        question, tenant, found = _entry(audit, tenant)
    scanner = Scanner(scan_config(settings.redaction))
    with ExitStack() as stack:
        fixtures: Fixtures = stack.enter_context(Setup().fixtures())
        summary: dict[str, object] | None = None
        if fixture:
            if not tenant:
                msg = "whose rows? give --tenant with --fixture"
                raise RequestError(msg, code="tenant_missing")
            known: Known = fixtures[fixture].asked_by(tenant)[1]
        else:
            named = named_data(settings, data=data, project=project, source=source, tenant=tenant or None)
            known = known_of(named.config, named.asker.tenant)
            fixture, tenant = _name(named.config.name), str(named.asker.tenant)
            summary = known.summary.model_dump(mode="json", exclude_defaults=True)
        masked = bool(audit)
        if not audit and not as_typed:
            kept = masked_by(known, question, scanner)
            masked = bool(kept.placeholders())
            question = kept.text if masked else question
        case = Case(
            id=name or _name(question), question=question, fixture=fixture, tenant=tenant, tags=tuple(tag or ()),
            summary=summary, already_masked=masked, group=out.stem,
        )  # fmt: skip
        made = draft(case, fixtures, scanner, found)
        try:
            write_case(made, out)
        except PromptError as error:
            raise ConfigError(str(error)) from None
    typer.echo(
        f"wrote case {made.id} to {out}: it ends as {made.expect.outcome}; review it, then: rowless regress run {out}"
    )
    if masked:
        typer.echo("what was personal or of a row is a placeholder in it")


def copy(folder: Annotated[Path, typer.Argument(help="A new folder.")]) -> None:
    """Copy the shipped templates, cases and the fixtures' rules to change them: templates/, cases/ and rules/."""
    import shutil

    from gateway.regression.fixtures import FIXTURES, shipped_rules
    from prompts.template import TEMPLATES

    try:
        shutil.copytree(TEMPLATES, folder / "templates", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        shutil.copytree(CASES, folder / "cases")
        (folder / "rules").mkdir()
    except OSError as error:
        msg = f"cannot copy to {folder.name}: {error.strerror or 'something of it is there already'}"
        raise ConfigError(msg) from None
    for fixture in FIXTURES:
        write_text(folder / "rules" / f"{fixture}.toml", shipped_rules(fixture))
    typer.echo(f"wrote {folder}: templates, cases, rules")


def export(
    out: Annotated[Path, typer.Argument(help="The promptfoo configuration to write.")],
    cases: Annotated[list[Path] | None, typer.Option("--cases", help="Case files or folders; the shipped.")] = None,
    promptfoo: Annotated[bool, typer.Option("--promptfoo", help="The format; there is this one.")] = True,
    provider: Annotated[list[str] | None, typer.Option(help="A promptfoo provider; repeatable.")] = None,
    templates: Templates = None,
    version: TemplateVersion = None,
    rules: Rules = None,
    project: Projects = None,
    budget: Budget = 4000,
    tag: Tag = "",
) -> None:
    """Write cases as a promptfoo configuration: scanned prompts, and what promptfoo can judge of a reply."""
    from gateway.regression.prepare import Choice
    from gateway.regression.promptfoo_out import exported
    from gateway.regression.suite import Setup, own_fixtures
    from prompts.template import TEMPLATES

    if not promptfoo:
        msg = "there is one format: --promptfoo"
        raise ConfigError(msg)
    setup = Setup(
        places=tuple(cases or (CASES,)),
        choice=Choice(folder=templates or TEMPLATES, version=version, budget_tokens=budget),
        rules=rules,
        projects=own_fixtures(project or ()),
        tag=tag,
    )
    try:
        text, count, left_out = exported(setup, tuple(provider or ("echo",)))
    except PromptError as error:
        raise ConfigError(str(error)) from None
    write_text(out, text)
    typer.echo(f"wrote {out}: {count} cases")
    for line in left_out:
        typer.echo(f"left out: {line}")


def import_cases(
    file: Annotated[Path, typer.Argument(help="A promptfoo configuration, in YAML or JSON.")],
    out: Annotated[Path, typer.Option(help="The case file to write.")] = Path("cases/imported.yaml"),
    fixture: Annotated[str, typer.Option(help="Fixture of tests that name none.")] = "shop",
    tenant: Annotated[str, typer.Option(help="Tenant of tests that name none.")] = "northwind",
    variable: Annotated[str, typer.Option(help="Variable that holds the question.")] = "question",
) -> None:
    """Read the tests of a promptfoo configuration as cases; what a case cannot say is listed."""
    from gateway.regression.new_case import SCHEMA_NAME, case_file
    from gateway.regression.promptfoo_in import imported
    from prompts.regression.case import json_schema

    if out.exists():
        msg = f"{out.name} is there already: give another with --out"
        raise ConfigError(msg)
    try:
        cases, left_out = imported(file, fixture=fixture, tenant=tenant, variable=variable)
        text = case_file(cases, fixture, tenant)
        out.parent.mkdir(parents=True, exist_ok=True)
    except PromptError as error:
        raise ConfigError(str(error)) from None
    except OSError:
        msg = f"cannot write {out.name}"
        raise ConfigError(msg) from None
    write_text(out, text)
    if not (out.parent / SCHEMA_NAME).exists():
        write_text(out.parent / SCHEMA_NAME, json_schema())
    typer.echo(f"wrote {out}: {len(cases)} cases; review them")
    for line in left_out:
        typer.echo(f"left out: {line}")


def _entry(audit: str, tenant: str) -> tuple[str, str, Found]:
    """The masked question, the tenant and the end of an audit entry. Reading it is an entry of the log itself."""
    from gateway.audit.commands import opened
    from gateway.regression.new_case import Found

    with opened() as (_, _, reviewer):
        entry = reviewer.open(audit)
    if entry.content is None or not entry.content.get("masked_question"):
        msg = "this entry has no masked question, or its content was erased"
        raise RequestError(msg, code="entry_without_question")
    end = entry.outcome or {}
    found = Found(decision=entry.line.decision, spec=str(end.get("spec") or ""))
    return str(entry.content["masked_question"]), tenant or entry.line.tenant, found


def _name(text: str) -> str:
    """An id made from a question, placeholders left out."""
    plain = re.sub(r"[^a-z0-9]+", "-", re.sub(r"⟨[^⟩]*⟩", "it", text).lower()).strip("-")[:60].strip("-")
    return plain if re.match(r"[a-z]", plain) else f"case-{plain}".strip("-")
