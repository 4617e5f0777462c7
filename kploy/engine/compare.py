"""What a run would change: every object goes to the API server as a dry run, and is compared with what is live."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TypeVar

from kploy.cluster.port import Answer, Cause, Cluster, Conflict, Forbidden, Invalid, NotFound, ServerFailed
from kploy.core import refusals
from kploy.core.adoption import migrated, owner_of, reason_of
from kploy.core.bodies import mapping, text
from kploy.core.changes import adopted as taken_over
from kploy.core.changes import changed, created, replaced
from kploy.core.config_hash import with_config_hashes
from kploy.core.dependencies import Lookup, implied
from kploy.core.inventory import Inventory
from kploy.core.quoting import quotable
from kploy.core.readers import with_readers
from kploy.core.rehearsal import beside, in_own_words, on_stage, successor
from kploy.core.removal import NOTHING_LEAVES, Parting, holds
from kploy.core.restarts import Served, served_alone
from kploy.core.unchanged import is_unchanged
from kploy.engine.autoscaling import bodies_of
from kploy.engine.crew import Pool, done_by
from kploy.engine.departures import departures
from kploy.engine.live import WORKERS, live_objects
from kploy.engine.resources import Resources
from kploy.engine.strangers import adopted, look, strangers
from kploy.model.app import LABEL, App, Manifest
from kploy.model.findings import Finding
from kploy.model.frozen import dataclass, replace
from kploy.model.objects import Body, ObjectRef, Resource
from kploy.model.plan import Action, Change, Plan

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Liberties:
    """What a run may do besides: take over objects that other tools have made, replace what cannot change."""

    adopts: bool = False
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """The plan, what speaks against it, what of the app was live when it was made, and what leaves the cluster.

    ``bodies`` is what was put to the server, and is to be applied as it is;
    ``answers`` is what it would make of that, where it was asked and said so.
    ``strangers`` are live as well, and become the app's.
    """

    plan: Plan
    findings: tuple[Finding, ...]
    live: Mapping[ObjectRef, Body] = field(repr=False)
    parting: Parting = NOTHING_LEAVES
    bodies: Mapping[ObjectRef, Body] = field(repr=False, default_factory=dict)
    answers: Mapping[ObjectRef, Body] = field(repr=False, default_factory=dict)
    strangers: frozenset[ObjectRef] = frozenset()


def compare(
    app: App,
    manifests: Sequence[Manifest],
    cluster: Cluster,
    resources: Resources,
    inventory: Inventory | None,
    *,
    namespace_exists: bool,
    liberties: Liberties = Liberties(),
) -> Comparison:
    """What a run would do to each of ``manifests``, in their order, and to what leaves. Nothing is written.

    Where the server cannot be asked, the change says why in ``unchecked``.
    Raises ClusterError when the cluster fails.
    """
    kept = [resources.of(manifest.api_version, manifest.ref.kind) for manifest in manifests]
    asked = dict.fromkeys(kind for kind in kept if kind and (namespace_exists or not kind.namespaced))
    with Pool(WORKERS, thread_name_prefix="compare") as pool:
        live = live_objects(cluster, app, asked, pool)
        unknown = [
            (manifest, resource)
            for manifest, resource in zip(manifests, kept, strict=True)
            if resource in asked and resource and manifest.ref not in live
        ]
        found = strangers(app, unknown, cluster, pool) if liberties.adopts else {}
        taken = {ref: migrated(body, app.field_manager) for ref, body in found.items()}
        there = {**live, **taken}
        bodies = with_config_hashes(bodies_of(app, manifests, there, cluster), there, _salt)
        served = served_alone(manifests)
        lookup = Lookup(manifests)
        comparing = _Comparing(app, cluster, live, found, bodies, lookup, served, namespace_exists, liberties)
        verdicts = _excused(done_by(pool, WORKERS, comparing.verdict, manifests, kept))
        wanted = [manifest.ref for manifest in manifests]
        leaving = departures(inventory, wanted, cluster, pool) if inventory else NOTHING_LEAVES
    changes = (*with_readers((verdict.change for verdict in verdicts), manifests), *changes_of(leaving))
    findings = tuple(finding for verdict in verdicts for finding in verdict.findings)
    answers = {verdict.change.ref: verdict.answer for verdict in verdicts if verdict.answer is not None}
    return Comparison(Plan(changes), findings, {**live, **found}, leaving, bodies, answers, frozenset(found))


def _salt() -> str:
    """128 random bits."""
    return os.urandom(16).hex()


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
    strangers: Mapping[ObjectRef, Body]
    bodies: Mapping[ObjectRef, Body]
    lookup: Lookup
    served: Served
    namespace_exists: bool
    liberties: Liberties

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
            return self._put(manifest, resource, body)
        except Forbidden as refusal:
            findings = (refusals.forbidden(manifest, refusal.message),)
            return _Verdict(self._refused(manifest), findings, self._excuses(manifest, refusal.message))
        except Invalid as refusal:
            if immutable := refusals.immutable(_pairs(refusal.causes, str)):
                return self._immovable(manifest, resource, body, refusal, immutable)
            return self._turned_down(manifest, resource, refusal, definition)
        except (Conflict, NotFound) as refusal:
            return self._turned_down(manifest, resource, refusal, definition)

    def _put(self, manifest: Manifest, resource: Resource, body: Body) -> _Verdict:
        live = self.live.get(manifest.ref)
        if live is not None and is_unchanged(body, live, self.app.field_manager):
            return _Verdict(Change(manifest.ref, Action.UNCHANGED, manifest.file), answer=live)
        stranger = self.strangers.get(manifest.ref)
        if stranger is None:
            answer = self._ask(manifest, resource, body)
            return replace(self._judged(manifest, resource, answer), answer=answer.body)
        stranger, answer = self._telling(
            manifest, lambda: adopted(self.app, self.cluster, resource, manifest.ref, body, stranger)
        )
        reason = reason_of(stranger, self.app.field_manager)
        change = taken_over(manifest, stranger, answer.body, self.served, reason)
        return _Verdict(change, answer=answer.body)

    def _turned_down(
        self,
        manifest: Manifest,
        resource: Resource,
        refusal: Invalid | Conflict | NotFound,
        definition: ObjectRef | None,
    ) -> _Verdict:
        foreign = self._foreign(manifest, resource)
        if foreign:
            return _Verdict(self._refused(manifest), foreign)
        unless = (definition,) if definition else self._excuses(manifest, refusal.message)
        return _Verdict(self._refused(manifest), _findings(manifest, refusal), unless)

    def _foreign(self, manifest: Manifest, resource: Resource) -> tuple[Finding, ...]:
        """That the object is somebody else's, if it is there and that is so."""
        if manifest.is_implied or manifest.ref in self.live or manifest.ref in self.strangers:
            return ()
        there = look(self.cluster, resource, manifest.ref)
        if there is None or text(mapping(there, "metadata", "labels"), LABEL) == self.app.id:
            return ()
        owner = owner_of(there, self.app.field_manager)
        return (refusals.foreign(manifest, owner.words, owner.remedy),)

    def _immovable(
        self, manifest: Manifest, resource: Resource, body: Body, refusal: Invalid, immutable: tuple[str, ...]
    ) -> _Verdict:
        """The verdict on an object of which fields would have to change that cannot: maybe it is replaced."""
        live = self.live.get(manifest.ref)
        if live is None:
            return self._turned_down(manifest, resource, refusal, None)
        held = holds(manifest.ref, live)
        if held or not (self.liberties.replaces or (manifest.ref.group, manifest.ref.kind) == _JOB):
            found = refusals.invalid(manifest, refusal.message, _pairs(refusal.causes, str), held)
            return _Verdict(self._refused(manifest), found)
        try:
            answer = self._ask(manifest, resource, beside(body))
        except Forbidden:
            unchecked = "the server would not say what it makes of another one beside it"
            return _Verdict(replaced(manifest, live, live, immutable, unchecked))
        except (Invalid, Conflict, NotFound) as objection:
            return _Verdict(self._refused(manifest), _findings(manifest, objection, body))
        coming = successor(answer.body, body, live)
        return _Verdict(replaced(manifest, live, coming, immutable), answer=coming)

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
        manager = self.app.field_manager
        return self._telling(manifest, lambda: self.cluster.apply(resource, body, manager, dry_run=True))

    def _telling(self, manifest: Manifest, ask: Callable[[], _T]) -> _T:
        """What is answered; a failure is told in words that may be shown."""
        try:
            return ask()
        except ServerFailed as failure:
            raise ServerFailed(quotable(manifest.body, failure.message), failure.hint) from failure

    def _judged(self, manifest: Manifest, resource: Resource, answer: Answer) -> _Verdict:
        live = self.live.get(manifest.ref)
        if answer.is_new:
            return _created(manifest)
        if live is not None:
            return _Verdict(changed(manifest, live, answer.body, self.served))
        # It may have appeared meanwhile; and the namespace is anybody's.
        change = Change(manifest.ref, Action.CONFIGURED, manifest.file)
        return _Verdict(change, self._foreign(manifest, resource))


_JOB = ("batch", "Job")
"""The kind whose template never changes, and that is run anew when it would: it has nothing to lose."""


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
