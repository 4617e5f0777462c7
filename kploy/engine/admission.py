"""Whether what a run changes would start: a pod of each workload is put to the admission of its namespace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from kploy.cluster.port import Cluster, ClusterError, Forbidden, Invalid, Unauthenticated, Unreachable
from kploy.core import admission
from kploy.core.bodies import dig, pod_template
from kploy.core.exemptions import heeded
from kploy.core.kinds import WORKLOADS, own_resource
from kploy.core.permissions import is_about_permission
from kploy.core.quoting import quotable
from kploy.engine.compare import Comparison
from kploy.engine.crew import Pool, done_by
from kploy.engine.live import WORKERS
from kploy.model.app import App, Manifest
from kploy.model.events import Noted
from kploy.model.findings import Finding
from kploy.model.frozen import dataclass
from kploy.model.objects import Body, ObjectRef
from kploy.model.plan import Action

if TYPE_CHECKING:
    from kploy.core.quota import Demand, Excess


@dataclass(frozen=True, slots=True)
class Admission:
    """What speaks against the pods of a run, and what could not be found out about them."""

    findings: tuple[Finding, ...] = ()
    notes: tuple[Noted, ...] = ()


@dataclass(frozen=True, slots=True)
class _Start:
    """A workload that starts pods: how it will be, how it is, and a pod of it.

    ``account`` is what the pod runs as, if the run makes it: then ``pod`` has another one, which is there.
    """

    manifest: Manifest
    wanted: Body = field(repr=False)
    live: Body | None = field(repr=False)
    pod: Body = field(repr=False)
    account: ObjectRef | None = None


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What the server said of a pod. ``pod`` is as it would be; ``unchecked`` why that is not known.

    ``is_told``: it is refused for want of something of which another finding says that it is missing.
    """

    start: _Start
    pod: Body = field(repr=False)
    findings: tuple[Finding, ...] = ()
    unchecked: str = ""
    is_told: bool = False


def would_start(
    app: App,
    manifests: Sequence[Manifest],
    comparison: Comparison,
    missing: frozenset[ObjectRef],
    cluster: Cluster,
    *,
    namespace_exists: bool,
) -> Admission:
    """Whether the pods of all that a run creates, or whose pods it changes, would be let in.

    That they are not, for want of what is known to be ``missing``, is not told again.
    One request for each such workload, and one for the quotas. Nothing is written.
    Raises Unreachable, Unauthenticated.
    """
    made = frozenset(c.ref for c in comparison.plan.changes if c.action is Action.CREATED)
    starts = [start for manifest in manifests for start in _starts(manifest, comparison, made)]
    if not starts:
        return Admission()
    if not namespace_exists:
        what = "its quota, its limits and its Pod Security level could not be checked"
        return Admission(notes=(Noted(f"namespace {app.kployfile.namespace} does not exist yet: {what}"),))
    changed = tuple(c.ref for c in comparison.plan.changes if c.action is not Action.UNCHANGED)
    asking = _Asking(cluster, changed, missing)
    with Pool(WORKERS, thread_name_prefix="admission") as pool:
        quotas = pool.submit(_quotas, cluster, app.kployfile.namespace)
        verdicts = done_by(pool, WORKERS, asking.verdict, starts)
        rooms = [quota for quota in quotas.result() if not _is_changed(quota, changed)]
    findings = heeded((each.start.manifest, finding) for each in verdicts for finding in each.findings)
    notes = (*_judges(manifests, comparison, frozenset(changed)), *_notes(verdicts))
    return Admission((*findings, *_too_many(verdicts, rooms)), notes)


def _judges(
    manifests: Sequence[Manifest], comparison: Comparison, changed: frozenset[ObjectRef]
) -> Iterator[Noted]:
    """What the run itself changes of what judges pods: the server judges by what is there now."""
    judging = [
        str(manifest.ref)
        for manifest in manifests
        if manifest.ref in changed and admission.judges_pods(manifest, comparison.live.get(manifest.ref))
    ]
    if judging:
        yield Noted(
            f"{', '.join(judging)}: what it will say of the app's pods could not be checked; the run changes it"
        )


def _starts(manifest: Manifest, comparison: Comparison, made: frozenset[ObjectRef]) -> Iterator[_Start]:
    """The start of a workload whose pods are new or other than before, or more of them.

    ``made`` is what the run creates.
    """
    ref = manifest.ref
    wanted, live = comparison.answers.get(ref), comparison.live.get(ref)
    if wanted is None or (ref.group, ref.kind) not in WORKLOADS or ref.kind == "Pod":
        return
    is_other = pod_template(ref.kind, live) != pod_template(ref.kind, wanted)
    if is_other or dig(live, "spec", "replicas") != dig(wanted, "spec", "replicas"):
        pod = admission.rehearsal_pod(manifest, wanted)
        account = admission.account_of(ref, pod)
        if account in made:
            yield _Start(manifest, wanted, live, admission.with_stand_in(pod), account)
        else:
            yield _Start(manifest, wanted, live, pod)


@dataclass(frozen=True, slots=True)
class _Asking:
    """Puts one pod at a time to the server, on any thread.

    ``changed`` is what the run changes, ``missing`` what is known to be nowhere.
    """

    cluster: Cluster
    changed: tuple[ObjectRef, ...]
    missing: frozenset[ObjectRef]

    def verdict(self, start: _Start) -> _Verdict:
        """What the server says of the pod of one workload."""
        try:
            # As its controller will. That is also less work for the server than an apply.
            pod = self.cluster.create(own_resource("v1", "Pod"), start.pod, dry_run=True)
        except (Unreachable, Unauthenticated):
            raise
        except Forbidden as refusal:
            return self._refused(start, refusal.message)
        except Invalid as refusal:
            if start.account is not None and admission.is_forbidden(refusal.message):
                return self._refused(start, refusal.message)
            causes = [(cause.field, cause.message) for cause in refusal.causes]
            return _Verdict(start, start.pod, admission.invalid(start.manifest, refusal.message, causes))
        except ClusterError as failure:
            return _Verdict(start, start.pod, unchecked=quotable(start.pod, failure.message))
        return _Verdict(start, pod)

    def _refused(self, start: _Start, message: str) -> _Verdict:
        if is_about_permission(message):
            return _Verdict(start, start.pod, unchecked="you may not create pods")
        if admission.lacks_default_account(message):
            return _Verdict(start, start.pod, unchecked="its namespace has no ServiceAccount default yet")
        by = admission.may_pass(message, self.changed)
        if start.account is not None and admission.may_be_for_account(message):
            by = start.account
        if by is not None:
            return _Verdict(start, start.pod, unchecked=f"it hangs on {by}, which the run changes as well")
        if admission.may_pass(message, self.missing) is not None:
            return _Verdict(start, start.pod, is_told=True)
        if admission.is_over_quota(message) and _may_fit(start):
            # Whether it fits when the old ones have gone, only the sum can tell.
            return _Verdict(start, start.pod)
        return _Verdict(start, start.pod, (admission.refused(start.manifest, message),))


def _may_fit(start: _Start) -> bool:
    """Whether a quota that has no room for one more pod may have it for all: when old ones go, or none comes."""
    from kploy.core.quota import frees_first, running

    demand = _demand(start, start.pod)
    is_one_more = demand.at_once["pods"] > 0
    return not is_one_more or (running(start.live) > 0 and frees_first(start.manifest.ref.kind, start.wanted))


def _demand(start: _Start, pod: Body) -> Demand:
    # Most namespaces have no quota, and what calculates with them (fractions, decimal) need not load.
    from kploy.core.quota import demand_of

    return demand_of(start.manifest.ref.kind, start.live, start.wanted, pod)


def _quotas(cluster: Cluster, namespace: str) -> tuple[Body, ...]:
    try:
        return cluster.list(own_resource("v1", "ResourceQuota"), namespace).items
    except Forbidden:
        return ()


def _is_changed(quota: Body, changed: tuple[ObjectRef, ...]) -> bool:
    return any(ref.kind == "ResourceQuota" and ref.name == dig(quota, "metadata", "name") for ref in changed)


def _too_many(verdicts: Sequence[_Verdict], quotas: Sequence[Body]) -> Iterator[Finding]:
    """What does not fit when all pods are there; what was refused by itself or is not known is not counted."""
    if not quotas:
        return
    from kploy.core.quota import excesses, rooms_of

    counted = [each for each in verdicts if not (each.findings or each.unchecked or each.is_told)]
    demands = [_demand(verdict.start, verdict.pod) for verdict in counted]
    worst: dict[str, Excess] = {}
    for excess in excesses(demands, rooms_of(quotas)):
        worst.setdefault(excess.resource, excess)
    for excess in worst.values():
        wanting = sum(excess.resource in demand.more for demand in demands)
        manifest = counted[excess.largest].start.manifest
        yield admission.too_many(excess, manifest, wanting - 1, demands[excess.largest])


def _notes(verdicts: Sequence[_Verdict]) -> Iterator[Noted]:
    """One line for each reason why pods could not be checked."""
    by_reason: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.unchecked:
            by_reason.setdefault(verdict.unchecked, []).append(str(verdict.start.manifest.ref))
    for reason, names in by_reason.items():
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        yield Noted(
            f"whether pods of {', '.join(names[:_MOST_NAMES])}{more} would start could not be checked: {reason}"
        )


_MOST_NAMES = 5
