"""What a run would change: every object goes to the API server as a dry run, and is compared with what is live."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from kploy.cluster.port import Answer, Cause, Cluster, Conflict, Forbidden, Invalid, NotFound, ServerFailed
from kploy.core import refusals
from kploy.core.changes import changed, created
from kploy.core.dependencies import Lookup, implied
from kploy.core.inventory import Inventory
from kploy.core.rehearsal import in_own_words, on_stage
from kploy.core.removal import NOTHING_LEAVES, Parting
from kploy.core.restarts import Served, served_alone, with_stale_readers
from kploy.engine.autoscaling import bodies_of
from kploy.engine.departures import departures
from kploy.engine.live import WORKERS, live_objects
from kploy.engine.resources import Resources
from kploy.model.app import App, Manifest
from kploy.model.findings import Finding
from kploy.model.objects import Body, ObjectRef, Resource
from kploy.model.plan import Action, Change, Plan


@dataclass(frozen=True, slots=True)
class Comparison:
    """The plan, what speaks against it, what of the app was live when it was made, and what leaves the cluster.

    ``bodies`` is what was put to the server, and is to be applied as it is;
    ``answers`` is what it would make of that, where it was asked and said so.
    """

    plan: Plan
    findings: tuple[Finding, ...]
    live: Mapping[ObjectRef, Body] = field(repr=False)
    parting: Parting = NOTHING_LEAVES
    bodies: Mapping[ObjectRef, Body] = field(repr=False, default_factory=dict)
    answers: Mapping[ObjectRef, Body] = field(repr=False, default_factory=dict)


def compare(
    app: App,
    manifests: Sequence[Manifest],
    cluster: Cluster,
    resources: Resources,
    inventory: Inventory | None,
    *,
    namespace_exists: bool,
) -> Comparison:
    """What a run would do to each of ``manifests``, in their order, and to what leaves. Nothing is written.

    Where the server cannot be asked, the change says why in ``unchecked``.
    Raises ClusterError when the cluster fails.
    """
    kept = [resources.of(manifest.api_version, manifest.ref.kind) for manifest in manifests]
    asked = [kind for kind in kept if kind and (namespace_exists or not kind.namespaced)]
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="compare") as pool:
        live = live_objects(cluster, app, asked, pool)
        bodies = bodies_of(app, manifests, live, cluster)
        served = served_alone(manifests)
        comparing = _Comparing(app, cluster, live, bodies, Lookup(manifests), served, namespace_exists)
        verdicts = _excused(list(pool.map(comparing.verdict, manifests, kept)))
        wanted = [manifest.ref for manifest in manifests]
        leaving = departures(inventory, wanted, cluster, pool) if inventory else NOTHING_LEAVES
    changes = (*with_stale_readers((verdict.change for verdict in verdicts), manifests), *changes_of(leaving))
    findings = tuple(finding for verdict in verdicts for finding in verdict.findings)
    answers = {verdict.change.ref: verdict.answer for verdict in verdicts if verdict.answer is not None}
    return Comparison(Plan(changes), findings, live, leaving, bodies, answers)


def changes_of(parting: Parting) -> Iterator[Change]:
    """What the plan says of the objects that nobody wants any more."""
    for leaving in parting.leaving:
        yield Change(leaving.entry.ref, Action.PRUNED)
    for entry, reason in (*parting.kept, *parting.released):
        yield Change(entry.ref, Action.SKIPPED, reason=reason)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What would happen to one object, and what speaks against it.

    ``unless`` names objects whose present state may be all that speaks against
    it: should the run change one of them first, it has to be asked again then.
    """

    change: Change
    findings: tuple[Finding, ...] = ()
    unless: tuple[ObjectRef, ...] = ()
    answer: Body | None = field(repr=False, default=None)


def _excused(verdicts: list[_Verdict]) -> list[_Verdict]:
    """The verdicts, with those taken back that a change earlier in the same run makes void."""
    earlier = {
        verdict.change.ref
        for verdict in verdicts
        if verdict.change.action is not Action.UNCHANGED and not verdict.findings
    }
    return [_excuse(verdict, [ref for ref in verdict.unless if ref in earlier]) for verdict in verdicts]


def _excuse(verdict: _Verdict, by: list[ObjectRef]) -> _Verdict:
    if not by:
        return verdict
    return _Verdict(replace(verdict.change, unchecked=f"it needs {by[0]}, which the run changes first"))


@dataclass(frozen=True, slots=True)
class _Comparing:
    """Compares one manifest at a time, on any thread."""

    app: App
    cluster: Cluster
    live: Mapping[ObjectRef, Body]
    bodies: Mapping[ObjectRef, Body]
    lookup: Lookup
    served: Served
    namespace_exists: bool

    def verdict(self, manifest: Manifest, resource: Resource | None) -> _Verdict:
        """What would happen to one object, and what speaks against it."""
        definition = self.lookup.definition(manifest.ref.group, manifest.ref.kind)
        if definition is not None and definition not in self.live:
            return _created(manifest, "its CustomResourceDefinition is not in the cluster yet")
        if resource is None:
            return _Verdict(self._refused(manifest), (refusals.not_served(manifest),))
        body = self.bodies[manifest.ref]
        if resource.namespaced and not self.namespace_exists:
            return self._rehearsed(manifest, resource, body)
        try:
            answer = self._ask(manifest, resource, body)
        except Forbidden as refusal:
            findings = (refusals.forbidden(manifest, refusal.message),)
            return _Verdict(self._refused(manifest), findings, self._excuses(manifest, refusal.message))
        except (Invalid, Conflict, NotFound) as refusal:
            unless = (definition,) if definition else self._excuses(manifest, refusal.message)
            return _Verdict(self._refused(manifest), _findings(manifest, refusal), unless)
        return replace(self._judged(manifest, answer), answer=answer.body)

    def _refused(self, manifest: Manifest) -> Change:
        if manifest.ref in self.live:
            return Change(manifest.ref, Action.CONFIGURED, manifest.file)
        return created(manifest)

    def _excuses(self, manifest: Manifest, message: str) -> tuple[ObjectRef, ...]:
        return refusals.may_pass(manifest, message, implied(manifest, self.lookup))

    def _rehearsed(self, manifest: Manifest, resource: Resource, body: Body) -> _Verdict:
        """The verdict on an object whose namespace the run itself creates. See core.rehearsal."""
        try:
            answer = self._ask(manifest, resource, on_stage(body))
        except Forbidden:
            return _created(manifest, "its namespace does not exist yet, and another one refuses it")
        except (Invalid, Conflict, NotFound) as refusal:
            return _Verdict(self._refused(manifest), _findings(manifest, refusal, body))
        return replace(_created(manifest), answer=answer.body)

    def _ask(self, manifest: Manifest, resource: Resource, body: Body) -> Answer:
        try:
            return self.cluster.apply(resource, body, self.app.field_manager, dry_run=True)
        except ServerFailed as failure:
            raise ServerFailed(refusals.quotable(manifest, failure.message), failure.hint) from failure

    def _judged(self, manifest: Manifest, answer: Answer) -> _Verdict:
        live = self.live.get(manifest.ref)
        if answer.is_new:
            return _created(manifest)
        if live is not None:
            return _Verdict(changed(manifest, live, answer.body, self.served))
        change = Change(manifest.ref, Action.CONFIGURED, manifest.file)
        if manifest.is_implied:
            # The namespace has appeared meanwhile. It is anybody's.
            return _Verdict(change)
        return _Verdict(change, (refusals.foreign(manifest, ""),))


def _created(manifest: Manifest, unchecked: str = "") -> _Verdict:
    return _Verdict(created(manifest, unchecked))


def _findings(
    manifest: Manifest, refusal: Invalid | Conflict | NotFound, rehearsed: Body | None = None
) -> tuple[Finding, ...]:
    """What a refusal comes to. ``rehearsed`` is the body it is about, if that was on stage under another name."""

    def own(said: str) -> str:
        return said if rehearsed is None else in_own_words(said, rehearsed)

    match refusal:
        case Invalid(causes=causes):
            return refusals.invalid(manifest, own(refusal.message), _pairs(causes, own))
        case Conflict(causes=causes):
            return refusals.conflicting(manifest, own(refusal.message), _pairs(causes, own))
        case NotFound(is_object=True):
            # What is applied need not exist; so it is something else that does not: its namespace.
            return refusals.invalid(manifest, own(refusal.message), ())
        case NotFound():
            return (refusals.not_served(manifest),)


def _pairs(causes: tuple[Cause, ...], own: Callable[[str], str]) -> list[tuple[str, str]]:
    return [(cause.field, own(cause.message)) for cause in causes]
