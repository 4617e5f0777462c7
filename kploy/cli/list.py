"""``kploy list``."""

from __future__ import annotations

import sys
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

    if output in {"table", "wide"}:
        talk = stderr()
        view.show_header(talk, listing, signs_for(talk.file).arrow)
        view.show_table(stdout(), listing, wide=output == "wide")
    else:
        from kploy.ui.streams import steadfast

        data = steadfast(sys.stdout)
        data.write(_data(listing, output))
        data.flush()


def _data(listing: AppListing, output: str) -> str:
    """The listing for a program."""
    from kploy.ui.json import listing_document
    from kploy.ui.listing import names

    if output == "name":
        return "".join(f"{name}\n" for name in names(listing))
    if output == "json":
        import json

        return json.dumps(listing_document(listing), indent=2) + "\n"
    from kploy.source.yaml import dump

    return dump(listing_document(listing))
