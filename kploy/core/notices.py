"""Warning events, as Kubernetes' components write them down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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


def by_uid(notices: Iterable[Notice]) -> Mapping[str, tuple[Notice, ...]]:
    """The notices by the object that each is about."""
    found: dict[str, list[Notice]] = {}
    for notice in notices:
        found.setdefault(notice.uid, []).append(notice)
    return {uid: tuple(each) for uid, each in found.items()}
