"""What is kept of an app on the real API server, however large, and what a killed run leaves of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from kploy.cluster.adapter import ApiServer
from kploy.cluster.connection import Choice, connect
from kploy.core.inventory import Entry, Inventory, Phase
from kploy.engine.store import CONFIG_MAPS, Store
from kploy.model.app import App, Kployfile
from kploy.model.errors import LockLost, Refused
from kploy.model.objects import ObjectRef
from kploy.sandbox import Sandbox
from kploy.sandbox.api import Api, api_of

pytestmark = pytest.mark.cluster

NAMES = {"kploy-shop-objects-1-0", "kploy-shop-objects-1-1"}


def free() -> None:
    """Nobody holds the lock but us."""


@pytest.fixture
def app(cluster: Sandbox) -> App:
    """An app in a namespace of its own, which is there."""
    namespace = f"test-{uuid4().hex[:12]}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    assert api_of(cluster).request("POST", "/api/v1/namespaces", body).code == 201
    return App("", Kployfile("shop", namespace), ())


@pytest.fixture
def store(cluster: Sandbox, app: App) -> Iterator[Callable[..., Store]]:
    """Makes stores of the app."""
    api = ApiServer(connect(Choice(kubeconfig=str(cluster.kubeconfig))))
    yield lambda guard=free: Store(api, app, guard)
    api.close()


@pytest.fixture
def admin(cluster: Sandbox) -> Api:
    """Looks and changes past kploy."""
    return api_of(cluster)


def inventory(app: App, number: int, epoch: int = 1) -> Inventory:
    """An inventory of so many objects with names as long as they may be."""
    refs = [
        ObjectRef("", "ConfigMap", app.kployfile.namespace, f"{index:05}-" + "x" * 150) for index in range(number)
    ]
    return Inventory(
        app.id, epoch, Phase.DEPLOYED, 0, tuple(Entry(ref, CONFIG_MAPS, str(uuid4())) for ref in refs)
    )


def parts(admin: Api, app: App, kind: str = "configmaps") -> set[str]:
    items = admin.get(f"/api/v1/namespaces/{app.kployfile.namespace}/{kind}")["items"]
    return {name for item in items if (name := item["metadata"]["name"]).startswith("kploy-shop-")}


def test_a_small_inventory_is_one_object(app: App, store: Callable[..., Store], admin: Api) -> None:
    small = inventory(app, 20)
    store().write(small, None)
    found = store().read()
    assert found is not None
    assert (found.inventory, found.shards) == (small, ())
    assert parts(admin, app) == set()


def test_a_large_inventory_is_kept_in_parts_and_old_parts_go(
    app: App, store: Callable[..., Store], admin: Api
) -> None:
    large = inventory(app, 5000)
    stored = store().write(large, None)
    assert parts(admin, app) >= NAMES
    found = store().read()
    assert found is not None
    assert found == stored
    assert found.inventory == large
    larger = inventory(app, 5001, epoch=2)
    again = store().write(larger, found)
    assert parts(admin, app) == set(again.shards)
    assert not parts(admin, app) & NAMES
    small = inventory(app, 3, epoch=3)
    store().write(small, again)
    assert parts(admin, app) == set()


@pytest.mark.parametrize("is_edited", [False, True], ids=["gone", "edited"])
def test_a_part_that_is_gone_or_was_changed_makes_the_inventory_unusable(
    app: App, store: Callable[..., Store], admin: Api, is_edited: bool
) -> None:
    store().write(inventory(app, 5000), None)
    path = f"/api/v1/namespaces/{app.kployfile.namespace}/configmaps/kploy-shop-objects-1-1"
    if is_edited:
        body = dict(admin.get(path))
        body["data"]["objects"] = "".join(body["data"]["objects"].splitlines(keepends=True)[1:])
        assert admin.request("PUT", path, body).code == 200
    else:
        assert admin.request("DELETE", path).code == 200
    why = "was changed" if is_edited else "is gone"
    with pytest.raises(Refused, match=f"its part configmap/kploy-shop-objects-1-1 {why}") as refused:
        store().read()
    assert refused.value.hint.startswith("kploy repair")


class _Killed(Exception):
    """The process is no more."""


def test_what_a_run_left_that_was_killed_before_the_root_is_written_over(
    app: App, store: Callable[..., Store], admin: Api
) -> None:
    writes = 0

    def guard() -> None:
        nonlocal writes
        writes += 1
        if writes == 2:
            raise _Killed

    first = store().write(inventory(app, 2), None)
    with pytest.raises(_Killed):
        store(guard).write(inventory(app, 5000, epoch=2), first)
    found = store().read()
    assert found is not None
    assert found == first
    assert parts(admin, app) == {"kploy-shop-objects-2-0"}
    large = inventory(app, 5000, epoch=2)
    written = store().write(large, found)
    assert store().read() == written
    assert written.inventory == large


def test_who_does_not_hold_the_lock_writes_nothing(app: App, store: Callable[..., Store]) -> None:
    def guard() -> None:
        raise LockLost("lost", "")

    with pytest.raises(LockLost):
        store(guard).write(inventory(app, 2), None)
    with pytest.raises(LockLost):
        store(guard).save_revision(1, b"pack")
    assert store().read() is None
    assert store().revisions() == ()


def test_an_inventory_that_somebody_else_wrote_is_never_overwritten(app: App, store: Callable[..., Store]) -> None:
    first = store().write(inventory(app, 2), None)
    theirs = store().write(inventory(app, 3, epoch=2), first)
    with pytest.raises(Refused, match="somebody changed the inventory"):
        store().write(inventory(app, 4, epoch=2), first)
    with pytest.raises(Refused, match="somebody changed the inventory"):
        store().write(inventory(app, 4, epoch=3), None)
    assert store().read() == theirs


def test_our_own_writing_is_known_again_though_its_answer_was_lost(app: App, store: Callable[..., Store]) -> None:
    first = store().write(inventory(app, 2), None)
    second = inventory(app, 3, epoch=2)
    written = store().write(second, first)
    assert store().write(second, first) == written


def test_a_large_revision_is_kept_in_chunks_and_all_of_them_go(
    app: App, store: Callable[..., Store], admin: Api
) -> None:
    pack = os.urandom(2 * 1024 * 1024)
    store().save_revision(7, pack)
    assert parts(admin, app, "secrets") == {"kploy-shop-r7", "kploy-shop-r7-1", "kploy-shop-r7-2"}
    assert store().revision(7) == pack
    assert store().revisions() == (7,)
    secret = admin.get(f"/api/v1/namespaces/{app.kployfile.namespace}/secrets/kploy-shop-r7")
    assert (secret["immutable"], secret["type"]) == (True, "kploy.dev/revision")
    store().drop_revision(7)
    assert parts(admin, app, "secrets") == set()


def test_a_revision_that_was_cut_off_is_not_whole_and_is_written_over(store: Callable[..., Store]) -> None:
    writes = 0

    def guard() -> None:
        nonlocal writes
        writes += 1
        if writes == 2:
            raise _Killed

    pack = os.urandom(2 * 1024 * 1024)
    with pytest.raises(_Killed):
        store(guard).save_revision(1, pack)
    with pytest.raises(Refused, match="revision 1 cannot be used: secret/kploy-shop-r1 is gone"):
        store().revision(1)
    other = os.urandom(2 * 1024 * 1024)
    store().save_revision(1, other)
    assert store().revision(1) == other


def test_nothing_is_left_when_all_is_dropped_but_what_is_not_ours(
    app: App, store: Callable[..., Store], admin: Api
) -> None:
    store().write(inventory(app, 5000), None)
    store().save_revision(1, b"pack")
    path = f"/api/v1/namespaces/{app.kployfile.namespace}/configmaps"
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kploy-shop-objects-9-9"}}
    assert admin.request("POST", path, theirs).code == 201
    store().drop_all()
    assert parts(admin, app) == {"kploy-shop-objects-9-9"}
    assert parts(admin, app, "secrets") == set()
    assert store().read() is None
