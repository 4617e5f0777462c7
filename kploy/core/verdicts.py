"""What a controller says when it gives up, in words, with the field that let it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kploy.core.live import Condition, Live
from kploy.core.live import words as joined
from kploy.model.objects import Cause, Grade, JsonPath

_Words = Callable[[Live], str]
"""A sentence for a verdict; "" where its controller says it well."""

_SCALING = 120.0
"""Seconds in which what an autoscaler is to scale may be made; it looks every 15."""


def of_verdict(live: Live) -> Cause | None:
    """The verdict of its controller on an object; None where it has none, or not one that is known."""
    match live.body.text("kind"):
        case "Deployment":
            told = live.condition("Progressing")
            return _cause(live, told, _OF_DEPLOYMENTS) if told.is_false else None
        case "Job":
            for type_ in ("Failed", "FailureTarget"):
                told = live.condition(type_)
                if told.is_true:
                    return _cause(live, told, _OF_JOBS)
        case "HorizontalPodAutoscaler":
            told = live.condition("AbleToScale")
            if told.is_false and told.reason == "FailedGetScale":
                return Cause(told.reason, told.why, Grade.SUSPECTED, ("spec", "scaleTargetRef"), _SCALING)
    return None


def _cause(live: Live, told: Condition, known: Mapping[str, tuple[_Words, JsonPath]]) -> Cause | None:
    words, path = known.get(told.reason, (None, ()))
    if words is None:
        return None
    return Cause(told.reason, joined(told.reason, words(live) or told.message), Grade.FATAL, path)


def _late(live: Live) -> str:
    seconds = live.spec.number("progressDeadlineSeconds", 600)
    return f"no progress within {seconds} s, its progressDeadlineSeconds"


def _too_long(live: Live) -> str:
    # The template may have a deadline of its own, which is not this one.
    seconds = live.spec.number("activeDeadlineSeconds")
    return f"not done within {seconds} s, its activeDeadlineSeconds" if seconds else ""


def _too_often(live: Live) -> str:
    return f"its pods failed more often than its backoffLimit of {live.spec.number('backoffLimit', 6)} allows"


def _as_told(_: Live) -> str:
    return ""


_OF_DEPLOYMENTS: Mapping[str, tuple[_Words, JsonPath]] = {
    "ProgressDeadlineExceeded": (_late, ("spec", "progressDeadlineSeconds")),
}
_OF_JOBS: Mapping[str, tuple[_Words, JsonPath]] = {
    "BackoffLimitExceeded": (_too_often, ("spec", "backoffLimit")),
    "DeadlineExceeded": (_too_long, ("spec", "activeDeadlineSeconds")),
    "FailedIndexes": (_as_told, ("spec", "backoffLimitPerIndex")),
    "MaxFailedIndexesExceeded": (_as_told, ("spec", "maxFailedIndexes")),
    "PodFailurePolicy": (_as_told, ("spec", "podFailurePolicy")),
}
