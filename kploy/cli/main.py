"""The way in: ``kploy``, and ``kubectl kploy`` by the same code.

Only click is loaded here. A command's own module loads when it is called, and
what is heavy loads inside the command, so that --help and completion are quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

import click

from kploy import __version__
from kploy.ending import is_interrupt
from kploy.model.errors import KployError
from kploy.model.report import MEANINGS, Outcome

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_WIDEST = 100
"""How many columns help has at most."""

_COMMANDS: Mapping[str, str] = {
    "init": "Make a directory into an app.",
    "dryrun": "Check the app, and show what a run would change.",
    "graph": "Show what waits for what.",
    "run": "Deploy the app, and wait until it is ready.",
    "list": "Show how the app is.",
    "history": "Show the revisions of the app, and what came of them.",
    "rollback": "Deploy a revision of the app again.",
    "destroy": "Delete all that the app has in its cluster.",
    "repair": "Make a lost or damaged inventory anew.",
    "unlock": "Take the lock of the app away from a run that is gone.",
    "lock": "Show the pins of remote manifests, or take new ones.",
    "sandbox": "A Kubernetes control plane on this machine, to try things on.",
    "explain": "Explain a rule, or list them all.",
    "schema": "Print the JSON Schema of the Kployfile.",
    "completion": "Print the shell's completion script.",
}
"""Each command's module is kploy.cli.NAME, and has an attribute of that name."""


class _LazyGroup(click.Group):
    """Loads a command's module when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"kploy.cli.{cmd_name}"), f"{cmd_name}_command")
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands that begin so, and the options; no command is loaded for it."""
        from click.shell_completion import CompletionItem

        commands = [
            CompletionItem(name, help=_COMMANDS[name]) for name in _COMMANDS if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(f"{error.message.rstrip('.')}.{_near(args[0])}", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(outcome)), meaning) for outcome, meaning in MEANINGS.items()])


def _near(name: str) -> str:
    from kploy.core.suggestions import nearest

    near = nearest(name, _COMMANDS)
    return f" Did you mean `{near}`?" if near else ""


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _WIDEST},
    epilog="An app is a directory: a Kployfile, rcs/ (what runs), services/ (how it is reached), "
    "resources/ (everything else), env/ (NAME.secret and NAME.config, one value a file).",
)
@click.version_option(__version__, "--version", "-V", prog_name="kploy", message="%(prog)s %(version)s")
def kploy() -> None:
    """Deploy an app to Kubernetes, and keep it running.

    \b
    Examples:
      kploy init shop            make shop/ into an app
      kploy dryrun               check the app in this directory
      kploy run                  deploy it, and wait until it is ready
      kploy list                 see how it is
      kploy run --sandbox        do it on a control plane of your own
    """


def main() -> int:
    """Run the command line. Returns one of the exit codes in model.report."""
    name = os.path.basename(sys.argv[0])  # noqa: PTH119 - pathlib is not needed for anything else here
    try:
        result = kploy.main(
            prog_name="kubectl kploy" if name == "kubectl-kploy" else "kploy",
            standalone_mode=False,
            terminal_width=_width(),
        )
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        return int(Outcome.USAGE)
    except (click.Abort, KeyboardInterrupt):
        return _interrupted()
    except SystemExit:
        # Click ends by itself only when stdout was closed under it: `kploy list | head` has what it wanted.
        return int(Outcome.DONE)
    except KployError as error:
        _complain(error)
        return int(error.outcome)
    except Exception as error:  # noqa: BLE001 - the last door: a bug is told, not thrown at the user
        return _interrupted() if is_interrupt(error) else _confess(error)
    return int(result) if isinstance(result, int) else int(Outcome.DONE)


def _width() -> int:
    """How wide help is. It is what click comes to by shutil, which it would load for this alone."""
    try:
        width = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        width = 0
    if width <= 0:
        try:
            width = os.get_terminal_size(sys.__stdout__.fileno()).columns  # type: ignore[union-attr]  # see below
        except (AttributeError, ValueError, OSError):  # there is none, it is closed, or no terminal
            width = 0
    return max(min(width or 80, _WIDEST) - 2, 50)


def _interrupted() -> int:
    _say("kploy: interrupted")
    return int(Outcome.INTERRUPTED)


def _complain(error: KployError) -> None:
    from kploy.ui.sanitize import clean

    _say(click.style("error: ", fg="red", bold=True) + clean(error.message))
    if error.hint:
        _say(f"  {clean(error.hint)}")


def _say(words: str) -> None:
    """Write a line to stderr, if there is anybody to read it: how it ended, the exit code says in any case."""
    from kploy.ui.sanitize import defused

    with suppress(OSError):
        click.echo(defused(words), err=True)


def _confess(error: Exception) -> int:
    """Say that it is our fault, and where: no values, which might be secret, unless they are asked for."""
    module, line = _origin(error)
    if isinstance(error, OSError) and module == "click.utils":
        # It is click.echo that could not write the help, or the like.
        _say(f"kploy: the output is not complete: {error.strerror}")
        return int(Outcome.FAILED)
    if os.environ.get("KPLOY_TRACEBACK"):
        raise error
    _say(f"kploy {__version__} has a bug: {type(error).__name__} in {module}:{line}")
    _say("  please report it; KPLOY_TRACEBACK=1 shows all, values of the app included")
    return int(Outcome.BUG)


def _origin(error: Exception) -> tuple[str, int]:
    """The module and the line where it was raised."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return (str(at.tb_frame.f_globals.get("__name__")), at.tb_lineno) if at else ("nowhere", 0)
