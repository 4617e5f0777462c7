"""``kploy init``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kploy.cli.options import directory_argument


@click.command("init")
@directory_argument
@click.option("--name", metavar="NAME", help="The app's name.  [default: the directory's]")
@click.option("--namespace", metavar="NAME", help="The namespace it is deployed to.  [default: default]")
@click.option("--image", metavar="IMAGE", help="The container image it runs.")
def init_command(directory: Path, name: str | None, namespace: str | None, image: str | None) -> None:
    """Make DIR into an app: a Kployfile, and a first manifest in rcs/ and services/.

    Files that exist are never touched. What it writes passes `kploy dryrun` and deploys as it is.

    \b
    Examples:
      kploy init shop
      kploy init --name shop --namespace prod --image ghcr.io/acme/shop:1.4
    """
    from kploy.source.scaffold import init
    from kploy.ui.streams import steadfast

    made = init(directory, name=name, namespace=namespace, image=image)
    said = [f"  + {path}" for path in made.created] + [f"  = {path}  kept as it was" for path in made.kept]
    where = "" if directory == Path() else f" {directory}"
    said.append(f"next: kploy dryrun{where} --offline, then kploy run{where}")
    # It is made, whether or not anybody can read that.
    print(*said, sep="\n", file=steadfast(sys.stderr), flush=True)
