"""The lock of an app on the real API server, by a clock of its own: no test waits for a Lease to run out."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from queue import Empty
from uuid import uuid4

import pytest

from kploy.cluster.adapter import ApiServer
from kploy.cluster.port import Cluster
from kploy.core.lease import DURATION, LEASES, TRUSTED, Lease, lease_of, renewed
from kploy.engine.carrier import Inbox, Message
from kploy.engine.lock import Lock
from kploy.model.app import App
from kploy.model.errors import LockLost
from kploy.model.events import Noted
from kploy.model.holder import Holder
from kploy.model.objects import Body, Resource
from kploy.sandbox import Sandbox
from kploy.sandbox.api import api_of
from tests.fakes import RecordingCluster
from tests.makers import app_of

pytestmark = pytest.mark.cluster

ADA = Holder("run-1", "ada@laptop", "kploy run", "boot-1", "pid:[1]", 4711, "1")
BOB = Holder("run-2", "bob@desk", "kploy run", "boot-2", "pid:[1]", 4711, "1")

WAITS = Noted(f"waiting for the lock, held by {ADA}")


class Clock:
    """Stands still but for who waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Patient(Inbox):
    """Gets nothing, and lets the time pass at once. ``meanwhile`` says what happens at the end of which wait."""

    def __init__(self, clock: Clock, meanwhile: Mapping[int, Callable[[], object]] | None = None) -> None:
        super().__init__()
        self._clock = clock
        self._meanwhile = meanwhile or {}
        self.waits: list[float] = []

    def get(self, block: bool = True, timeout: float | None = None) -> Message:  # noqa: ARG002 - SimpleQueue's signature
        assert timeout is not None
        self._clock.now += timeout
        self.waits.append(timeout)
        self._meanwhile.get(len(self.waits), lambda: None)()
        raise Empty


class Stopped(RecordingCluster):
    """Takes the Lease, and then lets no renewal through until it ``goes_on``, as if the process stood still."""

    def __init__(self, real: Cluster) -> None:
        super().__init__(real)
        self.goes_on = threading.Event()

    def replace(self, resource: Resource, body: Body) -> Body:
        self.goes_on.wait(60)
        return super().replace(resource, body)


@pytest.fixture
def app(cluster: Sandbox) -> App:
    """An app in a namespace of its own, which is there."""
    namespace = f"test-{uuid4().hex[:12]}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    assert api_of(cluster).request("POST", "/api/v1/namespaces", body).code == 201
    return app_of(namespace=namespace)


def lease(api: ApiServer, app: App) -> Lease:
    body = api.get(LEASES, app.kployfile.namespace, "kploy-shop")
    assert body is not None
    return lease_of(body)


def test_a_holder_elsewhere_that_stands_still_is_taken_over_when_its_lease_has_run_out_and_writes_no_more(
    api: ApiServer, app: App
) -> None:
    clock = Clock()
    stopped = Stopped(api)
    first = Lock(stopped, app, ADA, Inbox(), clock)
    assert list(first.take(math.inf)) == []
    inbox = Patient(clock, {2: first.guard})
    second = Lock(api, app, BOB, inbox, clock)
    assert list(second.take(math.inf)) == [WAITS]
    assert sum(inbox.waits) == DURATION
    second.guard()
    with pytest.raises(LockLost, match="could not be kept"):
        first.guard()
    taken = lease(api, app)
    assert (taken.holder, taken.transitions) == (BOB, 1)
    stopped.goes_on.set()
    first.release()
    assert lease(api, app) == taken
    second.release()
    assert lease(api, app).holder is None


def test_a_holder_stops_writing_well_before_others_may_take_over(api: ApiServer, app: App) -> None:
    clock = Clock()
    stopped = Stopped(api)
    lock = Lock(stopped, app, ADA, Inbox(), clock)
    assert list(lock.take(math.inf)) == []
    clock.now += TRUSTED - 1
    lock.guard()
    clock.now += 1
    with pytest.raises(LockLost):
        lock.guard()
    lock.release()
    assert lease(api, app).holder == ADA
    stopped.goes_on.set()


def test_a_holder_elsewhere_that_renews_is_waited_for_anew(api: ApiServer, app: App) -> None:
    clock = Clock()
    stopped = Stopped(api)
    first = Lock(stopped, app, ADA, Inbox(), clock)
    assert list(first.take(math.inf)) == []
    inbox = Patient(clock, {3: lambda: api.replace(LEASES, renewed(lease(api, app), 0.0))})
    second = Lock(api, app, BOB, inbox, clock)
    assert list(second.take(math.inf)) == [WAITS]
    assert sum(inbox.waits) == sum(inbox.waits[:3]) + DURATION
    stopped.goes_on.set()
    first.release()
    second.release()
