"""Join paths along many-to-one relationships: shortest, deterministic, or a choice for the asker.

A step goes from a table with a foreign key to the table the key points to, so that no step multiplies rows. Joins are
not in the chart language: a column is named ``table.column`` and the path to it is found here. `via` names
relationships (``table.column`` of the key) that the path must take, where more than one path is shortest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from gateway.summary.model import Link

Path = tuple[Link, ...]
MAX_STEPS = 6


class NoPathError(Exception):
    """There is no such path. `reachable` names the tables that can be reached instead."""

    def __init__(self, reachable: tuple[str, ...]) -> None:
        super().__init__("no join path")
        self.reachable = reachable


class AmbiguousPathError(Exception):
    """More than one shortest path. `choices` are relationship names, one of which `via` should name."""

    def __init__(self, choices: tuple[str, ...]) -> None:
        super().__init__("more than one shortest join path")
        self.choices = choices


class Graph:
    """The many-to-one relationships between the tables in scope."""

    def __init__(self, links: Iterable[Link]) -> None:
        self._steps: dict[str, list[Link]] = {}
        for link in sorted(set(links), key=lambda link: (link.table, link.columns, link.parent)):
            self._steps.setdefault(link.table, []).append(link)
        self._found: dict[tuple[str, str, tuple[str, ...]], Path] = {}

    def path(self, root: str, target: str, via: Sequence[str] | None = None) -> Path:
        """Find the one shortest path of many-to-one steps from `root` to `target`.

        Args:
            root: Safe name of the table whose rows must not be multiplied.
            target: Safe name of the table to reach.
            via: Relationship names the path must take, in order.

        Returns:
            Steps from `root`; empty if both are the same table and nothing is to be passed by.

        Raises:
            NoPathError: No path of at most `MAX_STEPS` steps takes these relationships.
            AmbiguousPathError: More than one path is shortest.
        """
        key = (root, target, tuple(via or ()))
        if key not in self._found:
            self._found[key] = self._search(*key)
        return self._found[key]

    def reaches(self, root: str, target: str) -> bool:
        """Whether any path leads from `root` to `target`."""
        return target in self.reachable(root)

    def reachable(self, root: str) -> tuple[str, ...]:
        """Tables that many-to-one steps lead to, nearest first, `root` itself first of all."""
        seen = [root]
        for table in seen:
            seen.extend(link.parent for link in self._steps.get(table, ()) if link.parent not in seen)
        return tuple(seen)

    def _search(self, root: str, target: str, via: tuple[str, ...]) -> Path:
        if root == target and not via:
            return ()
        shortest: list[Path] = []
        for path in self._walk(root):
            if shortest and len(path) > len(shortest[0]):
                break
            if path[-1].parent == target and _takes(path, via):
                shortest.append(path)
        if not shortest:
            raise NoPathError(self.reachable(root))
        if len(shortest) > 1:
            raise AmbiguousPathError(_choices(shortest))
        return shortest[0]

    def _walk(self, root: str) -> Iterator[Path]:
        """All paths in order of length. A table is not visited twice, but may point to itself once (a parent row)."""
        level: list[Path] = [()]
        for _ in range(MAX_STEPS):
            level = [
                (*path, link)
                for path in level
                for link in self._steps.get(path[-1].parent if path else root, ())
                if link not in path and not any(link.parent == step.table for step in path)
            ]
            yield from level


def _takes(path: Path, via: tuple[str, ...]) -> bool:
    names = iter(step.name for step in path)
    return all(name in names for name in via)


def _choices(paths: Sequence[Path]) -> tuple[str, ...]:
    """The relationship in which each path first differs from the others."""
    for position in range(len(paths[0])):
        names = {path[position].name for path in paths}
        if len(names) > 1:
            return tuple(sorted(names))
    return tuple(sorted({path[0].name for path in paths}))


@lru_cache(maxsize=256)
def graph_of(links: tuple[Link, ...]) -> Graph:
    """The graph of a Summary's links, built once per release."""
    return Graph(links)
