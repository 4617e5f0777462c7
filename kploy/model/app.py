"""The app: a Kployfile and the manifests beside it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import field
from enum import StrEnum
from functools import cache

from kploy.model.findings import Finding, OnePlace, Place, Positions
from kploy.model.frozen import dataclass
from kploy.model.objects import Body, ObjectRef

LABEL = "kploy.dev/app"
"""The label on every object that kploy deploys; its value is the app's id."""

STATE_OF = "kploy.dev/state-of"
"""The label on what kploy keeps for itself: inventory, lock and revisions; its value is the app's id."""

KEEP = "kploy.dev/keep"
"""The annotation (or label) that keeps an object from being deleted, if it is "true"."""

MAX_UNAVAILABLE = "kploy.dev/max-unavailable"
"""The annotation of a ReplicationController that says how many of its pods may be missing at a time: 2, or 25%."""

RESTART_ON_CONFIG = "kploy.dev/restart-on-config"
"""The annotation of a workload that keeps its pods running when what they read changes, if it is "false"."""

CONFIG_HASH = "kploy.dev/config-hash"
"""The annotation on pod templates that changes with the ConfigMaps and Secrets of the app that the pods read."""

CONFIG_SALT = "kploy.dev/config-salt"
"""The annotation on a Secret with which what is in it is hashed."""

MADE_FOR = "kploy.dev/made-for"
"""The annotation on a namespace that kploy made; its value is the id of the app that it was made for."""

DEPENDS_ON = "kploy.dev/depends-on"
"""The annotation that names what an object waits for."""

IGNORE = "kploy.dev/ignore"
"""The annotation that names the rules which an object need not follow."""


class Directory(StrEnum):
    """The directory a manifest lies in, which says what it is for."""

    RCS = "rcs"
    SERVICES = "services"
    RESOURCES = "resources"
    ENV = "env"


class Switch(StrEnum):
    """What becomes of the findings of a rule."""

    IGNORE = "ignore"
    WARNING = "warning"
    ERROR = "error"


Switches = tuple[tuple[str, Switch], ...]
"""Pairs of a rule's id and what becomes of its findings."""


@dataclass(frozen=True, slots=True)
class ReadinessRule:
    """How objects of a kind say that they are ready, or have failed, as the Kployfile has it.

    ``kind`` is ``Kind.group``. Of ``ready`` all must hold, of ``failed`` one; none of
    ``ready`` leaves it to what holds for the kind anyhow. ``message`` is where it says why.
    See core.readiness_rules for how they are written.
    """

    kind: str
    ready: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class Kployfile:
    """Who, where, and under which promises. Every key is in kployfile.schema.json.

    ``apiserver`` and ``context`` pin the cluster; None means no pin.
    ``rules`` are the switches that are valid; rules left out stay what they are.
    ``readiness`` are the valid rules of readiness, each for another kind.
    """

    name: str
    namespace: str = "default"
    author: str = ""
    source: str = ""
    apiserver: str | None = None
    context: str | None = None
    cache_remotes: bool = False
    rules: Switches = ()
    readiness: tuple[ReadinessRule, ...] = ()
    positions: Positions = field(default=OnePlace(Place("Kployfile", 1, 1)), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object as the app directory wants it.

    ``body`` is what the file says, nothing added. ``file`` is relative to
    the app directory, with forward slashes; for what is made of env/ it is
    ``env/``.
    """

    ref: ObjectRef
    api_version: str
    body: Body = field(repr=False, hash=False)
    file: str
    directory: Directory
    positions: Positions = field(repr=False, compare=False)

    @property
    def is_implied(self) -> bool:
        """Whether it is the namespace that the Kployfile names. It may be shared, so it carries no app's label."""
        return self.file == "Kployfile"


@dataclass(frozen=True, slots=True)
class App:
    """An app directory, read. ``root`` is its absolute path."""

    root: str
    kployfile: Kployfile
    manifests: tuple[Manifest, ...]

    @property
    def id(self) -> str:
        """Names the app in labels and as field manager: unique by name and namespace.

        At most 63 characters and a valid label value; it starts with the
        app's name so that people recognise it.
        """
        return app_id(self.kployfile.name, self.kployfile.namespace)

    @property
    def field_manager(self) -> str:
        """One field manager per app, so that two apps that claim one object conflict."""
        return field_manager(self.id)


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading a directory: the app as far as it is legible, and the findings.

    ``app`` is None when the Kployfile itself could not be read. ``files``
    counts the manifest files that were looked at.
    """

    app: App | None
    findings: tuple[Finding, ...]
    files: int = 0


def state_name(kployfile: Kployfile) -> str:
    """The name of the objects in which kploy keeps the state of an app; revisions have ``-rN`` besides.

    ``kploy-NAME`` where the name of the app can be part of such a name, else by its id.
    """
    is_plain = re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", kployfile.name)
    return f"kploy-{kployfile.name if is_plain else app_id(kployfile.name, kployfile.namespace)}"


def field_manager(app_id: str) -> str:
    """The field manager of the app with this id."""
    return f"kploy-{app_id}"


@cache
def app_id(name: str, namespace: str) -> str:
    """The id of the app ``name`` in ``namespace``: a readable stem and a hash of both."""
    digest = hashlib.sha256(f"{namespace}/{name}".encode()).hexdigest()[:10]
    stem = re.sub(r"[^a-z0-9-]+", "-", name.lower())[:40].strip("-")
    return f"{stem}-{digest}" if stem else digest
