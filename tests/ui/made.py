"""What the display tests show: objects, events, and the worst text there is."""

from __future__ import annotations

import io

from rich.console import Console

from kploy.model.events import Opened
from kploy.model.objects import Counts, ObjectRef, State, Status
from kploy.model.plan import Action, Change, Edit, FieldChange, Plan

HOSTILE = (
    "\x1b[31mred\x1b[0m \x1b]52;c;cm0gLXJmIC8=\x07 a\rb \x07 \x9b2J \x85 \u202egnp.exe\u2069 [red]x[/x] "
    "\x00 \ud800 a\u200bb\u200dc \u2028 \u2029 \ufeff \x7f"
)
"""Everything that a terminal would obey, a reader could not see, or rich would take for markup."""

HARMLESS = (
    r"\x1b[31mred\x1b[0m \x1b]52;c;cm0gLXJmIC8=\x07 a\rb \x07 \x9b2J \x85 \u202egnp.exe\u2069 [red]x[/x] "
    r"\x00 \ud800 a\u200bb\u200dc \u2028 \u2029 \ufeff \x7f"
)
"""The same as it is shown."""

WEB = ObjectRef("apps", "Deployment", "shop", "web")
DB = ObjectRef("", "Service", "shop", "db")
JOB = ObjectRef("batch", "Job", "shop", "migrate")

OPENED = Opened(
    app="shop",
    app_id="shop-0123456789",
    namespace="shop",
    manifests=3,
    schemas="1.37",
    context="kind-dev",
    server="https://127.0.0.1:6443",
    server_version="v1.37.2",
)

STARTING = Status(State.IN_PROGRESS, "waiting for its controller", Counts(0, 2))
HALFWAY = Status(State.IN_PROGRESS, "1 of 2 ready", Counts(1, 2))
UP = Status(State.CURRENT, "", Counts(2, 2))
SERVED = Status(State.CURRENT, "", Counts(1, None, "ep"))
PLAIN = Status(State.CURRENT)

REPLICAS = FieldChange(("spec", "replicas"), "spec.replicas", "replicas", Edit.CHANGED, 1, 2)

PLAN = Plan(
    (
        Change(DB, Action.CREATED, "services/db.yaml", holds=("port 80",)),
        Change(WEB, Action.CONFIGURED, "rcs/web.yaml", fields=(REPLICAS,), more_pods=1),
        Change(JOB, Action.UNCHANGED, "rcs/migrate.yaml"),
    )
)


class Stream(io.StringIO):
    """A pipe or a terminal that remembers what was written to it."""

    def __init__(self, encoding: str = "utf-8", *, terminal: bool = False) -> None:
        super().__init__()
        self._encoding = encoding
        self._terminal = terminal

    @property
    def encoding(self) -> str:  # type: ignore[override] # that of a StringIO is None
        return self._encoding

    def isatty(self) -> bool:
        return self._terminal


def console_on(stream: Stream, width: int = 80) -> Console:
    """A console as kploy makes them, on ``stream``, without colour and whatever the environment says."""
    return Console(
        file=stream,
        width=width,
        color_system=None,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
        _environ={"TERM": "xterm"},
    )


def terminal(width: int) -> Console:
    """The console of a terminal."""
    return console_on(Stream(terminal=True), width)
