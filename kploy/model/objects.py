"""Kubernetes objects: which one is meant, what it says, how it is."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from kploy.model.frozen import dataclass

Body = Mapping[str, Any]
"""A Kubernetes object as JSON data: what a manifest says, or what the API server answers."""

JsonPath = tuple[str | int, ...]
"""The way to a value inside a body: ``("spec", "ports", 0, "port")``."""


class ObjectRef(NamedTuple):
    """Which object is meant.

    The API version is left out on purpose: one Deployment read through two
    versions of its API is one object. ``namespace`` is "" for what is
    cluster-wide. A tuple, because nearly everything is looked up by it: tuples
    hash and compare without running any Python.
    """

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """``deployment/web``, as people say it."""
        return f"{self.kind.lower()}/{self.name}"

    @property
    def qualified(self) -> str:
        """``deployment.apps/web``, as kubectl takes it."""
        suffix = f".{self.group}" if self.group else ""
        return f"{self.kind.lower()}{suffix}/{self.name}"


@dataclass(frozen=True, slots=True)
class Resource:
    """Where the API server keeps objects of one kind.

    ``plural`` is the path segment (``deployments``), ``version`` the one to
    talk to the server in (``v1``).
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        """``apps/v1``, or ``v1`` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version


class State(StrEnum):
    """How an object is, in the words of kstatus (sigs.k8s.io/cli-utils)."""

    IN_PROGRESS = "in-progress"
    CURRENT = "current"
    FAILED = "failed"
    TERMINATING = "terminating"
    NOT_FOUND = "not-found"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of the wanted parts (pods, completions, endpoints) are ready.

    ``wanted`` is None where no number is promised, as for the endpoints of a
    Service; ``unit`` names the parts where they are not pods.
    """

    ready: int
    wanted: int | None
    unit: str = ""

    def __str__(self) -> str:
        """``2/3``, or ``3 ep``."""
        number = str(self.ready) if self.wanted is None else f"{self.ready}/{self.wanted}"
        return f"{number} {self.unit}".rstrip()


class Grade(StrEnum):
    """What may become of it if one only waits."""

    FATAL = "fatal"
    """It does not mend itself."""

    SUSPECTED = "suspected"
    """It has mended itself often enough; if it holds for its grace, it will not."""

    TRANSIENT = "transient"
    """It is on the way, or somebody tries again."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an object is not what it should be.

    ``reason`` is the word that Kubernetes has for it (``ImagePullBackOff``),
    ``message`` a sentence for people. ``path`` leads to what it comes from, in
    the object itself: to an image, a probe, a limit. ``grace`` is for how many
    seconds something suspected must hold; ``pods`` are the names of those that have it.
    """

    reason: str
    message: str
    grade: Grade
    path: JsonPath = ()
    grace: float = 0.0
    container: str = ""
    pods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """How an object is, why, and how far along. ``cause``: what keeps it from being more, if that is known."""

    state: State
    message: str = ""
    counts: Counts | None = None
    cause: Cause | None = None


def group_of(api_version: str) -> str:
    """``apps`` of ``apps/v1``, "" of ``v1``."""
    return api_version.rpartition("/")[0]


def version_of(api_version: str) -> str:
    """``v1`` of ``apps/v1`` and of ``v1``."""
    return api_version.rpartition("/")[2]
