"""``kploy list``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kploy.cli.display import refuse
from kploy.cli.options import directory_argument, output_option, where, where_options
from kploy.cli.output import document, put
from kploy.model.report import Outcome

if TYPE_CHECKING:
    from kploy.model.listing import AppListing


@click.command("list")
@directory_argument
@output_option("table", "wide", "json", "yaml", "name")
@where_options
def list_command(directory: Path, output: str, **flags: Any) -> int:
    """Show how the app in DIR is: one row for each of its objects, from the live cluster.

    \b
    Examples:
      kploy list                                the app in this directory
      kploy list -o wide                        with images and addresses, author and source
      kubectl get -n shop $(kploy list -o name) the same objects, by kubectl
      kploy list -o json | jq '.rows[].status'  for a program
    """
    target = where(**flags)
    from kploy.core.graph import graph_of
    from kploy.engine.permissions import NotAllowed
    from kploy.engine.prepare import Prepared, legible
    from kploy.engine.status import listing_of

    app = legible(directory)
    if isinstance(app, Prepared):
        return refuse(app.findings)
    try:
        listing = listing_of(app, graph_of(app.manifests)[0], target.connect(app))
    except NotAllowed as error:
        return refuse(error.findings, error.outcome)
    _show(listing, output)
    return Outcome.DONE


def _show(listing: AppListing, output: str) -> None:
    if output not in {"table", "wide"}:
        put(_data(listing, output))
        return
    from kploy.ui import listing as view
    from kploy.ui.console import signs_for, stderr, stdout

    talk, data = stderr(), stdout()
    is_wide = output == "wide"
    view.show_header(talk, listing, signs_for(talk.file).arrow, wide=is_wide)
    with data.capture() as table:
        view.show_table(data, listing, wide=is_wide)
    put(table.get())


def _data(listing: AppListing, output: str) -> str:
    """The listing for a program."""
    from kploy.ui.json import listing_document
    from kploy.ui.listing import names

    if output == "name":
        return "".join(f"{name}\n" for name in names(listing))
    return document(listing_document(listing), output)
