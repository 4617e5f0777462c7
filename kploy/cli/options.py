"""The options that several commands share, and what follows from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kploy.model.frozen import dataclass

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from kploy.cluster.port import Cluster
    from kploy.model.app import App
    from kploy.ui.calls import Calls

_Function = TypeVar("_Function", bound=Callable[..., Any])


_LONGEST = 365 * 24 * 3600.0
"""Seconds in the longest duration: what waits for much longer overflows."""


class Duration(click.ParamType[float]):
    """A length of time as Kubernetes people write it: ``90s``, ``5m``, ``1h30m``; a bare number is seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The duration in seconds; more than none, and at most a year."""
        if isinstance(value, int | float):
            return float(value)
        match = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?", value.strip())
        hours, minutes, seconds = match.groups(default="0") if match and value.strip() else ("0", "0", "0")
        total = float(hours) * 3600 + float(minutes) * 60 + float(seconds)
        if total <= 0:
            self.fail(f"{value!r} is not a duration: write 90s, 5m or 1h30m.", param, ctx)
        if total > _LONGEST:
            self.fail("no duration may be longer than a year, 8760h.", param, ctx)
        return total


_EMPTY = "it is empty. Say which one, or leave it out."
"""A script whose variable is unset does not mean the default: not this directory, not the current context."""


class Named(click.ParamType[str]):
    """A name, which is not empty."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as it is."""
        if not value:
            self.fail(_EMPTY, param, ctx)
        return str(value)


class AppDirectory(click.Path):
    """The directory of an app. Whether it is one, the reading says."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Its path, which is not empty."""
        if not value:
            self.fail(_EMPTY, param, ctx)
        return super().convert(value, param, ctx)


class KubernetesVersion(click.ParamType[str]):
    """A version of Kubernetes that there are schemas of: ``1.35``, ``v1.35`` or ``1.35.4``."""

    name = "version"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The minor version, such as ``1.35``."""
        from kploy.core.schema_store import VERSIONS, minor_of, nearest

        minor = minor_of(value.strip())
        known = ", ".join(VERSIONS)
        if not minor:
            self.fail(f"{value!r} is not a version of Kubernetes: choose one of {known}.", param, ctx)
        if minor not in VERSIONS:
            near = nearest(minor)
            self.fail(
                f"there are no schemas of Kubernetes {minor}, only of {known}; {near} is nearest.", param, ctx
            )
        return minor

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002 - the same
        incomplete: str,
    ) -> list[CompletionItem]:
        """Those there are."""
        from click.shell_completion import CompletionItem

        from kploy.core.schema_store import VERSIONS

        return [CompletionItem(version) for version in VERSIONS if version.startswith(incomplete)]


@dataclass(frozen=True, slots=True)
class Where:
    """Which cluster the user means, as far as flags say it."""

    sandbox: bool
    context: str | None
    kubeconfig: str | None
    namespace: str | None
    user: str | None
    request_timeout: float | None

    def connect(self, app: App) -> Cluster:
        """The cluster that ``app`` goes to. Starts the sandbox if it is asked for and does not run."""
        from kploy.cluster.adapter import ApiServer
        from kploy.cluster.connection import Choice, connect
        from kploy.model.errors import Refused

        if self.namespace not in {None, app.kployfile.namespace}:
            fact = f"--namespace {self.namespace} is not the app's namespace, {app.kployfile.namespace}"
            raise Refused(fact, "change `namespace` in the Kployfile: another namespace is another app")
        if self.sandbox:
            choice = Choice(kubeconfig=_sandbox_kubeconfig(), user=self.user, simulated=True)
        else:
            pins = app.kployfile
            choice = Choice(self.kubeconfig, self.context, self.user, pins.context, pins.apiserver)
        cluster = ApiServer(connect(choice), self.request_timeout)
        # The end of the command is the end of its connections, however it ends.
        click.get_current_context().call_on_close(cluster.close)
        return cluster


def _sandbox_kubeconfig() -> str:
    import sys

    from kploy import sandbox
    from kploy.cli.sandbox import Meter

    meter = Meter(sys.stderr)
    try:
        return str(sandbox.up(report=meter.show).kubeconfig)
    finally:
        meter.clear()


def where_options(function: _Function) -> _Function:
    """Adds the options that say which cluster is meant; the command takes them as keywords for ``where``."""
    options = (
        click.option("--sandbox", is_flag=True, help="Use the sandbox; it is started if it does not run."),
        click.option("--context", type=Named(), metavar="NAME", help="The kubeconfig context to use."),
        click.option(
            "--kubeconfig",
            type=Named(),
            metavar="FILE",
            help="The kubeconfig file.  [default: $KUBECONFIG, ~/.kube/config]",
        ),
        click.option(
            "-n",
            "--namespace",
            type=Named(),
            metavar="NAME",
            help="Refuse to go on if the app's namespace is another.",
        ),
        click.option("--as", "user", type=Named(), metavar="USER", help="Impersonate this user."),
        click.option("--request-timeout", type=Duration(), metavar="TIME", help="How long a request may take."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def where(**flags: Any) -> Where:
    """What the options of ``where_options`` say. Raises UsageError for ones that exclude each other."""
    if flags["sandbox"] and (flags["context"] or flags["kubeconfig"]):
        raise click.UsageError("--sandbox excludes --context and --kubeconfig.")
    return Where(**flags)


_WHICH = frozenset({"directory", "sandbox", "context", "kubeconfig", "namespace", "user", "request_timeout"})
"""The parameters that say which app, and on which cluster."""

_MORE = frozenset({"atomic", "everything", "logs", "revision"})
"""The parameters without which another call would do something else."""


def calls_of(ctx: click.Context) -> Calls:
    """How the user would call another command on the same app and cluster as this one."""
    import shlex

    from kploy.ui.calls import Calls

    said = click.core.ParameterSource.COMMANDLINE
    given = [param for param in ctx.command.params if ctx.get_parameter_source(param.name or "") is said]
    if ctx.meta.get("revision"):
        # The revision stands where the directory would.
        given = [param for param in ctx.command.params if param in given or param.name == "revision"]
        given = [param for param in given if param.name != "directory"]
    words, more = (
        shlex.join(
            word for param in given if param.name in names for word in _words(param, ctx.params[param.name])
        )
        for names in (_WHICH, _MORE)
    )
    return Calls(ctx.find_root().info_name or "kploy", words, ctx.info_name or "run", more)


def _words(param: click.Parameter, value: object) -> Iterator[str]:
    if isinstance(param, click.Option):
        yield max(param.opts, key=len)
    if isinstance(value, float):
        yield f"{value:g}s"
    elif not isinstance(value, bool):
        yield str(value)


directory_argument = click.argument(
    "directory", required=False, default=".", type=AppDirectory(path_type=Path), metavar="[DIR]"
)
"""The app's directory, this one if it is left out."""


def output_option(*formats: str) -> Callable[[_Function], _Function]:
    """Adds ``-o``; the first of ``formats`` is the default."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="How to print the result.",
    )


def revision_arguments(function: _Function) -> _Function:
    """Adds the arguments ``[DIR] [REVISION]``. A number alone is a revision; such a directory is ``./12``."""

    def directory(ctx: click.Context, _: click.Parameter, value: str) -> Path:
        if not (value.isascii() and value.isdecimal() and int(value[:9]) > 0):
            return Path(value)
        ctx.meta["revision"] = int(value[:9])
        return Path()

    def revision(ctx: click.Context, param: click.Parameter, value: int | None) -> int | None:
        alone: int | None = ctx.meta.get("revision")
        if alone is not None and value is not None:
            raise click.BadParameter(
                "the directory comes before the revision; one that is a number is ./12.", ctx, param
            )
        return value if alone is None else alone

    add = click.argument(
        "revision", required=False, type=click.IntRange(min=1), callback=revision, metavar="[REVISION]"
    )
    where_it_is = click.argument(
        "directory", required=False, default=".", type=AppDirectory(), callback=directory, metavar="[DIR]"
    )
    return where_it_is(add(function))


replace_option = click.option(
    "--replace", is_flag=True, help="Delete and make anew what cannot be changed; Jobs are in any case."
)
"""What holds data, or is to be kept, is not replaced all the same."""


def liberty_options(function: _Function) -> _Function:
    """Adds ``--adopt`` and ``--replace``: what a run does only if it is asked to."""
    adopt = click.option("--adopt", is_flag=True, help="Take over objects that kubectl, Helm or kapp have made.")
    return adopt(replace_option(function))


def timeout_option(help_text: str) -> Callable[[_Function], _Function]:
    """Adds ``--timeout``, five minutes if it is left out."""
    return click.option(
        "--timeout", type=Duration(), default="5m", show_default=True, metavar="TIME", help=help_text
    )
