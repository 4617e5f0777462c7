"""``kploy graph``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kploy.cli.options import directory_argument, output_option
from kploy.cli.output import document, put
from kploy.model.report import Outcome

if TYPE_CHECKING:
    from kploy.core.picture import Picture


@click.command("graph")
@directory_argument
@output_option("text", "dot", "mermaid", "svg", "json")
def graph_command(directory: Path, output: str) -> int:
    """Show what waits for what in the app in DIR, and how far that must be. No network is touched.

    An object starts when what it needs is `ready`; of some it needs only that they are `applied`, as a pod
    does of its Service, or that they were `tried`. Objects of one wave do not wait for each other.
    -o svg is drawn by Graphviz, if it is installed. An app with errors has no graph: they are shown then,
    and the exit code is 3.

    \b
    Examples:
      kploy graph                      the app in this directory, in waves
      kploy graph shop -o mermaid      for Markdown
      kploy graph -o dot | dot -Tpng   for Graphviz
      kploy graph -o json              for a program
    """
    from kploy.core.picture import picture
    from kploy.engine.prepare import prepare

    prepared = prepare(directory, offline=True)
    if prepared.app is None or not prepared.is_valid:
        from kploy.cli.display import display_for, show
        from kploy.engine.check import report

        with display_for(output, directory, plan_is_result=False) as display:
            return show(report(prepared, ()), display)
    _put(picture(prepared.graph), prepared.app.kployfile.name, output)
    return Outcome.DONE


def _put(found: Picture, app: str, output: str) -> None:
    from kploy.ui import drawing

    match output:
        case "text":
            from kploy.ui.console import stdout

            console = stdout()
            with console.capture() as text:
                drawing.show_picture(console, found)
            put(text.get())
        case "dot":
            put(drawing.dot(found, app))
        case "mermaid":
            put(drawing.mermaid(found))
        case "svg":
            from kploy.ui.graphviz import svg

            put(svg(drawing.dot(found, app)))
        case _:
            from kploy.ui.json import picture_document

            put(document(picture_document(found, app), output))
