"""Where an app lies in its repository: what a file of the app is called for those who look at the whole."""

from __future__ import annotations

import os
from pathlib import Path

from kploy.model.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Tree:
    """The app's directory, and the root of the repository that it lies in; both without links in them.

    ``root`` is None where the app lies outside of what is known.
    """

    app: Path
    root: Path | None

    def path(self, file: str) -> str:
        """``file`` of the app, relative to the root, with forward slashes; absolute where there is no root."""
        # The name is the user's: `..` in a link is nothing to resolve, and a directory has no slash at its end.
        whole = Path(os.path.normpath(self.app / file))
        if self.root is not None and whole.is_relative_to(self.root):
            return whole.relative_to(self.root).as_posix()
        return whole.as_posix()

    def holds(self, path: str) -> bool:
        """Whether a path that it gave is relative to the root."""
        return not path.startswith("/") and not Path(path).is_absolute()


def tree_of(app: str | os.PathLike[str], *, workspace: str | None, here: str | None = None) -> Tree:
    """Where ``app`` lies: in the nearest git repository, else in ``workspace``, else ``here``.

    ``workspace`` is the directory that a CI job works in: a repository has to
    lie in it, perhaps deeper, and what is outside has no root. ``here`` counts
    only where there is no workspace. Never raises, whatever is there.
    """
    directory = _real(app)
    limit = _real(workspace) if workspace else None
    if limit is not None and not directory.is_relative_to(limit):
        return Tree(directory, None)
    above = [directory, *directory.parents]
    for candidate in above if limit is None else above[: above.index(limit) + 1]:
        if os.path.lexists(candidate / ".git"):
            return Tree(directory, candidate)
    around = limit or (_real(here) if here else None)
    return Tree(directory, around if around and directory.is_relative_to(around) else directory)


def _real(path: str | os.PathLike[str]) -> Path:
    return Path(os.path.realpath(path))
