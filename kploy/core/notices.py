"""Warning events, as Kubernetes' components write them down: read, and each told once.

Of the same kind of trouble there is an event for every pod, and another for every
time. What differs in them is names, times and counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kploy.core.live import Fields, Malformed, fields
from kploy.model.notices import Notice
from kploy.model.objects import Body, ObjectRef, group_of


def notice_of(event: Body) -> Notice | None:
    """What an Event (v1) says; None if it is no warning, or not one that can be read."""
    try:
        return _notice_of(fields("", event))
    except Malformed:
        return None


def _notice_of(event: Fields) -> Notice | None:
    if event.text("type") != "Warning":
        return None
    about, series = event.map("involvedObject"), event.map("series")
    ref = ObjectRef(
        group_of(about.text("apiVersion")), about.text("kind"), about.text("namespace"), about.text("name")
    )
    count = max(event.number("count"), series.number("count"), 1)
    at = max(event.time("lastTimestamp"), event.time("eventTime"), series.time("lastObservedTime"))
    return Notice(ref, about.text("uid"), event.text("reason"), " ".join(event.text("message").split()), count, at)


def since(notices: Iterable[Notice], start: float) -> tuple[Notice, ...]:
    """Those that were written after ``start``, in the order of time, the same trouble of several objects once.

    The count is that of all of them, the rest is from the last.
    """
    told: dict[tuple[str, str, str], Notice] = {}
    for notice in sorted(notices, key=lambda each: each.at):
        if notice.at >= start:
            key = (notice.about.kind, notice.reason, notice.message.replace(notice.about.name, ""))
            before = told.pop(key, None)
            told[key] = replace(notice, count=notice.count + (before.count if before else 0))
    return tuple(told.values())


def by_uid(notices: Iterable[Notice]) -> Mapping[str, tuple[Notice, ...]]:
    """The notices by the object that each is about."""
    found: dict[str, list[Notice]] = {}
    for notice in notices:
        found.setdefault(notice.uid, []).append(notice)
    return {uid: tuple(each) for uid, each in found.items()}
