"""``kploy schema``."""

from __future__ import annotations

import click

from kploy.cli.output import put


@click.command("schema")
def schema_command() -> None:
    """Print the JSON Schema (2020-12) of the Kployfile, for editors and other tools.

    \b
    Examples:
      kploy schema > kployfile.schema.json
    """
    from kploy.source.kployfile import schema_text

    put(schema_text())
