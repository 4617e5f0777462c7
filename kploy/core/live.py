"""Reads a live object, whatever the API server (or who claims to be it) put into it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from kploy.core.moment import Moment
from kploy.model.frozen import dataclass
from kploy.model.notices import Notice
from kploy.model.objects import Body, Counts, State, Status

_EPOCH = datetime.fromtimestamp(0, UTC)
_LIMIT = 1 << 63
"""No API has an integer of more than 64 bits."""


class Malformed(Exception):
    """A field is not of the type that its API gives it."""


@dataclass(frozen=True, slots=True)
class Related:
    """What other objects say about one.

    ``endpoint_slices`` are those of a Service. ``expects_endpoints`` is False
    when the Service selects nothing that this app runs, or its workload is at
    zero: then it is current without an endpoint. ``binds_on_use`` is True for
    a PersistentVolumeClaim whose StorageClass waits for the first consumer.
    ``pods`` are those of a workload, old ones too, None where nobody looked;
    ``replica_sets`` those of a Deployment, ``nodes`` those that a DaemonSet may
    run on. ``notices`` are the warnings about it and about its pods.
    ``is_untouched``: whoever asks has found it as it is now, and waits for it all the same.
    """

    endpoint_slices: tuple[Body, ...] = ()
    expects_endpoints: bool = True
    binds_on_use: bool = False
    pods: tuple[Body, ...] | None = None
    replica_sets: tuple[Body, ...] = ()
    nodes: tuple[Body, ...] = ()
    notices: tuple[Notice, ...] = ()
    is_untouched: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """A map inside an object. Every method raises Malformed for a value of another type; null is absent."""

    at: str
    data: Mapping[str, Any] = field(repr=False)

    def __contains__(self, key: str) -> bool:
        return self.data.get(key) is not None

    def __bool__(self) -> bool:
        return bool(self.data)

    def map(self, key: str) -> Fields:
        """The map under ``key``, an empty one if there is none."""
        return fields(self._path(key), self.data.get(key))

    def maps(self, key: str) -> tuple[Fields, ...]:
        """The list of maps under ``key``."""
        return tuple(self.each(key))

    def each(self, key: str) -> Iterator[Fields]:
        """The same one by one: what is not asked for is not read."""
        rows = self._list(key)
        at = self._path(key) if rows else ""
        return (fields(f"{at}[{i}]", item) for i, item in enumerate(rows))

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of strings under ``key``."""
        return tuple(self._text(key, item) for item in self._list(key))

    def text(self, key: str) -> str:
        """The string under ``key``, "" if there is none."""
        return self._text(key, self.data.get(key))

    def number(self, key: str, default: int = 0) -> int:
        """The integer under ``key``."""
        value = self.data.get(key)
        if value is None:
            return default
        if type(value) is not int or abs(value) >= _LIMIT:
            raise Malformed(f"{self._path(key)} is not an integer")
        return value

    def flag(self, key: str) -> bool:
        """Whether ``key`` is true."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, bool):
            raise Malformed(f"{self._path(key)} is not true or false")
        return bool(value)

    def time(self, key: str) -> float:
        """The time under ``key`` in seconds since the epoch, 0 if there is none."""
        text = self.text(key)
        if not text:
            return 0.0
        try:
            seconds = (datetime.fromisoformat(text) - _EPOCH).total_seconds()
        except (TypeError, ValueError) as exc:
            raise Malformed(f"{self._path(key)} is not a time with its zone") from exc
        return seconds

    def _list(self, key: str) -> list[Any]:
        value = self.data.get(key)
        if value is not None and not isinstance(value, list):
            raise Malformed(f"{self._path(key)} is not a list")
        return value or []

    def _text(self, key: str, value: Any) -> str:
        if value is not None and not isinstance(value, str):
            raise Malformed(f"{self._path(key)} is not a string")
        return value or ""

    def _path(self, key: str) -> str:
        return f"{self.at}.{key}" if self.at else key


def fields(at: str, value: Any) -> Fields:
    """A value that should be a map, or null for an empty one. ``at`` names it in an error."""
    if value is not None and not isinstance(value, dict):
        raise Malformed(f"{at or 'the object'} is not a map")
    return Fields(at, value or {})


class Live:
    """An object as it is at a moment, with what else there is to know. For one judgement."""

    def __init__(self, body: Fields, related: Related, moment: Moment) -> None:
        self.body = body
        self.related = related
        self.moment = moment

    @cached_property
    def metadata(self) -> Fields:
        """Its name, generation and times."""
        return self.body.map("metadata")

    @cached_property
    def spec(self) -> Fields:
        """What it should be."""
        return self.body.map("spec")

    @cached_property
    def status(self) -> Fields:
        """What its controller says of it."""
        return self.body.map("status")

    @property
    def is_observed(self) -> bool:
        """Whether its controller has seen what the spec says now."""
        return bool(self.status) and self.status.number("observedGeneration") >= self.metadata.number("generation")

    @property
    def is_behind(self) -> bool:
        """Whether its controller says itself that it has seen an older spec only."""
        return "observedGeneration" in self.status and not self.is_observed

    def condition(self, type_: str) -> Condition:
        """The condition of that type; one of status "" if there is none."""
        return condition_of(self.status, type_)


def condition_of(status: Fields, type_: str) -> Condition:
    """The condition of that type in a status; one of status "" if there is none."""
    for row in status.each("conditions"):
        if row.text("type") == type_:
            return Condition(row.text("status"), row.text("reason"), row.text("message"))
    return Condition()


def containers_of(status: Fields) -> tuple[Fields, ...]:
    """What the status of a pod tells of its containers, in the order in which they start."""
    return (*status.maps("initContainerStatuses"), *status.maps("containerStatuses"))


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a status. ``status`` is "True", "False", "Unknown", or "" where there is none."""

    status: str = ""
    reason: str = ""
    message: str = ""

    @property
    def is_true(self) -> bool:
        """Whether it holds."""
        return self.status == "True"

    @property
    def is_false(self) -> bool:
        """Whether it is said not to hold."""
        return self.status == "False"

    @property
    def why(self) -> str:
        """Its reason and message in one line."""
        return words(self.reason, self.message)


def words(*parts: str) -> str:
    """The parts that say something, joined by colons."""
    return ": ".join(part for part in parts if part)


def current(message: str = "", counts: Counts | None = None) -> Status:
    """As it should be."""
    return Status(State.CURRENT, message, counts)


def in_progress(message: str, counts: Counts | None = None) -> Status:
    """On the way."""
    return Status(State.IN_PROGRESS, message, counts)


def failed(message: str, counts: Counts | None = None) -> Status:
    """Not going to mend itself."""
    return Status(State.FAILED, message, counts)


def first(reasons: Iterable[tuple[bool, str]]) -> str:
    """The first text whose condition holds, "" if none does."""
    return next((text for holds, text in reasons if holds), "")
