"""The programs that are measured, and how each is called for each deed.

Each waits for the same as far as it can: all pods of all Deployments are ready, and
all Services have endpoints. kubectl and Helm do not look at endpoints.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from benchmarks.generate import generate, generate_chart, generate_manifests
from kploy.model.frozen import dataclass


class Deed(StrEnum):
    """What is measured, in the order in which it is done."""

    FIRST = "first deploy"
    AGAIN = "again, nothing changed"
    DRYRUN = "dryrun, nothing changed"
    LIST = "list"
    CHANGED = "one object changed"
    HELP = "--help"
    COMPLETION = "completion"


Command = tuple[str | Path, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where to deploy from and to: the app's directory, and a namespace that is there and empty."""

    directory: Path
    kubeconfig: Path
    namespace: str


class Program:
    """A program that deploys; ``binary`` is how it is started."""

    name = ""
    deeds: tuple[Deed, ...] = (Deed.FIRST, Deed.AGAIN, Deed.CHANGED)

    def __init__(self, binary: Path) -> None:
        self.binary = binary

    def prepare(self, place: Place, services: int) -> None:
        """Write the app as this program wants it."""
        generate_manifests(place.directory, services)

    def commands(self, place: Place, deed: Deed) -> tuple[Command, ...]:
        """What a deed consists of, one after the other."""
        raise NotImplementedError


class Limit(Program):
    """What a deploy cannot do without. See programs/limit."""

    name = "limit"

    def commands(self, place: Place, deed: Deed) -> tuple[Command, ...]:  # noqa: ARG002 -- they are all one to it
        flags = ("-kubeconfig", place.kubeconfig, "-namespace", place.namespace)
        return ((self.binary, *flags, place.directory),)


class Kploy(Program):
    """The kploy of this tree; ``binary`` is the Python it runs on."""

    name = "kploy"
    deeds = (Deed.FIRST, Deed.AGAIN, Deed.DRYRUN, Deed.LIST, Deed.CHANGED)

    def prepare(self, place: Place, services: int) -> None:
        generate(place.directory, services, place.namespace)

    def commands(self, place: Place, deed: Deed) -> tuple[Command, ...]:
        words = {Deed.DRYRUN: ("dryrun",), Deed.LIST: ("list",)}.get(deed, ("run", "--timeout", "15m"))
        return ((self.binary, "-m", "kploy", *words, place.directory, "--kubeconfig", place.kubeconfig),)


class Kubectl(Program):
    """Server-side apply, then a look at each Deployment."""

    name = "kubectl"

    def commands(self, place: Place, deed: Deed) -> tuple[Command, ...]:  # noqa: ARG002 -- they are all one to it
        kubectl = (self.binary, "--kubeconfig", place.kubeconfig, "--namespace", place.namespace)
        files = ("--recursive", "--filename")
        return (
            (*kubectl, "apply", "--server-side", *files, place.directory),
            (*kubectl, "rollout", "status", "--timeout=15m", *files, place.directory / "rcs"),
        )


class Helm(Program):
    """A release, and its own wait. It asks slowly unless it is told how quickly it may."""

    name = "helm"

    def prepare(self, place: Place, services: int) -> None:
        generate_chart(place.directory, services)

    def commands(self, place: Place, deed: Deed) -> tuple[Command, ...]:  # noqa: ARG002 -- they are all one to it
        flags = ("--kubeconfig", place.kubeconfig, "--namespace", place.namespace)
        pace = ("--qps=1000", "--burst-limit=2000")
        words = ("upgrade", "bench", place.directory, "--install", "--wait", "--timeout=15m")
        return ((self.binary, *words, *flags, *pace),)


def subjects(binaries: Mapping[str, Path]) -> tuple[Program, ...]:
    """What is measured at every size: the limit, and kploy."""
    return (Limit(binaries["limit"]), Kploy(Path(sys.executable)))


def peers(binaries: Mapping[str, Path]) -> tuple[Program, ...]:
    """What others use instead."""
    return (Kubectl(binaries["kubectl"]), Helm(binaries["helm"]))
