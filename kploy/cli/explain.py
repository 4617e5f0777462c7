"""``kploy explain``."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from kploy.cli.options import output_option
from kploy.cli.output import document, put

if TYPE_CHECKING:
    from kploy.core.rule_table import Rule

_WIDTH = 100


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The subjects that begin with what is typed."""
    from kploy.core.rules import RULES

    titles = {"rules": "all of them", **{rule.id: rule.title for rule in RULES.values()}}
    return [CompletionItem(name, help=title) for name, title in titles.items() if name.startswith(incomplete)]


@click.command("explain")
@click.argument("subject", shell_complete=_complete, metavar="RULE|rules|COMMAND")
@output_option("table", "json", "yaml", "name")
@click.pass_context
def explain_command(ctx: click.Context, subject: str, output: str) -> None:
    """Explain a rule by the id that stands in its findings, or list all rules.

    The Kployfile switches rules, those marked `switchable`; one object ignores some by annotation:

    \b
      rules:
        image-tag: error           or ignore, or warning
      kploy.dev/ignore: "image-tag, no-readiness-probe"

    \b
    Examples:
      kploy explain rules
      kploy explain image-tag
      kploy explain rules -o json | jq -r '.rules[].id'
    """
    from kploy.core.rules import RULES

    if subject == "rules":
        put(_data(RULES.values(), output) if output != "table" else _table(RULES.values()))
    elif subject in RULES:
        put(_data([RULES[subject]], output) if output != "table" else _page(RULES[subject]))
    else:
        put(_help(ctx, subject) + "\n")


def _help(ctx: click.Context, name: str) -> str:
    """What ``--help`` says of a command. Raises UsageError for what is neither that nor a rule."""
    parent = ctx.parent
    group = parent.command if parent else None
    command = group.get_command(ctx, name) if isinstance(group, click.Group) else None
    if command is None:
        raise click.UsageError(f"There is no rule {name!r}.{_near(name)}", ctx)
    return command.get_help(click.Context(command, parent=parent, info_name=name))


def _near(name: str) -> str:
    from kploy.core.rules import RULES
    from kploy.core.suggestions import nearest

    near = nearest(name, RULES)
    return f" Did you mean `{near}`?" if near else " `kploy explain rules` lists them."


def _table(rules: Iterable[Rule]) -> str:
    rows = [("RULE", "SEVERITY", "SWITCHABLE", "FINDS")]
    rows += [(rule.id, str(rule.severity), "no" if rule.is_fixed else "yes", rule.title) for rule in rules]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _page(rule: Rule) -> str:
    """What there is to say of one rule, with how to switch it."""
    why = "\n".join(wrap(rule.why, _WIDTH))
    return f"{rule.severity}[{rule.id}]: {rule.title}\n\n{why}\n\n{_how(rule)}"


def _how(rule: Rule) -> str:
    """How the rule is switched, as it would be written."""
    from kploy.core.rules import is_ignorable

    if rule.is_fixed:
        return "It cannot be switched.\n"
    other = "ignore" if rule.severity == "warning" else "warning"
    kployfile = f"In the Kployfile:\n\n  rules:\n    {rule.id}: {other}\n"
    annotation = f'  metadata:\n    annotations:\n      kploy.dev/ignore: "{rule.id}"\n'
    return f"{kployfile}\nOn one object:\n\n{annotation}" if is_ignorable(rule.id) else kployfile


def _data(rules: Iterable[Rule], output: str) -> str:
    """The rules for a program."""
    from kploy.ui.json import API_VERSION

    if output == "name":
        return "".join(f"{rule.id}\n" for rule in rules)
    rows = [_row(rule) for rule in rules]
    return document({"apiVersion": API_VERSION, "kind": "RuleList", "rules": rows}, output)


def _row(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "severity": str(rule.severity),
        "switchable": not rule.is_fixed,
        "title": rule.title,
        "why": rule.why,
    }
