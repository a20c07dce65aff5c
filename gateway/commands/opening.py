"""The options that name data, shared by the commands: a file of one's own, or a project's datasource."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway.answer import Asker
from gateway.config import Settings
from gateway.errors import RequestError
from gateway.project import FILE_NAME, Project, SourceConfig

LOCAL_TENANT = "local"
"""The tenant of a file that belongs to whoever asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The datasource that a command line named, and who asks."""

    project: Project
    config: SourceConfig
    asker: Asker


def project_file(settings: Settings, given: Path | None) -> Path:
    """The project file of a command that needs one: the option's, else the setting's, else the one in this folder.

    Raises:
        RequestError: None is there.
    """
    file = given or settings.project or _here()
    if file is None:
        msg = f"which project? there is no {FILE_NAME} here: make one with `rowless init`, or give --project FILE"
        raise RequestError(msg, code="source_missing")
    return file


def _here() -> Path | None:
    file = Path(FILE_NAME)
    return file if file.is_file() else None


def named_data(
    settings: Settings, *, data: Path | None, project: Path | None, source: str | None, tenant: str | None
) -> Named:
    """Find the datasource.

    Raises:
        RequestError: None is named, or two; or whose rows is not said. The text says which option to give.
    """
    if data is not None and project is not None:
        msg = "give --data or --project, not both"
        raise RequestError(msg, code="source_twice")
    file = project or settings.project or _here()
    if data is not None:
        loaded = Project.for_path(data)
    elif file is not None:
        loaded = Project.load(file)
    else:
        msg = f"which data? give --data FILE_OR_FOLDER, or --project {FILE_NAME} (`rowless init` makes one)"
        raise RequestError(msg, code="source_missing")
    config = loaded.source(source)
    if tenant is None and not config.unrestricted:
        msg = "whose rows? give the tenant's id with --tenant"
        raise RequestError(msg, code="tenant_missing")
    who = LOCAL_TENANT if data is not None or tenant is None else tenant
    return Named(project=loaded, config=config, asker=Asker(source=config.name, tenant=who, user="command line"))
