"""Which displays a command's options and its environment ask for, and showing a stream of events on them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kploy.cli.options import calls_of
from kploy.model.events import Event, Finished
from kploy.model.report import Outcome

if TYPE_CHECKING:
    from kploy.model.findings import Finding
    from kploy.ui.displays import Companion, Display
    from kploy.ui.tree import Tree


def display_for(output: str, directory: Path, *, plan_is_result: bool, detail: str = "short") -> Display:
    """The display for ``-o text``, ``json`` or ``sarif``, and for GitHub's annotations and summary in its jobs.

    ``detail`` is how much of the plan a text tells; see ui.plan.
    """
    from kploy.ui.displays import Accompanied

    command = click.get_current_context().info_name or ""
    companions = tuple(_companions(directory, command, os.environ))
    display = _display(output, directory, detail, plan_is_result=plan_is_result)
    return Accompanied(display, *companions) if companions else display


def _display(output: str, directory: Path, detail: str, *, plan_is_result: bool) -> Display:
    if output == "json":
        from kploy.ui.json import JsonDisplay

        return JsonDisplay()
    if output == "sarif":
        from kploy.ui.sarif import SarifDisplay

        return SarifDisplay(_tree(directory, os.environ))
    from kploy.ui.text import TextDisplay

    calls = calls_of(click.get_current_context())
    return TextDisplay(plan_is_result=plan_is_result, calls=calls, detail=detail)


def _companions(directory: Path, command: str, environment: Mapping[str, str]) -> Iterator[Companion]:
    """What GitHub Actions shows beside the log, if this is a step of one of its jobs."""
    if environment.get("GITHUB_ACTIONS") == "true":
        from kploy.ui.github import Annotations

        yield Annotations(_tree(directory, environment))
    path = environment.get("GITHUB_STEP_SUMMARY")
    if path:
        from kploy.ui.summary import Summary

        yield Summary(path, _tree(directory, environment), command)


def _tree(directory: Path, environment: Mapping[str, str]) -> Tree:
    from kploy.ui.tree import tree_of

    return tree_of(directory, workspace=environment.get("GITHUB_WORKSPACE"), here=".")


def show(stream: Iterable[Event], display: Display) -> int:
    """Show every event; returns the exit code that the last one says."""
    code = 0
    for event in stream:
        display.show(event)
        if isinstance(event, Finished):
            code = int(event.outcome)
    return code


def with_all_data(code: int, display: Display) -> int:
    """The exit code of a command that was to end with ``code``, and was asked for data: 1 if some was lost."""
    is_well = code in {Outcome.DONE, Outcome.PENDING}
    return int(Outcome.FAILED) if is_well and not display.is_complete else code


def refuse(findings: tuple[Finding, ...], outcome: Outcome = Outcome.INVALID) -> int:
    """Show what is wrong with an app that cannot even be looked for; returns the exit code."""
    from kploy.ui.console import stderr
    from kploy.ui.excerpt import show_findings

    show_findings(stderr(), findings)
    return outcome
