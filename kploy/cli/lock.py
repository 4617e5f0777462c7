"""``kploy lock``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kploy.cli.options import directory_argument, output_option
from kploy.cli.output import put

if TYPE_CHECKING:
    from kploy.source.network import Network
    from kploy.source.pins import Pinned


@click.command("lock")
@directory_argument
@click.option("--update", is_flag=True, help="Fetch all remote manifests, and pin what they hold now.")
@output_option("table", "json")
@click.pass_obj
def lock_command(network: Network | None, directory: Path, update: bool, output: str) -> int:
    """Show the pins of the remote manifests (*.url) of the app in DIR: address and digest.

    What a remote manifest holds is pinned in Kployfile.lock when it is first used. One that has changed
    since then is refused, until --update takes it. Commit Kployfile.lock.

    \b
    Examples:
      kploy lock             what is pinned
      kploy lock --update    take what is there now, and say what changed
      kploy lock -o json     what is pinned, for a program
    """
    from kploy.model.report import Outcome
    from kploy.source import pins

    pinned = pins.update(directory, network) if update else pins.look(directory)
    _show(pinned, output, update=update)
    return Outcome.DONE if pinned.is_valid else Outcome.INVALID


def _show(pinned: Pinned, output: str, *, update: bool) -> None:
    from kploy.ui.console import signs_for, stderr
    from kploy.ui.excerpt import show_findings
    from kploy.ui.lines import line

    talk = stderr()
    show_findings(talk, pinned.findings)
    put(_as_json(pinned) if output == "json" else _as_table(pinned))
    for row in _changes(pinned, signs_for(talk.file).arrow) if update else _unpinned(pinned):
        talk.print(line(row))


def _as_table(pinned: Pinned) -> str:
    from kploy.ui.sanitize import clean

    return "".join(f"{clean(_shown(url))}  sha256:{pin.digest}\n" for url, pin in sorted(pinned.now.items()))


def _as_json(pinned: Pinned) -> str:
    from kploy.ui.json import API_VERSION, as_json

    remotes = [
        {"url": _shown(url), "digest": f"sha256:{pin.digest}", "size": pin.size}
        for url, pin in sorted(pinned.now.items())
    ]
    return as_json({"apiVersion": API_VERSION, "kind": "Pins", "remotes": remotes}, indent=2) + "\n"


def _changes(pinned: Pinned, arrow: str) -> Iterator[str]:
    """What is new, what has changed, and what no file asks for any more."""
    before, now = pinned.before, pinned.now
    for url in sorted({*before, *now}):
        if url not in before:
            yield f"  + {_shown(url)}  {now[url].short}"
        elif url not in now:
            yield f"  - {_shown(url)}"
        elif before[url] != now[url]:
            yield f"  ~ {_shown(url)}  {before[url].short} {arrow} {now[url].short}"
    if not pinned.is_valid:
        yield "Kployfile.lock was left as it was"
    elif before == now:
        yield "nothing has changed" if now else "there are no remote manifests"


def _unpinned(pinned: Pinned) -> Iterator[str]:
    """What has no pin, and how it gets one."""
    for remote in pinned.unpinned:
        yield f"no pin yet: {remote.file}"
    if pinned.unpinned:
        yield "kploy dryrun, kploy run and kploy lock --update pin what they fetch"
    elif not pinned.now and pinned.is_valid:
        yield "there are no remote manifests"


def _shown(url: str) -> str:
    from kploy.source.urls import parse_url

    return str(parse_url(url))
