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
@click.option("--offline", is_flag=True, help="Check without a cluster; touch no network.")
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

    The Kployfile and the manifests are checked against their schemas and against each other. Then the
    cluster is asked: whether you may do all this, what becomes of every object, and whether its pods would
    be let in, by server-side dry runs with strict validation. All that is wrong is shown at once, with
    file, line and column. `kploy explain RULE` says more of each; the exit code is 3.

    The plan tells which fields would change, which pods restart for it and how, and what is down meanwhile.
    Values of Secrets are never shown, and neither are others that look like a secret by their name or text
    (PASSWORD, TOKEN, KEY, user:word@host). With -o json it is the event Planned.

    \b
    Examples:
      kploy dryrun                               the app in this directory
      kploy dryrun --offline                     without a cluster, as before a commit
      kploy dryrun --diff=full                   every field that would change
      kploy dryrun --kubernetes-version 1.36     as after an upgrade of the cluster
      kploy dryrun shop -o json                  events as JSON, one a line
      kploy dryrun -o sarif                      findings for code scanning
      kploy dryrun --exit-code || test $? = 10   changes are no failure
    """
    adopts, replaces = flags.pop("adopt"), flags.pop("replace")
    target = where(**flags)
    from kploy.cli.display import display_for, show, with_all_data
    from kploy.cli.interruptible import Interruptible

    with display_for(output, directory, plan_is_result=True, detail=diff) as display, Interruptible(display):
        if offline:
            from kploy.engine.check import check

            stream = check(directory, version or "")
        else:
            from kploy.engine.compare import Liberties
            from kploy.engine.pipeline import dryrun

            liberties = Liberties(adopts, replaces)
            stream = dryrun(
                directory, target.connect, version=version or "", tell_pending=tell_pending, liberties=liberties
            )
        code = show(stream, display)
    return with_all_data(code, display)
