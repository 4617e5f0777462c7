"""What happens while kploy works, as facts. The rooms that show them make the sentences.

``at`` is in seconds since the run began to change the cluster.
"""

from __future__ import annotations

from kploy.model.evidence import Evidence, LogTail, Runbook
from kploy.model.findings import Finding, Place
from kploy.model.frozen import dataclass
from kploy.model.objects import Cause, ObjectRef, Status
from kploy.model.plan import Action, Plan
from kploy.model.report import Outcome


@dataclass(frozen=True, slots=True)
class Opened:
    """An app was read and is about to be compared with a cluster.

    ``context`` is "" where no kubeconfig context is involved, and every field
    about the cluster is empty when kploy works offline. ``simulated`` says
    that the cluster is kploy's own sandbox, whose pods only pretend to run;
    ``is_leaving``, that the app is being taken out of it.
    """

    app: str
    app_id: str
    namespace: str
    manifests: int
    schemas: str
    context: str = ""
    server: str = ""
    server_version: str = ""
    simulated: bool = False
    is_leaving: bool = False


@dataclass(frozen=True, slots=True)
class NodesCounted:
    """How many nodes the cluster has, and how many of them are ready; None when it would not tell."""

    ready: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with the app, all of it at once. ``files`` were looked at."""

    findings: tuple[Finding, ...]
    files: int


@dataclass(frozen=True, slots=True)
class Planned:
    """What the run would do, or is about to do."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Applied:
    """The API server took an object, or holds it already as it should be."""

    ref: ObjectRef
    action: Action
    status: Status
    at: float


@dataclass(frozen=True, slots=True)
class Progressed:
    """An applied object is not ready yet, and how it is has changed."""

    ref: ObjectRef
    status: Status
    at: float


@dataclass(frozen=True, slots=True)
class Ready:
    """An object is as it should be. ``after`` seconds since it was applied."""

    ref: ObjectRef
    status: Status
    after: float
    at: float


@dataclass(frozen=True, slots=True)
class Failed:
    """An object cannot become ready, or the API server would not take it.

    ``reason`` is for people; ``place`` is where its manifest names it, or
    where what is the ``cause`` stands in it. ``evidence`` is what else there is
    to see of it, ``runbook`` what the app itself has to say to such a cause.
    """

    ref: ObjectRef
    reason: str
    at: float
    hint: str = ""
    place: Place | None = None
    cause: Cause | None = None
    evidence: Evidence | None = None
    runbook: Runbook | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """An object was not started. ``because`` it needs one that failed, or None when the run ended first."""

    ref: ObjectRef
    because: ObjectRef | None
    at: float


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An object was applied, and the run ended before it was ready. The last four are those of ``Failed``."""

    ref: ObjectRef
    status: Status
    at: float
    place: Place | None = None
    evidence: Evidence | None = None
    runbook: Runbook | None = None
    hint: str = ""

    @property
    def cause(self) -> Cause | None:
        """What kept it from being ready, if that is known."""
        return self.status.cause

    @property
    def reason(self) -> str:
        """The same in words, as ``Failed`` has it."""
        return self.status.message


@dataclass(frozen=True, slots=True)
class Logged:
    """What containers of an object in trouble wrote last. Only the app's own secrets are masked in it."""

    ref: ObjectRef
    logs: tuple[LogTail, ...]
    at: float


@dataclass(frozen=True, slots=True)
class LogLine:
    """A container of a pod that the run has made has written a line. Only the app's own secrets are masked."""

    pod: str
    container: str
    line: str
    at: float


@dataclass(frozen=True, slots=True)
class Awaited:
    """An object that is waited for, and how it is."""

    ref: ObjectRef
    status: Status


@dataclass(frozen=True, slots=True)
class StillWaiting:
    """Nothing was told for long; all these are still waited for."""

    objects: tuple[Awaited, ...]
    at: float


@dataclass(frozen=True, slots=True)
class Noted:
    """Something worth saying that is nobody's fault."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a command, always the last event.

    ``good`` is the revision that a rollback would bring about, after a deploy that
    failed; None where there is none, or nothing to undo.
    """

    outcome: Outcome
    at: float = 0.0
    good: int | None = None


Event = (
    Opened
    | NodesCounted
    | Checked
    | Planned
    | Applied
    | Progressed
    | Ready
    | Failed
    | Skipped
    | Unfinished
    | Logged
    | LogLine
    | StillWaiting
    | Noted
    | Finished
)
