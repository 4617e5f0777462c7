"""``kploy list``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kploy.cli.options import directory_argument, output_option, where, where_options

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
      kploy list -o wide                        with images and addresses
      kubectl get $(kploy list -o name)         the same objects, by kubectl
      kploy list -o json | jq '.rows[].status'  for a program
    """
    target = where(**flags)
    from kploy.engine.status import listing_of, readable

    app, graph = readable(directory)
    _show(listing_of(app, graph, target.connect(app)), output)
    return 0


def _show(listing: AppListing, output: str) -> None:
    from kploy.ui import listing as view
    from kploy.ui.console import signs_for, stderr, stdout
    from kploy.ui.json import listing_document

    match output:
        case "json":
            import json

            click.echo(json.dumps(listing_document(listing), indent=2))
        case "yaml":
            from kploy.source.yaml import dump

            click.echo(dump(listing_document(listing)), nl=False)
        case "name":
            click.echo("".join(f"{name}\n" for name in view.names(listing)), nl=False)
        case _:
            talk = stderr()
            view.show_header(talk, listing, signs_for(talk.file).arrow)
            view.show_table(stdout(), listing, wide=output == "wide")
