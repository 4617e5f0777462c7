"""``kploy dryrun``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kploy.cli.options import (
    KubernetesVersion,
    directory_argument,
    liberty_options,
    output_option,
    where,
    where_options,
)


@click.command("dryrun")
@directory_argument
@click.option("--offline", is_flag=True, help="Check against the schemas only; touch no network.")
@click.option(
    "--kubernetes-version",
    "version",
    type=KubernetesVersion(),
    metavar="VERSION",
    help="Check against the schemas of this version.  [default: the cluster's; offline the newest]",
)
@click.option("--exit-code", "tell_pending", is_flag=True, help="Exit with 10 when a run would change something.")
@click.option(
    "--diff",
    type=click.Choice(["full", "short", "none"]),
    default="short",
    show_default=True,
    help="How much to show of what changes: every field, a line an object, or only which objects.",
)
@liberty_options
@output_option("text", "json", "sarif")
@where_options
def dryrun_command(
    directory: Path,
    offline: bool,
    version: str | None,
    tell_pending: bool,
    diff: str,
    output: str,
    **flags: Any,
) -> int:
    """Check the app in DIR, and show what a run would change. Nothing is written.

    The Kployfile and the manifests are checked against their schemas and against each other, then every
    object is put to the cluster as a server-side dry run with strict validation. All that is wrong is
    shown at once, with file, line and column; the exit code is then 3.

    What the server answered is compared with what is live: which fields differ, which pods restart for it
    and how, and what is down meanwhile. Values of Secrets are never shown, and neither are others whose
    name or text looks like a secret (PASSWORD, TOKEN, KEY, user:word@host): that they change is.
    With -o json the event Planned has all of it: for each field its path, edit, before, after, masked.

    \b
    Examples:
      kploy dryrun                 the app in this directory
      kploy dryrun --offline       without a cluster, as before a commit
      kploy dryrun --diff=full     every field that would change
      kploy dryrun shop -o json    events as JSON, one a line
      kploy dryrun -o sarif        findings for code scanning
      kploy dryrun --offline --kubernetes-version 1.34
      kploy dryrun --exit-code || test $? = 10
    """
    adopts, replaces = flags.pop("adopt"), flags.pop("replace")
    target = where(**flags)
    from kploy.cli.display import display_for, show

    with display_for(output, directory, plan_is_result=True, detail=diff) as display:
        if offline:
            from kploy.engine.check import check

            return show(check(directory, version or ""), display)
        from kploy.engine.compare import Liberties
        from kploy.engine.pipeline import dryrun

        liberties = Liberties(adopts, replaces)
        stream = dryrun(
            directory, target.connect, version=version or "", tell_pending=tell_pending, liberties=liberties
        )
        return show(stream, display)
