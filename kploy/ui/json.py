"""Events and listings as JSON, for other programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from types import TracebackType
from typing import Any, Self

from kploy.core.picture import Picture
from kploy.model import events
from kploy.model.history import AppHistory, Record, RevisionDiff
from kploy.model.listing import AppListing
from kploy.model.objects import ObjectRef
from kploy.model.plan import FieldChange
from kploy.model.report import Outcome
from kploy.ui.streams import is_complete, steadfast, tell_at_once

API_VERSION = "kploy.dev/v1"
"""Which shape the JSON has. A field that goes or changes its meaning needs another version; a new one does not."""


class JsonDisplay:
    """Writes a JSON object for each event to stdout, a line each, as soon as it happens."""

    def __init__(self) -> None:
        self._stdout = steadfast(sys.stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        return

    @property
    def is_complete(self) -> bool:
        """Whether everything is on stdout."""
        return is_complete(self._stdout)

    def show(self, event: events.Event) -> None:
        """Write one event."""
        self._stdout.write(as_json(event_document(event)) + "\n")
        self._stdout.flush()

    def note(self, text: str) -> None:
        """Say something that is no event, on stderr. May be called from a signal handler."""
        tell_at_once(f"{text}\n")

    last_words = note


def as_json(document: Any, indent: int | None = None) -> str:
    r"""JSON data as text in ASCII, in which no CI runner finds an order: ``##[`` is written ``##\u005b``."""
    return json.dumps(document, indent=indent).replace("##[", r"##\u005b")


def event_document(event: events.Event) -> dict[str, Any]:
    """An event as JSON data: apiVersion, its name as kind, and its fields."""
    return {"apiVersion": API_VERSION, "kind": type(event).__name__, **_fields(event)}


def listing_document(listing: AppListing) -> dict[str, Any]:
    """A listing as JSON data: apiVersion, kind AppListing, and ``rows``, one for each object."""
    return {"apiVersion": API_VERSION, "kind": "AppListing", **_fields(listing)}


def history_document(history: AppHistory) -> dict[str, Any]:
    """A history as JSON data: apiVersion, kind AppHistory, and ``revisions``, newest first."""
    document = {"apiVersion": API_VERSION, "kind": "AppHistory", **_fields(history)}
    del document["records"]
    return {**document, "revisions": [_revision(record) for record in history.records]}


def revision_diff_document(diff: RevisionDiff) -> dict[str, Any]:
    """What a revision changed as JSON data: apiVersion, kind RevisionDiff, ``revision``, and ``changes``."""
    return {
        "apiVersion": API_VERSION,
        "kind": "RevisionDiff",
        "app": diff.app,
        "revision": _revision(diff.record),
        "against": diff.against,
        "note": diff.note,
        "changes": [_plain(change) for change in diff.plan.changes],
    }


def _revision(record: Record) -> dict[str, Any]:
    at = datetime.fromtimestamp(record.at, UTC).isoformat(timespec="seconds") if record.at else None
    return {**_fields(record), "at": at, "changes": dict(record.changes)}


def picture_document(picture: Picture, app: str) -> dict[str, Any]:
    """A dependency graph as JSON data: apiVersion, kind Graph, ``stops``, and ``waits`` between their ids."""
    return {"apiVersion": API_VERSION, "kind": "Graph", "app": app, **_fields(picture)}


def _fields(data: Any) -> dict[str, Any]:
    return {_camel(field.name): _plain(getattr(data, field.name)) for field in fields(data)}


def _plain(value: Any) -> Any:
    """``value`` as JSON data. Enums are their values, refs their parts and both their names."""
    match value:
        case Outcome():
            return {"exitCode": int(value), "name": value.name.lower().replace("_", "-")}
        case ObjectRef():
            return {**value._asdict(), "id": value.qualified}
        case FieldChange():
            # What an object says is passed on as it is: its numbers are not ours to round.
            return {**_fields(value), "before": value.before, "after": value.after}
        case Enum():
            return value.value
        case float():
            return round(value, 3)
        case tuple() | list():
            return [_plain(item) for item in value]
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case _:
            return _fields(value) if is_dataclass(value) else value


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.title, rest))
