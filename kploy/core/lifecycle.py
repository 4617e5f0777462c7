"""When each API of Kubernetes is deprecated, and when it goes: as scripts/vendor_lifecycle.py makes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from kploy.core.shipped import shipped
from kploy.model.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The end of one kind in one API version.

    ``deprecated`` and ``removed`` are minor versions of Kubernetes, such as
    "1.25": the first in which it is. What takes its place is in ``successor``
    (an API version) under the name ``successor_kind``. Each is "" where it is not known.
    """

    deprecated: str
    removed: str
    successor: str
    successor_kind: str


def lifecycle_of(api_version: str, kind: str) -> Lifecycle | None:
    """When a kind goes, or went, from an API version; None if no end of it is planned."""
    return _table().get((api_version, kind))


def number_of(version: str) -> tuple[int, ...]:
    """A version to compare by: ``(1, 25)`` of "1.25"."""
    return tuple(int(part) for part in version.split("."))


def is_reached(milestone: str, version: str) -> bool:
    """Whether Kubernetes ``version`` has come to ``milestone``; it never comes to ""."""
    return milestone != "" and number_of(milestone) <= number_of(version)


@cache
def _table() -> Mapping[tuple[str, str], Lifecycle]:
    rows = json.loads(shipped("kploy.core", "data/api-lifecycle.json"))
    return {(api_version, kind): Lifecycle(*row) for api_version, kind, *row in rows}
