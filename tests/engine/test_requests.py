"""How much is asked of the API server: a regression shows in the count, not on a clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from benchmarks.generate import OBJECTS, change, generate
from kploy.cluster.adapter import ApiServer
from kploy.cluster.port import Cluster
from kploy.cluster.transport import Request, Transport
from kploy.engine.carrier import Inbox
from kploy.engine.pipeline import dryrun
from kploy.engine.prepare import prepare
from kploy.engine.run import run
from kploy.engine.status import listing_of
from kploy.model.events import Finished
from kploy.model.report import Outcome
from tests.fakes import Call, RecordingCluster

pytestmark = pytest.mark.cluster

KINDS = ("ConfigMap", "Deployment", "Secret", "Service", "ServiceAccount")


def asked(api: ApiServer, what: Callable[[Cluster], object]) -> list[Call]:
    recording = RecordingCluster(api)
    what(recording)
    return recording.calls


@pytest.fixture
def on_the_wire(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of all requests that are sent, tries and discovery included."""
    paths: list[str] = []
    send = Transport._asked  # noqa: SLF001 - there each one comes by

    def noted(transport: Transport, request: Request, *rest: Any) -> Any:
        paths.append(request.path)
        return send(transport, request, *rest)

    monkeypatch.setattr(Transport, "_asked", noted)
    return paths


def deployed(root: Path, cluster: Cluster) -> None:
    *_, last = run(root, lambda _: cluster, 60, Inbox())
    assert isinstance(last, Finished)
    assert last.outcome is Outcome.DONE


def listed(root: Path, cluster: Cluster) -> None:
    prepared = prepare(root)
    assert prepared.app is not None
    assert len(listing_of(prepared.app, prepared.graph, cluster).rows) > 0


def counted(calls: list[Call]) -> Counter[tuple[str, str]]:
    return Counter((call.method, call.kind) for call in calls)


OF_EACH_KIND = {("list", kind): 1 for kind in KINDS}


@pytest.mark.usefixtures("nothing_takes_long")
@pytest.mark.parametrize("services", [2, 5])
def test_the_number_of_requests_is_that_of_what_changes(api: ApiServer, tmp_path: Path, services: int) -> None:
    root = tmp_path / "app"
    generate(root, services, f"test-{uuid4().hex[:8]}")
    objects = services * OBJECTS
    first = asked(api, lambda cluster: deployed(root, cluster))
    # The namespace is rehearsed and then made; the lock, the inventory and the revision are the other writes.
    assert sum(call.method == "apply" and call.dry_run for call in first) == objects + 1
    written = [call for call in first if call.method in {"apply", "create", "replace"} and not call.dry_run]
    assert counted(written) == {
        **{("apply", kind): services for kind in KINDS},
        ("create", "Namespace"): 1,
        ("create", "Lease"): 1,
        ("create", "Secret"): 1,
        ("create", "ConfigMap"): 1,
        ("replace", "ConfigMap"): 1,
        ("replace", "Lease"): 1,
    }
    assert len(first) - len(written) - objects - 1 <= 16
    assert counted(asked(api, lambda cluster: deployed(root, cluster))) == {
        **OF_EACH_KIND,
        ("get", "Namespace"): 2,
        ("may", "*"): 1,
        ("get", "Lease"): 1,
        ("get", "ConfigMap"): 1,
        ("list", "EndpointSlice"): 1,
    }
    assert counted(asked(api, lambda cluster: list(dryrun(root, lambda _: cluster)))) == {
        **OF_EACH_KIND,
        ("list", "Node"): 1,
        ("get", "Namespace"): 1,
        ("may", "*"): 1,
        ("get", "ConfigMap"): 1,
    }
    assert counted(asked(api, lambda cluster: listed(root, cluster))) == {
        **OF_EACH_KIND,
        ("get", "ConfigMap"): 1,
        ("list", "EndpointSlice"): 1,
    }


@pytest.mark.parametrize(
    "command",
    [deployed, lambda root, cluster: list(dryrun(root, lambda _: cluster)), listed],
    ids=["run", "dryrun", "list"],
)
def test_where_nothing_is_to_be_done_nothing_is_sent_but_these_requests_and_the_question_for_the_version(
    api: ApiServer, tmp_path: Path, on_the_wire: list[str], command: Callable[[Path, Cluster], object]
) -> None:
    root = tmp_path / "app"
    generate(root, 2, f"test-{uuid4().hex[:8]}")
    deployed(root, api)
    on_the_wire.clear()
    calls = asked(api, lambda cluster: command(root, cluster))
    assert len(on_the_wire) == len(calls) + 1
    assert on_the_wire.count("/version") == 1


def test_one_change_costs_the_same_however_large_the_app_is(api: ApiServer, tmp_path: Path) -> None:
    costs = []
    for services in (2, 5):
        root = tmp_path / f"app-{services}"
        generate(root, services, f"test-{uuid4().hex[:8]}")
        deployed(root, api)
        change(root)
        calls = asked(api, lambda cluster, root=root: deployed(root, cluster))  # type: ignore[misc]
        costs.append(Counter((call.method, call.kind, call.dry_run) for call in calls if call.method != "watch"))
    small, large = costs
    assert small["apply", "ConfigMap", False] == 1
    # Whether something was looked at once more depends on how long it took.
    assert max(times for call, times in large.items() if call[0] == "list") <= 3
    assert {call: times for call, times in small.items() if call[0] != "list"} == {
        call: times for call, times in large.items() if call[0] != "list"
    }
