"""``kploy history``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kploy.cli.display import refuse
from kploy.cli.options import output_option, revision_arguments, where, where_options
from kploy.cli.output import document, put
from kploy.model.report import Outcome

if TYPE_CHECKING:
    from kploy.model.history import AppHistory, RevisionDiff


@click.command("history")
@revision_arguments
@output_option("table", "json", "yaml", "name")
@where_options
def history_command(revision: int | None, directory: Path, output: str, **flags: Any) -> int:
    """Show the revisions of the app: when, who, what changed, and what came of it. Newest first.

    With a REVISION it shows what that one changed against the one before it, as the manifests say it.

    \b
    Examples:
      kploy history                   the last ten
      kploy history 2                 what one of them changed
      kploy history -o json | jq '.revisions[0].outcome'
    """
    target = where(**flags)
    from kploy.engine.history import history_of, revision_diff
    from kploy.engine.prepare import Prepared, legible

    app = legible(directory)
    if isinstance(app, Prepared):
        return refuse(app.findings)
    cluster = target.connect(app)
    if revision is None:
        _show(history_of(app, cluster), output)
    else:
        _show_diff(revision_diff(app, cluster, revision), output)
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


def _show_diff(diff: RevisionDiff, output: str) -> None:
    if output == "table":
        import time

        from kploy.ui.console import stderr, stdout
        from kploy.ui.history import show_heading
        from kploy.ui.plan import Detail, show_plan

        show_heading(stderr(), diff, time.time())
        console = stdout()
        with console.capture() as changes:
            show_plan(console, diff.plan, Detail.FULL)
        put(changes.get())
    elif output == "name":
        put("".join(f"{name}\n" for name in _changed(diff)))
    else:
        from kploy.ui.json import revision_diff_document

        put(document(revision_diff_document(diff), output))


def _changed(diff: RevisionDiff) -> list[str]:
    from kploy.model.plan import Action
    from kploy.ui.sanitize import clean

    return [clean(change.ref.qualified) for change in diff.plan.changes if change.action is not Action.UNCHANGED]
