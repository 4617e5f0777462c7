from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kploy.core.graph import Graph, Milestone, Node, graph_of
from kploy.core.inventory import Entry
from kploy.core.removal import Leaving, with_removals
from kploy.core.rollout import (
    SILENCE,
    Action,
    Answered,
    Apply,
    Began,
    Delete,
    Interrupted,
    Lost,
    NotSaved,
    Observation,
    Phase,
    Rejected,
    SaveAfter,
    SaveAhead,
    Saved,
    Seen,
    State,
    Tell,
    Ticked,
    Watch,
    Withheld,
    start,
    step,
)
from kploy.model import events
from kploy.model.objects import Cause, Grade, Resource, Status
from kploy.model.objects import State as ObjectState
from kploy.model.plan import Action as Change
from kploy.model.report import Outcome
from tests.makers import deployment, service, thing

IN_PROGRESS = Status(ObjectState.IN_PROGRESS, "0 of 1 updated")
CURRENT = Status(ObjectState.CURRENT)
BROKEN = Status(ObjectState.FAILED, "its deadline passed")
TIMEOUT = 60.0


def play(state: State, *observations: Observation) -> tuple[State, list[Action]]:
    """The state after all ``observations``, and the actions of the last one."""
    actions: tuple[Action, ...] = ()
    for observation in observations:
        state, actions = step(state, observation)
    return state, list(actions)


def told(actions: Sequence[Action]) -> list[events.Event]:
    return [action.event for action in actions if isinstance(action, Tell)]


def job_then_web() -> State:
    """Two barriers that need nothing, then a Job, and a Deployment that waits for it."""
    graph, _ = graph_of([thing("migrate", "Job", "batch/v1"), deployment("web", after="job/migrate")])
    assert [node.ref and node.ref.name for node in graph.nodes] == [None, None, "migrate", "web"]
    return start(graph, TIMEOUT)


MIGRATE, WEB = 2, 3


def test_starts_what_waits_for_nothing() -> None:
    _, actions = play(job_then_web(), Began(0))
    assert actions == [Apply(MIGRATE)]


def test_of_what_waits_for_nothing_the_services_that_wait_for_pods_are_the_last() -> None:
    graph, _ = graph_of(
        [service("web", app="web"), service("away", app="x"), thing("a"), deployment("web"), thing("b")]
    )
    _, actions = play(start(graph, TIMEOUT), Began(0))
    started = [graph.nodes[action.node].ref for action in actions if isinstance(action, Apply)]
    assert [str(ref) for ref in started] == ["service/away", "configmap/a", "configmap/b", "service/web"]


def test_an_object_that_is_not_ready_yet_is_watched_and_holds_up_what_needs_it() -> None:
    state, actions = play(job_then_web(), Began(0), Answered(MIGRATE, Change.CREATED, IN_PROGRESS, 1))
    migrate = state.graph.nodes[MIGRATE].ref
    assert migrate is not None
    assert actions == [Tell(events.Applied(migrate, Change.CREATED, IN_PROGRESS, 1)), Watch("batch/v1", "Job")]


def test_a_dependent_starts_when_what_it_needs_is_ready() -> None:
    state, actions = play(
        job_then_web(), Began(0), Answered(MIGRATE, Change.CREATED, IN_PROGRESS, 1), Seen(MIGRATE, CURRENT, 3)
    )
    migrate = state.graph.nodes[MIGRATE].ref
    assert migrate is not None
    assert actions == [Tell(events.Ready(migrate, CURRENT, 2, 3)), Apply(WEB)]


def test_progress_is_told_once() -> None:
    state, _ = play(job_then_web(), Began(0), Answered(MIGRATE, Change.CREATED, IN_PROGRESS, 1))
    further = Status(ObjectState.IN_PROGRESS, "1 of 2 done")
    state, first = step(state, Seen(MIGRATE, further, 2))
    _, second = step(state, Seen(MIGRATE, further, 3))
    assert [type(event) for event in told(first)] == [events.Progressed]
    assert second == ()


@pytest.mark.parametrize(
    ("observation", "reason"),
    [
        (Rejected(MIGRATE, "quota is exceeded", 1), "quota is exceeded"),
        (Answered(MIGRATE, Change.CREATED, BROKEN, 1), "its deadline passed"),
        (Answered(MIGRATE, Change.CREATED, Status(ObjectState.NOT_FOUND), 1), "it is not-found"),
    ],
)
def test_what_needs_a_failed_object_is_skipped_and_the_deploy_has_failed(
    observation: Observation, reason: str
) -> None:
    state, actions = play(job_then_web(), Began(0), observation)
    migrate, web = state.graph.nodes[MIGRATE].ref, state.graph.nodes[WEB].ref
    assert migrate is not None
    assert web is not None
    assert told(actions)[-3:] == [
        events.Failed(migrate, reason, 1),
        events.Skipped(web, migrate, 1),
        events.Finished(Outcome.FAILED, 1),
    ]


LOST = Cause("ImagePullBackOff", "no such image", Grade.FATAL, ("spec", "image"), container="web", pods=("web-1",))
HOMELESS = Cause("Unschedulable", "no node can take it", Grade.SUSPECTED, grace=15.0, pods=("web-1",))
AWAY = Cause("ErrImagePull", "the registry does not answer", Grade.TRANSIENT)


def waits(cause: Cause | None) -> Status:
    return Status(ObjectState.IN_PROGRESS, cause.message if cause else "", None, cause)


def failed_at(*observations: Observation) -> tuple[list[Cause | None], list[str]]:
    """The causes with which the last observation made objects fail, and the remedies."""
    _, actions = play(job_then_web(), Began(0), Answered(MIGRATE, Change.CREATED, IN_PROGRESS, 1), *observations)
    found = [event for event in told(actions) if isinstance(event, events.Failed)]
    return [event.cause for event in found], [event.hint for event in found]


def test_a_fatal_cause_ends_the_wait_at_once_and_comes_with_a_remedy() -> None:
    doomed = Status(ObjectState.FAILED, LOST.message, None, LOST)
    remedy = "is the tag pushed, and its name spelt right? may the cluster pull it (imagePullSecrets)?"
    assert failed_at(Seen(MIGRATE, doomed, 2)) == ([LOST], [remedy])


def test_a_suspicion_that_holds_for_its_grace_ends_the_wait() -> None:
    suspected = waits(HOMELESS)
    assert failed_at(Seen(MIGRATE, suspected, 2), Seen(MIGRATE, suspected, 16.9))[0] == []
    assert failed_at(Seen(MIGRATE, suspected, 2), Seen(MIGRATE, suspected, 17))[0] == [HOMELESS]


def test_a_suspicion_holds_while_more_pods_share_it() -> None:
    of_two = waits(replace(HOMELESS, message="2 of 2", pods=("web-1", "web-2")))
    assert len(failed_at(Seen(MIGRATE, waits(HOMELESS), 2), Seen(MIGRATE, of_two, 17))[0]) == 1


@pytest.mark.parametrize("between", [None, AWAY, replace(HOMELESS, reason="FailedMount")])
def test_a_suspicion_that_was_interrupted_begins_anew(between: Cause | None) -> None:
    first = (
        Seen(MIGRATE, waits(HOMELESS), 2),
        Seen(MIGRATE, waits(between), 10),
        Seen(MIGRATE, waits(HOMELESS), 12),
    )
    assert failed_at(*first, Seen(MIGRATE, waits(HOMELESS), 26.9))[0] == []
    assert failed_at(*first, Seen(MIGRATE, waits(HOMELESS), 27))[0] == [HOMELESS]


def test_what_is_transient_is_waited_for_until_the_deadline() -> None:
    assert failed_at(Seen(MIGRATE, waits(AWAY), 2), Seen(MIGRATE, waits(AWAY), 59))[0] == []


def test_which_pods_have_the_same_trouble_is_no_news() -> None:
    _, actions = play(
        job_then_web(),
        Began(0),
        Answered(MIGRATE, Change.CREATED, waits(AWAY), 1),
        Seen(MIGRATE, waits(replace(AWAY, pods=("web-2",))), 2),
    )
    assert actions == []


def test_what_is_independent_of_a_failed_object_finishes() -> None:
    graph, _ = graph_of([thing("a"), thing("b", after="configmap/a"), thing("c")])
    names = {node.ref.name: index for index, node in enumerate(graph.nodes) if node.ref}
    state, actions = play(start(graph, TIMEOUT), Began(0), Rejected(names["a"], "no", 1))
    assert [type(event) for event in told(actions)] == [events.Failed, events.Skipped]
    state, actions = play(state, Answered(names["c"], Change.CREATED, CURRENT, 2))
    assert told(actions)[-1] == events.Finished(Outcome.FAILED, 2)


def test_gives_up_at_the_deadline_and_says_what_was_not_ready() -> None:
    state, _ = play(job_then_web(), Began(0), Answered(MIGRATE, Change.CREATED, IN_PROGRESS, TIMEOUT - 1))
    _, early = step(state, Ticked(TIMEOUT - 0.1))
    state, late = step(state, Ticked(TIMEOUT))
    migrate, web = state.graph.nodes[MIGRATE].ref, state.graph.nodes[WEB].ref
    assert migrate is not None
    assert web is not None
    assert early == ()
    assert told(late) == [
        events.Unfinished(migrate, IN_PROGRESS, TIMEOUT),
        events.Skipped(web, None, TIMEOUT),
        events.Finished(Outcome.TIMED_OUT, TIMEOUT),
    ]


def test_after_a_long_silence_it_says_what_is_waited_for() -> None:
    state, _ = play(job_then_web(), Began(0), Answered(MIGRATE, Change.CREATED, IN_PROGRESS, 1))
    migrate = state.graph.nodes[MIGRATE].ref
    assert migrate is not None
    state, early = step(state, Ticked(1 + SILENCE - 0.1))
    assert early == ()
    state, actions = step(state, Ticked(1 + SILENCE))
    assert told(actions) == [events.StillWaiting((events.Awaited(migrate, IN_PROGRESS),), 1 + SILENCE)]
    _, soon = step(state, Ticked(1 + SILENCE + 2))
    assert soon == ()


def test_news_are_no_silence() -> None:
    state, _ = play(job_then_web(), Began(0), Answered(MIGRATE, Change.CREATED, IN_PROGRESS, 1))
    state, actions = step(state, Seen(MIGRATE, replace(IN_PROGRESS, message="more"), SILENCE))
    assert [type(event) for event in told(actions)] == [events.Progressed]
    _, late = step(state, Ticked(SILENCE + 2))
    assert late == ()


def test_while_nothing_is_waited_for_there_is_nothing_to_be_reminded_of() -> None:
    _, actions = play(job_then_web(), Began(0), Ticked(SILENCE + 1))
    assert not [event for event in told(actions) if isinstance(event, events.StillWaiting)]


def test_an_interrupt_waits_for_the_answers_that_are_under_way() -> None:
    state, actions = play(job_then_web(), Began(0), Interrupted(1))
    assert not state.is_finished
    state, actions = play(state, Answered(MIGRATE, Change.CREATED, IN_PROGRESS, 2))
    assert [type(event) for event in told(actions)] == [events.Applied, events.Unfinished, events.Finished]
    assert told(actions)[-1] == events.Finished(Outcome.INTERRUPTED, 2)


def test_what_was_never_sent_is_skipped() -> None:
    _, actions = play(job_then_web(), Began(0), Interrupted(1), Withheld(MIGRATE, 2))
    assert [type(event) for event in told(actions)] == [events.Skipped, events.Finished]


def test_a_service_whose_only_workload_failed_is_not_waited_for() -> None:
    graph, _ = graph_of([service("web", app="web"), deployment("web")])
    names = {node.ref.kind: index for index, node in enumerate(graph.nodes) if node.ref}
    state, _ = play(start(graph, TIMEOUT), Began(0), Answered(names["Service"], Change.CREATED, IN_PROGRESS, 1))
    _, actions = play(state, Rejected(names["Deployment"], "no", 2))
    assert [type(event) for event in told(actions)] == [events.Failed, events.Unfinished, events.Finished]


def test_a_rejected_service_does_not_keep_workloads_from_starting() -> None:
    graph, _ = graph_of([service("web"), deployment("web")])
    names = {node.ref.kind: index for index, node in enumerate(graph.nodes) if node.ref}
    _, actions = play(start(graph, TIMEOUT), Began(0), Rejected(names["Service"], "no", 1))
    assert Apply(names["Deployment"]) in actions


def test_what_needs_a_service_that_nothing_backs_any_more_is_skipped_at_once() -> None:
    ingress = thing(
        "front",
        "Ingress",
        "networking.k8s.io/v1",
        spec={"defaultBackend": {"service": {"name": "web"}}},
    )
    graph, _ = graph_of([service("web", app="web"), deployment("web"), ingress])
    names = {node.ref.kind: index for index, node in enumerate(graph.nodes) if node.ref}
    state, _ = play(start(graph, TIMEOUT), Began(0), Answered(names["Service"], Change.CREATED, IN_PROGRESS, 1))
    _, actions = play(state, Rejected(names["Deployment"], "no", 2))
    assert [type(event) for event in told(actions)] == [
        events.Failed,
        events.Unfinished,
        events.Skipped,
        events.Finished,
    ]


def test_a_deploy_that_loses_its_cluster_ends_with_that_outcome_and_says_why() -> None:
    lost = Lost(Outcome.UNREACHABLE, "the credentials were refused", 2)
    _, actions = play(job_then_web(), Began(0), Answered(MIGRATE, Change.CREATED, IN_PROGRESS, 1), lost)
    assert [type(event) for event in told(actions)] == [
        events.Noted,
        events.Unfinished,
        events.Skipped,
        events.Finished,
    ]
    assert told(actions)[-1] == events.Finished(Outcome.UNREACHABLE, 2)


def test_an_app_of_nothing_is_done_at_once() -> None:
    _, actions = play(start(Graph(), TIMEOUT), Began(5))
    assert actions == [Tell(events.Finished(Outcome.DONE, 0))]


# Every interleaving.

NEEDED = (Milestone.APPLIED, Milestone.READY)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph of up to ten objects and barriers, with needs of every milestone."""
    size = draw(st.integers(1, 10))
    barriers = [draw(st.integers(0, 9)) == 0 for _ in range(size)]
    edges: dict[int, dict[int, Milestone]] = {}
    for node in range(size):
        for needed in range(node):
            if draw(st.booleans()):
                kinds = [Milestone.TRIED] if barriers[node] or barriers[needed] else list(Milestone)
                edges.setdefault(node, {})[needed] = draw(st.sampled_from(kinds))
    return Graph(
        tuple(
            Node(
                None if barriers[node] else thing(f"c{node}", draw(st.sampled_from(["ConfigMap", "Job"]))),
                sum(milestone is not Milestone.BACKS for milestone in edges.get(node, {}).values()),
                sum(milestone is Milestone.BACKS for milestone in edges.get(node, {}).values()),
                tuple((other, edges[other][node]) for other in range(size) if node in edges.get(other, {})),
            )
            for node in range(size)
        )
    )


class Driver:
    """Carries a deploy out against a cluster that does what hypothesis says, and checks every step."""

    def __init__(self, graph: Graph, data: st.DataObject) -> None:
        self.graph = graph
        self.data = data
        self.state = start(graph, TIMEOUT)
        self.now = 0.0
        self.sent: set[int] = set()
        self.asked: list[int] = []
        self.reached: dict[int, set[Milestone]] = {}
        self.ends: dict[int, events.Event] = {}
        self.finished: list[events.Finished] = []
        self.stopped = False

    def observe(self, observation: Observation) -> None:
        before = self.state
        was = repr(before)
        after, actions = step(before, observation)
        assert (after, actions) == step(before, observation)
        assert repr(before) == was
        self.state = after
        for action in actions:
            self.check(action)
        for node, item in enumerate(after.items):
            if item.phase in {Phase.BLOCKED, Phase.WAITING}:
                self.check_hope(node, item.phase)

    def check_hope(self, node: int, phase: Phase) -> None:
        """What is still open has something to wait for."""
        if phase is Phase.WAITING:
            backers = [
                index for index, each in enumerate(self.graph.nodes) if (node, Milestone.BACKS) in each.dependents
            ]
            lost = [index for index in backers if self.has_ended_unready(index)]
            assert not backers or lost != backers
        for needed, milestone in self.needs(node) if phase is Phase.BLOCKED else []:
            if milestone in NEEDED and self.has_ended_unready(needed):
                assert self.reaches(needed, milestone)

    def has_ended_unready(self, node: int) -> bool:
        return node in self.ends and not isinstance(self.ends[node], events.Ready)

    def check(self, action: Action) -> None:
        assert not self.finished
        match action:
            case Apply(node):
                assert node not in self.asked
                assert not self.stopped
                for needed, milestone in self.needs(node):
                    assert self.reaches(needed, milestone)
                self.asked.append(node)
                self.sent.add(node)
            case Tell(events.Ready() | events.Failed() | events.Skipped() | events.Unfinished() as end):
                node = self.node_of(end.ref.name)
                assert node not in self.ends
                self.ends[node] = end
                if isinstance(end, events.Ready):
                    self.reached[node] = set(Milestone)
                else:
                    self.reached.setdefault(node, set()).add(Milestone.TRIED)
            case Tell(events.Applied() as applied):
                self.reached[self.node_of(applied.ref.name)] = {Milestone.TRIED, Milestone.APPLIED}
            case Tell(events.Finished() as end):
                self.finished.append(end)
            case _:
                pass

    def node_of(self, name: str) -> int:
        return int(name[1:])

    def needs(self, node: int) -> list[tuple[int, Milestone]]:
        return [
            (needed, milestone)
            for needed, each in enumerate(self.graph.nodes)
            for dependent, milestone in each.dependents
            if dependent == node and milestone is not Milestone.BACKS
        ]

    def reaches(self, node: int, milestone: Milestone) -> bool:
        if self.graph.nodes[node].manifest is None:
            return all(self.reaches(needed, how_far) for needed, how_far in self.needs(node))
        return milestone in self.reached.get(node, ())

    def advance(self) -> None:
        """Let one thing happen that may happen now."""
        waiting = [node for node, item in enumerate(self.state.items) if item.phase is Phase.WAITING]
        choices = [("answer", node) for node in sorted(self.sent)] + [("see", node) for node in waiting]
        assert choices, "nothing can happen any more, and the deploy has not ended"
        choices += [] if self.data.draw(st.integers(0, 30)) else [("tick", 0), ("interrupt", 0), ("lose", 0)]
        self.now += self.data.draw(st.sampled_from([0.0, 0.5, 10.0]))
        what, node = self.data.draw(st.sampled_from(choices))
        status = self.data.draw(st.sampled_from([CURRENT, IN_PROGRESS, BROKEN]))
        match what:
            case "answer":
                self.sent.discard(node)
                answer = Answered(node, Change.CREATED, status, self.now)
                others: list[Observation] = [answer, answer, Rejected(node, "no", self.now)]
                others += [Withheld(node, self.now)] if self.stopped else []
                self.observe(self.data.draw(st.sampled_from([answer, *others])))
            case "see":
                self.observe(Seen(node, status, self.now))
            case "tick":
                self.now = max(self.now, TIMEOUT)
                self.stopped = True
                self.observe(Ticked(self.now))
            case "lose":
                self.stopped = True
                self.observe(Lost(Outcome.UNREACHABLE, "the credentials were refused", self.now))
            case "interrupt":
                self.stopped = True
                self.observe(Interrupted(self.now))


@settings(max_examples=400, deadline=None)
@given(graphs(), st.data())
def test_in_every_interleaving_each_object_starts_once_after_its_needs_and_ends_once(
    graph: Graph, data: st.DataObject
) -> None:
    driver = Driver(graph, data)
    driver.observe(Began(0.0))
    while not driver.state.is_finished:
        driver.advance()
    objects = {index for index, node in enumerate(graph.nodes) if node.manifest is not None}
    assert set(driver.ends) == objects
    assert len(driver.finished) == 1
    outcome = driver.finished[0].outcome
    assert (outcome is Outcome.DONE) == all(isinstance(end, events.Ready) for end in driver.ends.values())
    if not driver.stopped:
        for node, end in driver.ends.items():
            lost = [
                needed
                for needed, milestone in driver.needs(node)
                if milestone in NEEDED and not driver.reaches(needed, milestone)
            ]
            if isinstance(end, events.Skipped) and node not in driver.asked:
                assert lost
            if node in driver.asked:
                assert not lost
    after = driver.state
    assert step(after, Ticked(driver.now + 1000)) == (after, ())


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=2000))
def test_a_deploy_takes_a_bounded_number_of_steps_for_each_object(fails: list[bool]) -> None:
    graph, _ = graph_of([thing(f"c{number}") for number in range(len(fails))])
    state, actions = step(start(graph, TIMEOUT), Began(0))
    steps = 1
    for action in actions:
        assert isinstance(action, Apply)
        answer = (
            Rejected(action.node, "no", 1)
            if fails[steps - 1]
            else Answered(action.node, Change.CREATED, CURRENT, 1)
        )
        state, _ = step(state, answer)
        steps += 1
    assert state.is_finished
    assert steps == len(fails) + 1


# A deploy that is written down.


def recorded(leaving: bool = True) -> tuple[State, int, int]:
    """A ConfigMap that is wanted, and one that goes; the state before it begins, and both nodes."""
    graph, _ = graph_of([thing("new")])
    old = thing("old")
    entry = Entry(old.ref, Resource("", "v1", "ConfigMap", "configmaps", namespaced=True), "uid-1")
    graph = with_removals(graph, [Leaving(entry, old.body)] if leaving else [])
    names = {str(node.ref): index for index, node in enumerate(graph.nodes) if node.ref}
    return start(graph, TIMEOUT, is_recorded=True), names["configmap/new"], names.get("configmap/old", -1)


OLD = thing("old").ref
GONE = Status(ObjectState.NOT_FOUND)
GOING = Status(ObjectState.TERMINATING)
DEEDS = (Apply, Delete, SaveAhead, SaveAfter)


def played(state: State, *observations: Observation) -> tuple[State, list[Action]]:
    """The state after all ``observations``, and the deeds and the end that all of them led to."""
    found: list[Action] = []
    for observation in observations:
        state, actions = step(state, observation)
        found += [
            each
            for each in actions
            if isinstance(each, DEEDS) or (isinstance(each, Tell) and isinstance(each.event, events.Finished))
        ]
    return state, found


def end(outcome: Outcome, at: float) -> Tell:
    return Tell(events.Finished(outcome, at))


def test_everything_is_written_down_before_and_after_and_removals_come_last() -> None:
    state, new, old = recorded()
    _, found = played(
        state,
        Began(0),
        Saved(1),
        Answered(new, Change.CREATED, CURRENT, 2),
        Answered(old, Change.PRUNED, GOING, 3),
        Seen(old, GONE, 4),
        Saved(5),
    )
    assert found == [
        SaveAhead(),
        Apply(new),
        Delete(old),
        SaveAfter(Outcome.DONE, frozenset({OLD})),
        end(Outcome.DONE, 5),
    ]


def test_nothing_goes_when_something_failed() -> None:
    state, new, _ = recorded()
    _, found = played(state, Began(0), Saved(1), Rejected(new, "no", 2), Saved(3))
    assert found == [SaveAhead(), Apply(new), SaveAfter(Outcome.FAILED, frozenset()), end(Outcome.FAILED, 3)]


@pytest.mark.parametrize(
    ("observation", "outcome"),
    [
        (Interrupted(3), Outcome.INTERRUPTED),
        (Ticked(TIMEOUT), Outcome.TIMED_OUT),
        (Lost(Outcome.REFUSED, "the lock was taken over", 3), Outcome.REFUSED),
    ],
)
def test_what_is_not_proven_gone_stays_listed(observation: Observation, outcome: Outcome) -> None:
    state, new, old = recorded()
    begun = (Began(0), Saved(1), Answered(new, Change.CREATED, CURRENT, 2), Answered(old, Change.PRUNED, GOING, 2))
    _, found = played(state, *begun, observation, Saved(TIMEOUT))
    assert found[-2:] == [SaveAfter(outcome, frozenset()), end(outcome, TIMEOUT)]


def test_a_wanted_object_that_a_deletion_fails_on_is_a_failure_and_stays_listed() -> None:
    state, new, old = recorded()
    _, found = played(
        state, Began(0), Saved(1), Answered(new, Change.CREATED, CURRENT, 2), Rejected(old, "no", 3), Saved(4)
    )
    assert found[-2:] == [SaveAfter(Outcome.FAILED, frozenset()), end(Outcome.FAILED, 4)]


def test_nothing_starts_that_is_not_written_down() -> None:
    state, _, _ = recorded()
    state, found = played(state, Began(0), NotSaved(Outcome.REFUSED, "somebody changed the inventory", 1))
    assert found == [SaveAhead(), end(Outcome.REFUSED, 1)]
    assert state.is_finished


def test_nothing_is_done_that_could_not_be_written_down_though_there_was_nothing_to_touch() -> None:
    state = start(graph_of([])[0], TIMEOUT, is_recorded=True)
    _, found = played(state, Began(0), NotSaved(Outcome.REFUSED, "somebody changed the inventory", 1))
    assert found == [SaveAhead(), end(Outcome.REFUSED, 1)]


def test_a_run_whose_end_could_not_be_written_down_is_not_done() -> None:
    state, new, _ = recorded(leaving=False)
    begun = (Began(0), Saved(1), Answered(new, Change.CREATED, CURRENT, 2))
    _, found = played(state, *begun, NotSaved(Outcome.UNREACHABLE, "no answer", 3))
    assert found[-1] == end(Outcome.UNREACHABLE, 3)


def test_a_failure_stays_one_though_its_end_could_not_be_written_down() -> None:
    state, new, _ = recorded()
    _, found = played(
        state, Began(0), Saved(1), Rejected(new, "no", 2), NotSaved(Outcome.UNREACHABLE, "no answer", 3)
    )
    assert found[-1] == end(Outcome.FAILED, 3)


@pytest.mark.parametrize(
    ("observation", "outcome"), [(Interrupted(0.5), Outcome.INTERRUPTED), (Ticked(TIMEOUT), Outcome.TIMED_OUT)]
)
def test_a_run_that_ends_while_it_opens_touches_nothing_and_says_so_in_the_inventory(
    observation: Observation, outcome: Outcome
) -> None:
    state, _, _ = recorded()
    _, found = played(state, Began(0), observation, Saved(TIMEOUT), Saved(TIMEOUT + 1))
    assert found == [SaveAhead(), SaveAfter(outcome, frozenset()), end(outcome, TIMEOUT + 1)]


@pytest.mark.parametrize("observation", [Interrupted(3), Ticked(TIMEOUT)])
def test_what_comes_while_it_closes_changes_nothing(observation: Observation) -> None:
    state, new, _ = recorded(leaving=False)
    begun = (Began(0), Saved(1), Answered(new, Change.CREATED, CURRENT, 2))
    _, found = played(state, *begun, observation, Saved(TIMEOUT))
    assert found == [SaveAhead(), Apply(new), SaveAfter(Outcome.DONE, frozenset()), end(Outcome.DONE, TIMEOUT)]


def test_services_that_share_their_workloads_are_given_up_when_the_last_of_these_failed() -> None:
    workloads = [deployment(name, {"app": "x"}) for name in "cd"]
    graph, _ = graph_of([service("a", app="x"), service("b", app="x"), *workloads])
    names = {node.ref.name: index for index, node in enumerate(graph.nodes) if node.ref}
    state, _ = play(
        start(graph, TIMEOUT),
        Began(0),
        Answered(names["a"], Change.CREATED, IN_PROGRESS, 1),
        Answered(names["b"], Change.CREATED, IN_PROGRESS, 1),
    )
    state, first = play(state, Rejected(names["c"], "no", 2))
    _, second = play(state, Rejected(names["d"], "no", 3))
    assert [type(event) for event in told(first)] == [events.Failed]
    assert [type(event) for event in told(second)] == [
        events.Failed,
        events.Unfinished,
        events.Unfinished,
        events.Finished,
    ]
