"""``kploy history``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kploy.cli.display import refuse
from kploy.cli.options import directory_argument, output_option, where, where_options
from kploy.cli.output import document, put
from kploy.model.report import Outcome

if TYPE_CHECKING:
    from kploy.model.history import AppHistory


@click.command("history")
@directory_argument
@output_option("table", "json", "yaml", "name")
@where_options
def history_command(directory: Path, output: str, **flags: Any) -> int:
    """Show the revisions of the app: when, who, what changed, and what came of it. Newest first.

    \b
    Examples:
      kploy history                   the last ten
      kploy history -o json | jq '.revisions[0].outcome'
    """
    target = where(**flags)
    from kploy.engine.history import history_of
    from kploy.engine.prepare import prepare
    from kploy.engine.status import legible

    prepared = prepare(directory, offline=True)
    app = legible(prepared)
    if app is None:
        return refuse(prepared.findings)
    _show(history_of(app, target.connect(app)), output)
    return Outcome.DONE


def _show(history: AppHistory, output: str) -> None:
    if output == "table":
        import time

        from kploy.ui.console import stdout
        from kploy.ui.history import show_history

        console = stdout()
        with console.capture() as table:
            show_history(console, history, time.time())
        put(table.get())
    elif output == "name":
        put("".join(f"{record.revision}\n" for record in history.records))
    else:
        from kploy.ui.json import history_document

        put(document(history_document(history), output))
