"""Rules of readiness from the Kployfile: objects that say otherwise than by conditions how they are.

A condition is written as for ``kubectl wait --for=jsonpath=…``: ``{.status.phase}=Running``, or a path alone
for a value of any kind that must be there. Where a path leads to several values, all must be it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kploy.core.field_paths import FieldPath, Illegible, leading_path, path_of, spelled
from kploy.core.live import Live, current, in_progress
from kploy.core.readiness_of_pods import last_change
from kploy.core.suggestions import did_you_mean, nearest
from kploy.model.app import App, ReadinessRule
from kploy.model.findings import Finding, warning
from kploy.model.frozen import dataclass
from kploy.model.objects import Body, Cause, Grade, ObjectRef, State, Status

KEY = "readiness"
"""The key of the Kployfile."""

FAILED = "ReadinessFailed"
"""The reason of what has failed by a rule."""

_CATCHING_UP = 30.0
"""Seconds in which a controller that does not say what it has seen should have looked at a change."""

_LONG_AGO = 300.0
"""Seconds after a change when what is said is about it for sure, even if the clock of this machine is wrong."""

_MOST_TOLD = 300
"""Characters of what an object says of itself; a status may hold a whole log."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What an object must say: the value ``wanted`` at ``path``, or any where that is None."""

    path: FieldPath
    wanted: str | None

    def __str__(self) -> str:
        """``.status.phase=Running``."""
        return self.path.text if self.wanted is None else f"{self.path.text}={self.wanted}"

    def holds(self, body: Body) -> bool:
        """Whether an object says so."""
        found = self.path.values(body)
        return bool(found) and (self.wanted is None or all(spelled(value) == self.wanted for value in found))

    def found(self, body: Body) -> str:
        """What it says instead, "" if nothing that can be shown."""
        return _told(self.path, body)


@dataclass(frozen=True, slots=True)
class Judge:
    """A rule that can be applied."""

    ready: tuple[Condition, ...]
    failed: tuple[Condition, ...]
    message: FieldPath | None

    def status_of(self, live: Live) -> Status | None:
        """How an object is by this rule; None where it does not decide."""
        body = live.body.data
        said = _told(self.message, body) if self.message else ""
        for condition in self.failed:
            if condition.holds(body):
                return _has_failed(live, said or f"it says {condition}")
        if not self.ready:
            return None
        missing = next((condition for condition in self.ready if not condition.holds(body)), None)
        return current() if missing is None else in_progress(said or _waiting(missing, body))


def judges(rules: Iterable[ReadinessRule]) -> Mapping[tuple[str, str], Judge]:
    """What to judge objects by, by group and kind. The rules are those of a Kployfile, which are legible."""
    return {_kind(rule): judge_of(rule) for rule in rules}


def judge_of(rule: ReadinessRule) -> Judge:
    """The rule as it can be applied. Raises Illegible."""
    message = path_of(rule.message) if rule.message else None
    return Judge(tuple(map(condition_of, rule.ready)), tuple(map(condition_of, rule.failed)), message)


def condition_of(text: str) -> Condition:
    """The condition that a text is. Raises Illegible."""
    path, rest = leading_path(text)
    rest = rest.strip()
    sign, value = rest[:1], rest[1:].strip().strip("'\"")
    if sign not in {"", "="}:
        raise Illegible(f"`{rest[:20]}` is not understood: after the path comes =VALUE or nothing")
    if sign and (not value or value.startswith("=")):
        raise Illegible("after the path comes one `=`, and a value")
    return Condition(path, value if sign else None)


def unused(app: App) -> Iterator[Finding]:
    """Rule ``unused-readiness``: what is said of a kind that the app does not have."""
    kinds = {kind_of(manifest.ref) for manifest in app.manifests}
    for rule in app.kployfile.readiness:
        if rule.kind not in kinds:
            message = f"the app has no `{rule.kind}` that this could be said of"
            hint = did_you_mean(nearest(rule.kind, kinds), "take it out, or write it as KIND.GROUP")
            yield warning("unused-readiness", message, hint, app.kployfile.positions.key((KEY, rule.kind)))


def kind_of(ref: ObjectRef) -> str:
    """The kind of an object as a Kployfile names it: ``Deployment.apps``, ``Pod``."""
    return f"{ref.kind}.{ref.group}" if ref.group else ref.kind


def _kind(rule: ReadinessRule) -> tuple[str, str]:
    kind, _, group = rule.kind.partition(".")
    return group, kind


def _has_failed(live: Live, message: str) -> Status:
    """Failed, if what it says is about the object as it is now; else it must go on saying so for a while.

    What was found as it is has failed before the run: something else in it may mend that.
    """
    if _is_of_last_change(live) and not live.related.is_untouched:
        return Status(State.FAILED, message, cause=Cause(FAILED, message, Grade.FATAL))
    cause = Cause(FAILED, message, Grade.SUSPECTED, grace=_CATCHING_UP)
    return Status(State.IN_PROGRESS, message, cause=cause)


def _is_of_last_change(live: Live) -> bool:
    """Whether its status is younger than what it should be. Who says what it has seen has been asked before.

    The API server tells the time in whole seconds: within one, nobody knows what came first.
    """
    if "observedGeneration" in live.status or live.metadata.number("generation") == 1:
        return True
    managers, changed = live.metadata.maps("managedFields"), last_change(live)
    told = max((one.time("time") for one in managers if one.text("subresource") == "status"), default=0.0)
    return told > changed or live.moment.is_past(changed + _LONG_AGO)


def _waiting(condition: Condition, body: Body) -> str:
    found = condition.found(body)
    return f"waiting for {condition}" + (f", it is {found}" if found else "")


def _told(path: FieldPath, body: Body) -> str:
    """The values of a path in one line, without those that are no text or number."""
    words = (spelled(value) for value in path.values(body))
    told = " ".join(", ".join(word for word in words if word).split())
    return told if len(told) <= _MOST_TOLD else f"{told[: _MOST_TOLD - 1]}…"
