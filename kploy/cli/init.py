"""``kploy init``."""

from __future__ import annotations

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

    made = init(directory, name=name, namespace=namespace, image=image)
    for path in made.created:
        click.echo(f"  + {path}", err=True)
    for path in made.kept:
        click.echo(f"  = {path}  kept as it was", err=True)
    where = "" if directory == Path() else f" {directory}"
    click.echo(f"next: kploy dryrun{where} --offline, then kploy run{where}", err=True)
