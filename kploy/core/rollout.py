"""The deploy as a state machine: ``step(state, observation) -> (state, actions)``.

Pure: the same state and observation always give the same answer, and no state
is ever changed in place. Whoever carries the actions out (engine.deploy) owns
threads, requests and the clock, and reports back what it saw. Nodes are named
by their index in the graph, times are seconds on any clock that only goes forward.

The life of a node::

    BLOCKED ─→ APPLYING ─→ WAITING ─→ READY
       │           │          ├─────→ FAILED
       │           └──────────┼─────→ FAILED
       └─→ SKIPPED            └─────→ UNFINISHED (deadline, interrupt, nothing left to wait for)

A node whose object is to go lives the same life: for it, *applied* is that its deletion
was taken, and *ready* that it is gone.

A deploy that is *recorded* writes the inventory ahead of everything else, and once more
when nothing is under way any longer, however it ends::

    OPENING ─→ ROLLING ─→ CLOSING
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import assert_never

from kploy.core.graph import Graph, Milestone
from kploy.core.remedies import remedy
from kploy.core.table import Table
from kploy.model import events
from kploy.model.frozen import dataclass, replace
from kploy.model.objects import Cause, Grade, ObjectRef, Status
from kploy.model.objects import State as ObjectState
from kploy.model.plan import Action as Change
from kploy.model.report import Outcome


class Phase(StrEnum):
    """Where a node is in its life."""

    BLOCKED = "blocked"
    APPLYING = "applying"
    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNFINISHED = "unfinished"


class Stage(StrEnum):
    """Where a deploy is. Only while it is rolling are objects touched."""

    OPENING = "opening"
    ROLLING = "rolling"
    CLOSING = "closing"


_NEEDED = frozenset({Milestone.APPLIED, Milestone.READY})
"""The milestones without which a dependent cannot start."""

SILENCE = 30.0
"""After so many seconds without any news the user is told what is waited for."""

_UNSEEN = Status(ObjectState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Item:
    """One node of the graph while it is deployed.

    ``blockers`` counts the needs that are not met yet, ``lost`` the backers
    that will not come. ``suspected_at``: since when the same suspicion holds.
    """

    phase: Phase
    blockers: int
    lost: int = 0
    status: Status = _UNSEEN
    applied_at: float = 0.0
    suspected_at: float | None = None


@dataclass(frozen=True, slots=True)
class State:
    """A deploy at one moment. ``open`` counts the nodes that are not settled.

    ``is_recorded``: its inventory is to be written before and after. ``ending`` is
    set once nothing new may start, and says why. ``is_short`` once something was
    skipped or left unfinished. ``told_at`` is when the user was last told anything.
    """

    graph: Graph
    items: Table[Item]
    timeout: float
    open: int
    is_recorded: bool = False
    stage: Stage = Stage.OPENING
    began_at: float = 0.0
    told_at: float = 0.0
    watched: frozenset[tuple[str, str]] = frozenset()
    ending: Outcome | None = None
    has_failed: bool = False
    is_short: bool = False
    is_finished: bool = False

    @property
    def deadline(self) -> float:
        """When it gives up; to be told so by ``Ticked``."""
        return self.began_at + self.timeout


# What was seen.


@dataclass(frozen=True, slots=True)
class Began:
    """The deploy starts now."""

    now: float


@dataclass(frozen=True, slots=True)
class Answered:
    """The API server took a node's object, and this is how it is."""

    node: int
    change: Change
    status: Status
    now: float


@dataclass(frozen=True, slots=True)
class Rejected:
    """The API server would not take a node's object, or could not be asked."""

    node: int
    reason: str
    now: float
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Withheld:
    """The request for a node was never sent."""

    node: int
    now: float


@dataclass(frozen=True, slots=True)
class Seen:
    """A node's object looks like this now."""

    node: int
    status: Status
    now: float


@dataclass(frozen=True, slots=True)
class Ticked:
    """It is that late. To be told every few seconds, and at the deadline."""

    now: float


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The user wants it to end."""

    now: float


@dataclass(frozen=True, slots=True)
class Saved:
    """The inventory is written; ``notes`` are worth telling."""

    now: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotSaved:
    """The inventory could not be written; ``outcome`` says in which way."""

    outcome: Outcome
    reason: str
    now: float


@dataclass(frozen=True, slots=True)
class Lost:
    """The cluster does not let itself be followed any more; ``outcome`` says in which way.

    ``reason`` is "" where an object's Rejected, which follows, tells it.
    """

    outcome: Outcome
    reason: str
    now: float


Observation = Began | Answered | Rejected | Withheld | Seen | Ticked | Interrupted | Saved | NotSaved | Lost


# What is to be done.


@dataclass(frozen=True, slots=True)
class Apply:
    """Bring a node's object to the API server; answer with Answered, Rejected or Withheld."""

    node: int


@dataclass(frozen=True, slots=True)
class Delete:
    """Have a node's object deleted; answer as to Apply. Its status is NOT_FOUND when it is gone."""

    node: int


@dataclass(frozen=True, slots=True)
class SaveAhead:
    """Write down all that there is and all that is wanted; answer with Saved or NotSaved."""


@dataclass(frozen=True, slots=True)
class SaveAfter:
    """Write down how it ended, without the objects of ``gone``; answer with Saved or NotSaved."""

    outcome: Outcome
    gone: frozenset[ObjectRef]


@dataclass(frozen=True, slots=True)
class Watch:
    """From now on, say by Seen how the app's objects of one kind are."""

    api_version: str
    kind: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Let the user know."""

    event: events.Event


Deed = Apply | Delete | Watch | SaveAhead | SaveAfter
"""What is to be done in the cluster."""

Action = Deed | Tell


def start(graph: Graph, timeout: float, *, is_recorded: bool = False) -> State:
    """A deploy that has not begun. ``timeout`` is in seconds from when it does."""
    items = Table.of(Item(Phase.BLOCKED, node.needs) for node in graph.nodes)
    return State(graph, items, timeout, open=len(graph.nodes), is_recorded=is_recorded)


def step(state: State, observation: Observation) -> tuple[State, tuple[Action, ...]]:
    """What is now the case after ``observation``, and what is to be done about it, in order.

    The last action of a deploy tells ``events.Finished``; every observation
    after that changes nothing. Observations that come too late for their node
    change nothing either.
    """
    if state.is_finished:
        return state, ()
    turn = _Turn(state)
    turn.take(observation)
    return turn.end(observation.now)


class _Turn:
    """One step while it is taken: the state so far, and the actions so far.

    The items that change are gathered, and put into the state at the end: of very
    many in one turn, such as the first, not each makes a state of its own.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.actions: list[Action] = []
        self._late: list[Action] = []
        self._changed: dict[int, Item] = {}
        self._settled = 0

    def take(self, observation: Observation) -> None:  # noqa: C901, PLR0912 - a case for each observation, no more
        match observation:
            case Began(now):
                self._begin(now)
            case Answered(node, change, status, now):
                self._answered(node, change, status, now)
            case Rejected(node, reason, now, hint):
                if self._phase(node) is Phase.APPLYING:
                    self._fail(node, reason, now, hint)
            case Withheld(node, now):
                if self._phase(node) is Phase.APPLYING:
                    self._skip(node, None, now)
                    self._pass_by([node, *self._skip_dependents(node, _NEEDED, now)], now)
            case Seen(node, status, now):
                if self._phase(node) is Phase.WAITING:
                    self._look(node, status, now)
            case Ticked(now):
                if now >= self.state.deadline:
                    self._stop(Outcome.TIMED_OUT, now)
                elif now - self.state.told_at >= SILENCE:
                    self._remind(now)
            case Interrupted(now):
                self._stop(Outcome.INTERRUPTED, now)
            case Saved(now, notes):
                self.actions += [Tell(events.Noted(note)) for note in notes]
                self._saved(now)
            case NotSaved(outcome, reason, now):
                self._not_saved(outcome, reason, now)
            case Lost(outcome, reason, now):
                if self.state.ending is None and reason:
                    self._tell(events.Noted(reason))
                self._stop(outcome, now)
            case _:
                assert_never(observation)

    def end(self, now: float) -> tuple[State, tuple[Action, ...]]:
        self.actions += self._late
        still_open = self.state.open - self._settled
        is_over = still_open == 0 and self.state.stage is Stage.ROLLING
        if is_over and not self.state.is_recorded:
            self._finish(now)
        if not (self._changed or self.actions or is_over):
            return self.state, ()
        items = self.state.items.replace(self._changed)
        told_at = now if any(isinstance(action, Tell) for action in self.actions) else self.state.told_at
        self.state = replace(self.state, items=items, open=still_open, told_at=told_at)
        if is_over and self.state.is_recorded:
            self.state = replace(self.state, stage=Stage.CLOSING)
            self.actions.append(SaveAfter(outcome_of(self.state), _gone(self.state)))
        return self.state, tuple(self.actions)

    def _begin(self, now: float) -> None:
        self.state = replace(self.state, began_at=now, told_at=now)
        if self.state.is_recorded:
            self.actions.append(SaveAhead())
        else:
            self._roll(now)

    def _saved(self, now: float) -> None:
        if self.state.stage is Stage.CLOSING:
            self._finish(now)
        elif self.state.stage is Stage.OPENING:
            self._roll(now)

    def _not_saved(self, outcome: Outcome, reason: str, now: float) -> None:
        """Nothing may start that is not written down; what is done already stays listed as under way."""
        if self.state.stage is Stage.ROLLING:
            return
        self._tell(events.Noted(reason))
        if self.state.stage is Stage.OPENING:
            self._stop(outcome, now)
            self.state = replace(self.state, is_short=True)
        elif outcome_of(self.state) is Outcome.DONE:
            self.state = replace(self.state, ending=outcome, is_short=True)
        self._finish(now)

    def _remind(self, now: float) -> None:
        """Say what is waited for: a log that says nothing is taken for one that hangs."""
        waiting = [
            events.Awaited(self._ref(node), self._item(node).status)
            for node in range(len(self.state.graph.nodes))
            if self._phase(node) is Phase.WAITING
        ]
        if waiting:
            self._tell(events.StillWaiting(tuple(waiting), self._since(now)))

    def _finish(self, now: float) -> None:
        self.state = replace(self.state, is_finished=True)
        self._tell(events.Finished(outcome_of(self.state), self._since(now)))

    def _roll(self, now: float) -> None:
        self.state = replace(self.state, stage=Stage.ROLLING)
        # A barrier that needs nothing is passed here, and may start others: look again at each.
        for node in range(len(self.state.graph.nodes)):
            item = self._item(node)
            if item.phase is Phase.BLOCKED and item.blockers == 0:
                self._launch(node, now)

    def _launch(self, node: int, now: float) -> None:
        """Start a node whose needs are met."""
        if self._is_barrier(node):
            self._settle(node, Phase.READY)
            self._release(node, {Milestone.TRIED, Milestone.APPLIED, Milestone.READY}, now)
            return
        self._change(node, phase=Phase.APPLYING)
        if self._is_leaving(node):
            self.actions.append(Delete(node))
        elif self.state.graph.nodes[node].backers:
            # Its endpoints come with its pods, which need the others: until then its controllers work in vain.
            self._late.append(Apply(node))
        else:
            self.actions.append(Apply(node))

    def _answered(self, node: int, change: Change, status: Status, now: float) -> None:
        if self._phase(node) is not Phase.APPLYING:
            return
        since = self._suspected_since(node, status, now)
        self._change(node, phase=Phase.WAITING, status=status, applied_at=now, suspected_at=since)
        self._tell(events.Applied(self._ref(node), change, status, self._since(now)))
        self._release(node, {Milestone.TRIED, Milestone.APPLIED}, now)
        self._judge(node, status, now)
        if self._phase(node) is Phase.WAITING:
            if self.state.ending is not None or self._is_deserted(node):
                self._abandon(node, now)
            else:
                self._watch(node)

    def _look(self, node: int, status: Status, now: float) -> None:
        before = self._item(node).status
        if status != before:
            self._change(node, status=status, suspected_at=self._suspected_since(node, status, now))
            # Which pods have the same trouble is no news.
            if replace(status, cause=before.cause) != before and not self._is_done(node, status):
                self._tell(events.Progressed(self._ref(node), status, self._since(now)))
        self._judge(node, status, now)

    def _judge(self, node: int, status: Status, now: float) -> None:
        """Settle an applied node if ``status`` says that its fate is known."""
        if self._is_done(node, status):
            self._settle(node, Phase.READY)
            after = now - self._item(node).applied_at
            self._tell(events.Ready(self._ref(node), status, after, self._since(now)))
            self._release(node, {Milestone.READY}, now)
        elif not self._is_leaving(node) and status.state in {ObjectState.FAILED, ObjectState.NOT_FOUND}:
            self._fail(node, status.message or f"it is {status.state}", now, cause=status.cause)
        elif status.cause and self._is_proven(node, status.cause, now):
            self._fail(node, status.cause.message, now, cause=status.cause)

    def _suspected_since(self, node: int, status: Status, now: float) -> float | None:
        """Since when what ``status`` suspects of a node holds; another suspicion begins anew."""
        item, cause = self._item(node), status.cause
        before = item.status.cause
        if cause is None or cause.grade is not Grade.SUSPECTED:
            return None
        if item.suspected_at is None or before is None or before.reason != cause.reason:
            return now
        return item.suspected_at

    def _is_proven(self, node: int, cause: Cause, now: float) -> bool:
        """Whether a suspicion held for all of its grace."""
        since = self._item(node).suspected_at
        return not self._is_leaving(node) and since is not None and now - since >= cause.grace

    def _is_done(self, node: int, status: Status) -> bool:
        return status.state is (ObjectState.NOT_FOUND if self._is_leaving(node) else ObjectState.CURRENT)

    def _watch(self, node: int) -> None:
        kind = (self.state.graph.nodes[node].api_version, self._ref(node).kind)
        if kind not in self.state.watched:
            self.state = replace(self.state, watched=self.state.watched | {kind})
            self.actions.append(Watch(*kind))

    def _release(self, node: int, reached: AbstractSet[Milestone], now: float) -> None:
        """Count down the dependents for which ``node`` got far enough; start those that wait no more."""
        for dependent, milestone in self.state.graph.nodes[node].dependents:
            item = self._item(dependent)
            if item.phase is not Phase.BLOCKED or milestone not in reached:
                continue
            self._change(dependent, blockers=item.blockers - 1)
            if item.blockers == 1:
                self._launch(dependent, now)

    def _fail(self, node: int, reason: str, now: float, hint: str = "", cause: Cause | None = None) -> None:
        was_applied = self._phase(node) is Phase.WAITING
        self._settle(node, Phase.FAILED)
        # What is refused after the end was decided did not decide it.
        is_cause = self.state.ending is None
        self.state = replace(self.state, has_failed=self.state.has_failed or is_cause, is_short=True)
        if cause and not hint:
            hint = remedy(self._ref(node), cause)
        self._tell(events.Failed(self._ref(node), reason, self._since(now), hint, cause=cause))
        if was_applied:
            skipped = self._skip_dependents(node, {Milestone.READY}, now)
            self._desert(node, now)
            self._pass_by(skipped, now)
        else:
            self._pass_by([node, *self._skip_dependents(node, _NEEDED, now)], now)

    def _pass_by(self, nodes: list[int], now: float) -> None:
        """Go on past ``nodes``, which will never be applied; all that needs them is skipped already."""
        for node in nodes:
            self._release(node, {Milestone.TRIED}, now)
        for node in nodes:
            self._desert(node, now)

    def _skip_dependents(self, failed: int, missed: AbstractSet[Milestone], now: float) -> list[int]:
        """Skip everything that needs what ``failed`` has ``missed``, or needs what is skipped with it.

        Returns which nodes that is.
        """
        skipped: list[int] = []
        pending = [(failed, missed)]
        while pending:
            node, lost = pending.pop()
            for dependent, milestone in self.state.graph.nodes[node].dependents:
                if milestone in lost and self._phase(dependent) is Phase.BLOCKED:
                    self._skip(dependent, self._ref(failed), now)
                    skipped.append(dependent)
                    pending.append((dependent, _NEEDED))
        return skipped

    def _desert(self, node: int, now: float) -> None:
        """Give up on the Services that only ``node``, which will not run, would have given endpoints."""
        for dependent, milestone in self.state.graph.nodes[node].dependents:
            if milestone is Milestone.BACKS:
                self._change(dependent, lost=self._item(dependent).lost + 1)
                if self._is_barrier(dependent):
                    if self._is_deserted(dependent):
                        self._desert(dependent, now)
                elif self._phase(dependent) is Phase.WAITING and self._is_deserted(dependent):
                    self._abandon(dependent, now)

    def _abandon(self, node: int, now: float) -> None:
        """Wait no more for an applied node, and start nothing that needs it ready."""
        self._leave(node, now)
        skipped = self._skip_dependents(node, {Milestone.READY}, now)
        self._desert(node, now)
        self._pass_by(skipped, now)

    def _is_deserted(self, node: int) -> bool:
        backers = self.state.graph.nodes[node].backers
        return backers > 0 and self._item(node).lost == backers

    def _skip(self, node: int, because: ObjectRef | None, now: float) -> None:
        self._settle(node, Phase.SKIPPED)
        if not self._is_barrier(node):
            self.state = replace(self.state, is_short=True)
            self._tell(events.Skipped(self._ref(node), because, self._since(now)))

    def _stop(self, outcome: Outcome, now: float) -> None:
        """Let nothing new start, and wait for nothing but the requests that are under way."""
        if self.state.ending is not None:
            return
        self.state = replace(self.state, ending=outcome)
        for node in range(len(self.state.graph.nodes)):
            if self._phase(node) is Phase.BLOCKED:
                self._skip(node, None, now)
            elif self._phase(node) is Phase.WAITING:
                self._leave(node, now)

    def _leave(self, node: int, now: float) -> None:
        self._settle(node, Phase.UNFINISHED)
        self.state = replace(self.state, is_short=True)
        ref, status = self._ref(node), self._item(node).status
        hint = remedy(ref, status.cause) if status.cause else ""
        self._tell(events.Unfinished(ref, status, self._since(now), hint=hint))

    def _settle(self, node: int, phase: Phase) -> None:
        self._change(node, phase=phase)
        self._settled += 1

    def _change(self, node: int, **fields: object) -> None:
        self._changed[node] = replace(self._item(node), **fields)  # type: ignore[arg-type]

    def _item(self, node: int) -> Item:
        return self._changed.get(node) or self.state.items[node]

    def _phase(self, node: int) -> Phase:
        return self._item(node).phase

    def _is_barrier(self, node: int) -> bool:
        return self.state.graph.nodes[node].ref is None

    def _is_leaving(self, node: int) -> bool:
        return self.state.graph.nodes[node].leaving is not None

    def _ref(self, node: int) -> ObjectRef:
        ref = self.state.graph.nodes[node].ref
        if ref is None:
            raise ValueError(f"node {node} is a barrier: nothing happens to it that one could tell of")
        return ref

    def _since(self, now: float) -> float:
        return now - self.state.began_at

    def _tell(self, event: events.Event) -> None:
        self.actions.append(Tell(event))


def outcome_of(state: State) -> Outcome:
    """How a deploy ended. Done is only what is ready whole, and that it is, however late the last answer came."""
    if not state.has_failed and not state.is_short:
        return Outcome.DONE
    if state.ending is Outcome.INTERRUPTED:
        return Outcome.INTERRUPTED
    if state.has_failed:
        return Outcome.FAILED
    return state.ending or Outcome.INTERRUPTED


def _gone(state: State) -> frozenset[ObjectRef]:
    """What was to go, and is proven to have gone."""
    return frozenset(
        node.leaving.ref
        for node, item in zip(state.graph.nodes, state.items, strict=True)
        if node.leaving is not None and item.phase is Phase.READY
    )
