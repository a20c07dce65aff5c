"""Write an answer to a file whose ending says how."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.answer import Answer
from gateway.chart.arrow import to_arrow
from gateway.chart.export import to_csv
from gateway.chart.image import to_html, to_png, to_svg
from gateway.errors import RequestError

SUFFIXES = (".html", ".png", ".svg", ".json", ".csv", ".arrow")


def check_suffix(path: Path) -> None:
    """Refuse an ending that we cannot write, before any work is done.

    Raises:
        RequestError: The ending is none of `SUFFIXES`, or the folder does not exist.
    """
    if path.suffix.lower() not in SUFFIXES:
        msg = f"cannot write {path.name}: the ending must be one of {', '.join(SUFFIXES)}"
        raise RequestError(msg, code="output_format")
    if not path.parent.is_dir():
        msg = f"cannot write {path.name}: its folder does not exist"
        raise RequestError(msg, code="output_folder")


def write_chart(path: Path, answer: Answer) -> None:
    """Write the chart, or its rows as CSV or an Arrow stream, or spec, Vega-Lite and rows as JSON."""
    match path.suffix.lower():
        case ".html":
            content: str | bytes = to_html(answer.chart, answer.sentence)
        case ".png":
            content = to_png(answer.chart)
        case ".svg":
            content = to_svg(answer.chart)
        case ".csv":
            content = to_csv(answer.result)
        case ".arrow":
            content = to_arrow(answer.result, facts={"sentence": answer.sentence, "audit_id": answer.audit_id})
        case _:
            content = json.dumps(
                {
                    "sentence": answer.sentence,
                    "spec": answer.spec.model_dump(mode="json", exclude_defaults=True),
                    "vega_lite": answer.chart.vega_lite,
                    "columns": [column.title for column in answer.result.columns],
                    "rows": [list(row) for row in answer.result.rows],
                    "audit_id": answer.audit_id,
                },
                indent=1,
                ensure_ascii=False,
            )
    try:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        msg = f"cannot write {path.name}: {error.strerror or 'the file system refused'}"
        raise RequestError(msg, code="output_failed") from None
