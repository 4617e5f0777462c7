"""Graphviz, where it is installed: the program ``dot``."""

from __future__ import annotations

import shutil
import subprocess

from kploy.model.errors import KployError

_LONGEST = 60
"""Seconds that a drawing may take."""


def svg(digraph: str) -> str:
    """``digraph`` drawn as SVG. Raises KployError where ``dot`` is not installed, fails or takes too long."""
    program = shutil.which("dot")
    if program is None:
        hint = "install Graphviz (its package is called graphviz), or take -o mermaid"
        raise KployError("svg is drawn by Graphviz, and there is no `dot` on the PATH", hint)
    try:
        done = subprocess.run(  # noqa: S603 - a program that was asked for, and no shell
            [program, "-Tsvg"], input=digraph.encode(), capture_output=True, timeout=_LONGEST, check=False
        )
    except subprocess.TimeoutExpired as exc:
        raise KployError(
            f"Graphviz has not finished after {_LONGEST} s", "take -o dot, and draw it elsewhere"
        ) from exc
    except OSError as exc:
        raise KployError(f"{program} cannot be started: {exc.strerror}", "take -o dot or -o mermaid") from exc
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise KployError(f"Graphviz failed: {said}", "take -o dot or -o mermaid")
    return done.stdout.decode(errors="replace")
