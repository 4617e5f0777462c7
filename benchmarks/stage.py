"""Where the programs deploy to: a sandbox of the bench's own, one fresh namespace after the other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.stopwatch import Failed
from kploy import sandbox
from kploy.sandbox.api import Api, api_of
from kploy.sandbox.errors import NotAnswering

NAME = "bench"
_ROOT = Path(__file__).parents[1]
_PATIENCE = 900.0


class Occupied(Exception):
    """There is a sandbox of the bench's name already."""


class Stage:
    """A running sandbox, and ``folder`` for what is written to disk.

    What the sandbox does not do in time raises Failed, as what a program does not do.
    """

    def __init__(self, cluster: sandbox.Sandbox, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder
        self.api: Api = api_of(cluster)
        self._count = 0

    def fresh_namespace(self) -> str:
        """A namespace that is empty and has what every namespace gets; the one before is gone."""
        if self._count:
            self._clear(self._namespace)
        self._count += 1
        path = f"/api/v1/namespaces/{self._namespace}"
        name = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self._namespace}}
        _await_that(lambda: self.api.request("POST", "/api/v1/namespaces", name).code in {201, 409})
        _await_that(lambda: bool(self.api.get(f"{path}/serviceaccounts/default")))
        _await_that(lambda: bool(self.api.get(f"{path}/configmaps/kube-root-ca.crt")))
        return self._namespace

    def _clear(self, namespace: str) -> None:
        """Delete a namespace. Its pods go first: for their sake Kubernetes would look again only much later."""
        core, apps = f"/api/v1/namespaces/{namespace}", f"/apis/apps/v1/namespaces/{namespace}"

        def empty() -> bool:
            for path in (f"{apps}/deployments", f"{apps}/replicasets", f"{core}/pods"):
                self.api.request("DELETE", f"{path}?limit=100&gracePeriodSeconds=0")
            return not self.api.get(f"{core}/pods?limit=1").get("items")

        _await_that(empty)
        _await_that(lambda: self.api.request("DELETE", core).code == 404)

    def fresh_folder(self) -> Path:
        """Where the app for that namespace may be written; it is not there yet."""
        return self.folder / self._namespace

    def environment(self, program: str) -> dict[str, str]:
        """What a program may see: a home of its own, which keeps its caches, and the kploy of this tree."""
        home = self.folder / "homes" / program
        home.mkdir(parents=True, exist_ok=True)
        return {"HOME": str(home), "PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": str(_ROOT)}

    @property
    def _namespace(self) -> str:
        return f"bench-{self._count}"


@contextmanager
def staged(folder: Path, name: str = NAME) -> Iterator[Stage]:
    """A new stage, which is taken down however the block is left. Raises Occupied."""
    if sandbox.find(name):
        raise Occupied(
            f"there is a sandbox {name} already. If no other bench runs: kploy sandbox down --name {name}"
        )
    try:
        folder.mkdir(exist_ok=True)
        yield Stage(sandbox.up(name), folder)
    finally:
        sandbox.down(name)


def _await_that(probe: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _holds(probe):
        if time.monotonic() > deadline:
            raise Failed("the sandbox did not get a namespace ready, or rid of it, in time")
        time.sleep(0.1)


def _holds(probe: Callable[[], bool]) -> bool:
    """What the probe says. On a busy machine there may be no answer in time: then it is asked again."""
    try:
        return probe()
    except NotAnswering:
        return False
