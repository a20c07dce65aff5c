"""What a git revision would have sent and planned: its templates, rules and code, over today's cases.

Of Rowless's own repository the whole revision is checked out beside and run as a process of its own, so that its
rules and planner count too. Of a prompt author's repository its templates, and recorded replies if they are kept there,
are taken from the revision and run by the installed code.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import prompts
from gateway.errors import ConfigError

GIT_TIMEOUT_S = 60
RUN_TIMEOUT_S = 900
PACKAGE = Path(prompts.__file__).resolve().parents[1]
"""Where the running code is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A revision, checked out.

    Attributes:
        name: As it was asked for, with the beginning of its hash.
        root: Top of the repository that is used.
        folder: Top of the revision's files.
        is_own: It is a revision of Rowless itself.
    """

    name: str
    root: Path
    folder: Path
    is_own: bool

    def at(self, path: Path) -> Path:
        """Where a path of the repository is in the revision; the path itself if it is none of it."""
        whole = path.resolve()
        return self.folder / whole.relative_to(self.root) if whole.is_relative_to(self.root) else path


@contextmanager
def checked_out(revision: str, near: Path) -> Iterator[Revision]:
    """Check a revision out into a folder of its own, for the length of the block.

    Args:
        revision: Anything that git resolves to a commit.
        near: A file or folder of the repository: the templates that are run.

    Raises:
        ConfigError: It is in no repository, or there is no such revision.
    """
    place = near.resolve()
    place = place if place.is_dir() else place.parent
    root = Path(_git(place, "rev-parse", "--show-toplevel", why="the templates are in no git repository")).resolve()
    commit = _git(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}",
        why="the repository has no such revision",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _git(root, "worktree", "add", "--detach", "--quiet", str(tree), commit, why="it cannot be checked out")
        try:
            is_own = root == PACKAGE and (tree / "gateway" / "cli.py").is_file()
            name = commit[:8] if commit.startswith(revision) else f"{revision} {commit[:8]}"
            yield Revision(name=name, root=root, folder=tree, is_own=is_own)
        finally:
            _git(root, "worktree", "remove", "--force", str(tree), why="it cannot be removed")


def run_own(revision: Revision, places: Sequence[Path], options: Sequence[str], out: Path) -> None:
    """Run today's cases by the code of a revision of Rowless; its own cases if it cannot read today's.

    Raises:
        ConfigError: The revision has no regression suite, or its run failed.
    """
    own = revision.folder / "prompts" / "regression" / "cases"
    for cases in ([str(place.resolve()) for place in places], [str(own)]):
        if _run(revision, cases, options, out):
            return
    msg = f"revision {revision.name} cannot run the cases: is the regression suite in it?"
    raise ConfigError(msg)


def _run(revision: Revision, cases: Sequence[str], options: Sequence[str], out: Path) -> bool:
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from gateway.cli import main; main()"
    words = ["regress", "run", *cases, *options, "--json", str(out)]
    command = [sys.executable, "-c", code, str(revision.folder), *words]
    try:
        # Exit 3 says that cases fail, which is a result too.
        done = subprocess.run(  # noqa: S603 - our own code, without a shell
            command, cwd=revision.folder, capture_output=True, timeout=RUN_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode in (0, 3) and out.is_file()


def _git(place: Path, *words: str, why: str) -> str:
    msg = f"git: {why}"
    try:
        done = subprocess.run(  # noqa: S603 - without a shell; a revision cannot be taken for an option
            ["git", "-C", str(place), *words],  # noqa: S607 - the user's git
            capture_output=True,
            text=True,
            timeout=GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        raise ConfigError(msg) from None
    if done.returncode != 0:
        raise ConfigError(msg)
    return done.stdout.strip()
