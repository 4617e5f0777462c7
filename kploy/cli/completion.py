"""``kploy completion``."""

from __future__ import annotations

import click

from kploy.cli.output import put


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    Examples:
      source <(kploy completion bash)
      kploy completion zsh > "${fpath[1]}/_kploy"
      kploy completion fish > ~/.config/fish/completions/kploy.fish
    """
    from click.shell_completion import get_completion_class

    from kploy.cli.main import kploy

    complete = get_completion_class(shell)
    if complete is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    put(complete(kploy, {}, "kploy", "_KPLOY_COMPLETE").source() + "\n")
