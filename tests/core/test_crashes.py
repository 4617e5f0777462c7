"""Runs that are killed between any two of their requests, two of them at once, and everybody else at work.

The same few dozen stories every time, or as many new ones as KPLOY_FUZZ_EXAMPLES says.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kploy.core.desired import desired
from kploy.core.lease import DURATION, RENEWED, TRUSTED
from kploy.core.revisions import digest_of
from kploy.model.app import App, Manifest
from kploy.model.objects import ObjectRef
from kploy.model.report import Outcome
from tests.makers import app_of, deployment, manifest, service, thing

from .model_cluster import (
    ModelCluster,
    ModelRun,
    is_as_wanted,
    label_of,
    stays,
    stored_app,
    stored_digest,
    uid_of,
)

_DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  names: {kind: CronTab, plural: crontabs}
"""


def _every_manifest(variant: int) -> tuple[Manifest, ...]:
    """All that an app may hold, in one of several versions."""
    kept = manifest(
        '{apiVersion: v1, kind: ConfigMap, metadata: {name: kept, annotations: {kploy.dev/keep: "true"}}}'
    )
    return (
        thing("settings", data={"variant": str(variant)}),
        thing("other", data={"variant": "0"}),
        deployment("web", volumes=[{"name": "a", "configMap": {"name": "settings"}}], variant=variant),
        service("web", app="web"),
        thing("migrate", "Job", "batch/v1", after="configmap/other"),
        thing("data", "PersistentVolumeClaim"),
        manifest(_DEFINITION, namespace=""),
        thing("tab", "CronTab", "stable.example.com/v1", variant=variant),
        kept,
    )


_MANIFESTS = {each.ref: each for each in _every_manifest(0)}
_REFS = tuple(_MANIFESTS)

refs = st.sampled_from(_REFS)


def _app(variant: int, chosen: frozenset[ObjectRef]) -> App:
    """An app of the ``chosen`` objects; a Job brings what it was asked to wait for."""
    needed = {ref for ref in _REFS if ref.name == "other" and any(each.kind == "Job" for each in chosen)}
    return app_of(*(each for each in _every_manifest(variant) if each.ref in chosen | needed))


apps = st.builds(_app, st.integers(0, 2), st.frozensets(refs, max_size=6))


rivals = st.one_of(
    *[st.builds(_app, st.integers(0, 2), st.frozensets(refs, min_size=3, max_size=6))] * 3, st.none()
)
"""A run that has something to do, or a destroy."""


@dataclass(frozen=True)
class _Turn:
    """What happens next to a run: so many requests, from the one of ``index`` on, or something else."""

    what: str
    requests: int
    index: int


_PAUSES = {"is slow": TRUSTED, "stands still": DURATION}
"""What happens to a run for a little longer than so many seconds."""

turns = st.builds(
    _Turn,
    st.sampled_from(["goes on", "goes on", "goes on", "goes on", *_PAUSES, "stands still", "is killed"]),
    st.integers(1, 8),
    st.integers(0, 5),
)


_Deed = Callable[[ModelCluster, ObjectRef], None]

_DEEDS: tuple[_Deed, ...] = (
    ModelCluster.remove,
    ModelCluster.unlabel,
    ModelCluster.edit,
    ModelCluster.hold,
    lambda cluster, ref: cluster.make(ref, _MANIFESTS[ref], is_labelled=True),
    lambda cluster, ref: cluster.make(ref, _MANIFESTS[ref], is_labelled=False),
)
"""What others do to an object that is there."""


class Crashes(RuleBasedStateMachine):
    """At most one run is under way; it is left where it is when the next one begins."""

    run: ModelRun | None = None

    @initialize()
    def begin_with_nothing(self) -> None:
        self.cluster = ModelCluster(app_of().id)

    # Runs.

    def _start(self, app: App | None, cause: str = "run", *, everything: bool = False) -> None:
        self._kill()
        self.run = self.begun(app, cause, everything=everything)

    def begun(
        self, app: App | None, cause: str = "run", *, everything: bool = False, machine: str = "laptop"
    ) -> ModelRun:
        """A run that has not written anything yet."""
        writes = self.cluster.writes
        run = ModelRun(self.cluster, app, cause, everything=everything, machine=machine)
        assert self.cluster.writes == writes
        return run

    def _kill(self) -> None:
        if self.run is not None:
            self.run.kill()
        self.run = None

    def _is_under_way(self) -> bool:
        return self.run is not None and self.run.outcome is None

    def _has_requests(self) -> bool:
        return self.run is not None and bool(self.run.pending)

    @rule(app=apps)
    def start_a_run(self, app: App) -> None:
        self._start(app)

    @rule(everything=st.booleans())
    def start_a_destroy(self, everything: bool) -> None:
        self._start(None, everything=everything)

    @precondition(lambda self: self.cluster.inventory and self.cluster.inventory.records)
    @rule(data=st.data())
    def start_a_rollback(self, data: st.DataObject) -> None:
        self._start(self._revision(data)[1], "rollback")

    def _revision(self, data: st.DataObject) -> tuple[str, App]:
        inventory = self.cluster.inventory
        assert inventory is not None
        record = data.draw(st.sampled_from(inventory.records))
        return record.digest, stored_app(self.cluster.revisions[record.revision], record.revision)

    @precondition(lambda self: self.cluster.own)
    @rule(data=st.data(), requests=st.integers(4, 25), is_made_anew=st.booleans())
    def an_object_is_lost_and_the_run_that_mends_it_is_killed(
        self, data: st.DataObject, requests: int, is_made_anew: bool
    ) -> None:
        ref = data.draw(st.sampled_from(sorted(self.cluster.own)))
        self._after_all_others()
        self.cluster.remove(ref)
        if is_made_anew:
            self.cluster.make(ref, _MANIFESTS[ref], is_labelled=True)
        self._start(_app(0, frozenset({ref})))
        self._go_on(requests)

    @rule(app=apps, requests=st.integers(1, 25))
    def a_run_is_killed(self, app: App, requests: int) -> None:
        self._start(app)
        self._go_on(requests)

    @rule(requests=st.integers(1, 25), everything=st.booleans())
    def a_destroy_is_killed(self, requests: int, everything: bool) -> None:
        self._start(None, everything=everything)
        self._go_on(requests)

    def _go_on(self, requests: int) -> None:
        """Let so many requests be answered, and check after each; then it is killed."""
        for _ in range(requests):
            if self.run is not None and not self.run.pending and self._is_under_way():
                self.cluster.work()
                self.run.look()
            if self.run is not None and self.run.pending:
                self.run.advance(0)
                self._holds()
        self._kill()

    def _holds(self) -> None:
        self.what_is_live_is_listed()
        self.what_is_foreign_is_as_it_was()
        self.every_revision_that_is_named_is_kept()

    @precondition(_has_requests)
    @rule(indices=st.lists(st.integers(0, 5), min_size=1, max_size=6))
    def some_requests_are_answered(self, indices: list[int]) -> None:
        for index in indices:
            if self.run is not None and self.run.pending:
                self.run.advance(index)
                self._holds()

    @precondition(_is_under_way)
    @rule()
    def what_is_waited_for_is_looked_at(self) -> None:
        assert self.run is not None
        self.run.look()

    @precondition(_has_requests)
    @rule()
    def it_is_interrupted(self) -> None:
        assert self.run is not None
        self.run.interrupt()

    @precondition(_has_requests)
    @rule()
    def its_time_is_over(self) -> None:
        assert self.run is not None
        self.run.time_out()

    @precondition(_is_under_way)
    @rule()
    def it_is_killed(self) -> None:
        self._kill()

    @rule()
    def controllers_work(self) -> None:
        self.cluster.work()

    @rule(ref=refs)
    def the_server_refuses_it_from_now_on(self, ref: ObjectRef) -> None:
        self.cluster.refusing ^= {ref}

    # Others. The API server has no apply that asks for the object that was compared: what kploy is
    # about to apply they leave alone.

    @precondition(lambda self: self.cluster.objects)
    @rule(deed=st.sampled_from(_DEEDS), data=st.data())
    def somebody_interferes(self, deed: _Deed, data: st.DataObject) -> None:
        ref = data.draw(st.sampled_from(sorted(self.cluster.objects)))
        if not self._is_under_way() or (self.run is not None and ref not in self.run.to_apply):
            deed(self.cluster, ref)

    @rule(ref=refs, is_labelled=st.booleans())
    def somebody_is_first_to_make_it(self, ref: ObjectRef, is_labelled: bool) -> None:
        if not self._is_under_way() and ref not in self.cluster.objects:
            self.cluster.make(ref, _MANIFESTS[ref], is_labelled=is_labelled)

    @rule()
    def somebody_writes_the_root(self) -> None:
        if self.cluster.root is not None:
            self.cluster.root = self.cluster.tick(), self.cluster.root[1]

    # Two at once.

    def two_at_once(self, both: tuple[ModelRun, ModelRun], turns: list[_Turn]) -> None:
        """I6: they take turns as it comes, and then go on side by side until both have ended."""
        for turn, (run, rival) in zip(turns, cycle([both[::-1], both]), strict=False):
            self._take(turn, run, rival)
        self._both_end(both)
        self._is_one_of(both)

    def _take(self, turn: _Turn, run: ModelRun, rival: ModelRun) -> None:
        match turn.what:
            case "goes on":
                self.goes_on(run, turn.requests, turn.index)
            case "is killed":
                run.kill()
            case pause:
                for _ in range(2 + int(_PAUSES[pause] / RENEWED)):
                    self._time_passes(rival)

    def goes_on(self, run: ModelRun, requests: int = 1, index: int = 0) -> None:
        for each in range(requests):
            if run.is_under_way:
                run.go_on(index + each)
                self._holds()

    def _time_passes(self, *awake: ModelRun) -> None:
        """Some seconds, in which who is awake renews its lock, or looks whether it is free."""
        self.cluster.now += RENEWED
        for run in awake:
            run.renew()
            if run.is_waiting:
                self.goes_on(run)

    def _both_end(self, both: tuple[ModelRun, ModelRun]) -> None:
        while any(run.is_under_way for run in both):
            for run in both:
                self.goes_on(run)
            self._time_passes(*both)

    def _is_one_of(self, both: tuple[ModelRun, ModelRun]) -> None:
        """Who was the last to write anything was alone with it; if it was not cut off, it is as it wanted."""
        writers = sorted((run for run in both if run.has_begun), key=lambda run: run.lock.taken_at)
        if not writers or writers[-1].outcome is not Outcome.DONE:
            return
        app = writers[-1].app
        if app is None:
            self._is_destroyed(everything=False)
        else:
            self._is_exactly(app)

    # What must hold in the end.

    def _after_all_others(self) -> None:
        self._kill()
        self.cluster.refusing.clear()
        self.cluster.work()

    @rule(app=apps)
    def a_whole_run_gives_exactly_the_app(self, app: App) -> None:
        """I4."""
        self._after_all_others()
        self._comes_about(app, "run")

    @precondition(lambda self: self.cluster.inventory and self.cluster.inventory.records)
    @rule(data=st.data())
    def a_whole_rollback_gives_exactly_the_revision(self, data: st.DataObject) -> None:
        """I7."""
        self._after_all_others()
        digest, app = self._revision(data)
        assert digest_of(app) == digest
        self._comes_about(app, "rollback")

    def _comes_about(self, app: App, cause: str) -> None:
        is_taken = any(
            each.ref in self.cluster.objects and label_of(self.cluster.objects[each.ref]) != app.id
            for each in app.manifests
        )
        assert self.begun(app, cause).finish() is (Outcome.REFUSED if is_taken else Outcome.DONE)
        if not is_taken:
            self._is_exactly(app)
            assert self.begun(app).outcome is Outcome.DONE

    def _is_exactly(self, app: App) -> None:
        wanted = {each.ref: each for each in app.manifests}
        assert wanted.keys() <= self.cluster.own.keys()
        left = {ref: body for ref, body in self.cluster.own.items() if ref not in wanted}
        assert [ref for ref, body in left.items() if not stays(ref, body)] == []
        inventory = self.cluster.inventory
        assert inventory is not None
        assert inventory.phase == "deployed"
        listed = inventory.by_ref
        assert listed.keys() == self.cluster.own.keys()
        assert all(listed[ref].uid == uid_of(self.cluster.objects[ref]) for ref in wanted)
        assert all(is_as_wanted(desired(app, each), self.cluster.objects[ref]) for ref, each in wanted.items())

    @rule(everything=st.booleans())
    def a_whole_destroy_leaves_nothing(self, everything: bool) -> None:
        """I5."""
        self._after_all_others()
        is_known = (self.cluster.root, self.cluster.lease) != (None, None)
        run = self.begun(None, everything=everything)
        assert run.finish() is (Outcome.DONE if is_known else Outcome.REFUSED)
        self._is_destroyed(everything=everything)
        assert self.cluster.own or self.cluster.lease is None

    def _is_destroyed(self, *, everything: bool) -> None:
        left = self.cluster.own
        assert [ref for ref, body in left.items() if not stays(ref, body, everything=everything)] == []
        inventory = self.cluster.inventory
        assert {entry.ref for entry in (inventory.entries if inventory else ())} == set(left)
        if not left:
            assert (self.cluster.root, self.cluster.revisions) == (None, {})

    # What must hold at every moment.

    @invariant()
    def what_is_live_is_listed(self) -> None:
        """I1; and what is listed is known well enough to be recognised."""
        inventory = self.cluster.inventory
        listed = inventory.by_ref if inventory else {}
        for ref, body in self.cluster.own.items():
            assert ref in listed, f"{ref} is live, and not listed"
            assert listed[ref].uid in {"", uid_of(body)}, f"{ref} would be taken for somebody else's"

    @invariant()
    def what_is_foreign_is_as_it_was(self) -> None:
        """I2."""
        for body in self.cluster.objects.values():
            was = self.cluster.foreign.get(uid_of(body))
            assert was is None or was == body

    @invariant()
    def every_revision_that_is_named_is_kept(self) -> None:
        """I7: it can be gone back to, and is what it was."""
        inventory = self.cluster.inventory
        for record in inventory.records if inventory else ():
            assert record.revision in self.cluster.revisions, f"revision {record.revision} is gone"
            assert stored_digest(self.cluster.revisions[record.revision], record.revision) == record.digest


_EXAMPLES = int(os.environ.get("KPLOY_FUZZ_EXAMPLES", "150"))

_SETTINGS = settings(
    stateful_step_count=30,
    derandomize="KPLOY_FUZZ_EXAMPLES" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
    report_multiple_bugs=False,
)

TestCrashes = Crashes.TestCase
TestCrashes.settings = settings(_SETTINGS, max_examples=_EXAMPLES)


@settings(_SETTINGS, max_examples=4 * _EXAMPLES)
@given(
    before=apps,
    killed_after=st.integers(5, 40),
    one=rivals,
    requests=st.integers(0, 2) | st.integers(0, 15),
    other=rivals,
    is_far=st.booleans(),
    turns=st.lists(turns, max_size=12),
)
def test_two_runs_at_once_end_as_one_of_the_two(
    before: App,
    killed_after: int,
    one: App | None,
    requests: int,
    other: App | None,
    is_far: bool,
    turns: list[_Turn],
) -> None:
    """I6: the other begins at any request of the one, and both may stand still or be killed."""
    world = Crashes()
    world.begin_with_nothing()
    world.a_run_is_killed(before, killed_after)
    world.cluster.work()
    first = world.begun(one)
    world.goes_on(first, requests)
    world.two_at_once((first, world.begun(other, machine="desk" if is_far else "laptop")), turns)
