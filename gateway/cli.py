"""The command ``rowless``: every error is one line that says what was wrong and what to do, never a traceback.

Exit codes: 0 done, 1 our own bug, 2 the request is wrong, 3 a guard refused, 4 something outside did not answer.
"""

from __future__ import annotations

import sys

import typer

from gateway.audit import commands as audit
from gateway.commands import ask, demo, project, regress, serve, source, summary
from gateway.errors import ConfigError, GatewayError

app = typer.Typer(
    name="rowless",
    help="Metadata-only LLM prompt gateway for embedded analytics: the model plans the chart and never sees a row.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command(name="demo")(demo.demo)
app.command(name="ask")(ask.ask)
app.command(name="serve")(serve.serve)
app.command(name="init")(project.init)
app.add_typer(summary.app, name="summary")
app.add_typer(source.app, name="source")
app.add_typer(audit.app, name="audit")
app.add_typer(serve.keys, name="keys")
app.add_typer(regress.app, name="regress")


def main() -> None:
    """Run the command; the entry point of the ``rowless`` script."""
    try:
        app()
    except GatewayError as error:
        _fail(error.message, error.exit_code)
    except ConfigError as error:
        _fail(str(error), 2)
    except BrokenPipeError:
        # The reader of our output closed it, for example `head`.
        sys.stderr.close()
        raise SystemExit(0) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception:  # noqa: BLE001  (the last line of defence: the text of an unforeseen error may quote a row)
        _fail("something went wrong in rowless itself; please report what you did (not your data)", 1)


def _fail(message: str, code: int) -> None:
    typer.echo(f"rowless: {message}", err=True)
    raise SystemExit(code)
