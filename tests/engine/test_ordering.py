"""A revision that is stored may have no order by the rules of this kploy: it is refused, and nothing goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kploy.cluster.adapter import ApiServer
from kploy.engine.carrier import Inbox
from kploy.engine.ordering import order_of
from kploy.engine.run import rollback, run
from kploy.model import events
from kploy.model.app import DEPENDS_ON
from kploy.model.errors import Refused
from kploy.model.events import Event
from kploy.model.report import Outcome
from tests.engine.test_deploy import deployment, outcome, service, stuck
from tests.fakes import RecordingCluster
from tests.makers import app_of, thing

WITHOUT_CYCLES = "kploy.core.graph._cycle_through_endpoints"
WAIT = "these wait for each other, so none could start: "


def waiting(name: str, other: str) -> dict[str, Any]:
    body = deployment(name)
    return {**body, "metadata": {**body["metadata"], "annotations": {DEPENDS_ON: f"service/{other}"}}}


def deployed(root: Path, cluster: RecordingCluster, *bodies: dict[str, Any], atomic: bool = False) -> list[Event]:
    (root / "rcs").mkdir(exist_ok=True)
    (root / "rcs" / "all.yaml").write_text(yaml.safe_dump_all([service("a"), service("b"), *bodies]))
    return list(run(root, lambda _: cluster, 60.0, Inbox(), atomic=atomic))


@pytest.fixture
def root(tmp_path: Path, namespace: str) -> Path:
    (tmp_path / "Kployfile").write_text(f"name: shop\nnamespace: {namespace}\n")
    return tmp_path


@pytest.fixture
def stored(root: Path, api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> RecordingCluster:
    """A cluster with a good revision 2 in which two workloads wait for each other's Service; 3 is as 1 was."""
    cluster = RecordingCluster(api)
    plain = deployment("a"), deployment("b")
    assert outcome(deployed(root, cluster, *plain)) is Outcome.DONE
    with monkeypatch.context() as older:
        older.setattr(WITHOUT_CYCLES, lambda *_: [])
        assert outcome(deployed(root, cluster, waiting("a", "b"), waiting("b", "a"))) is Outcome.DONE
    assert outcome(deployed(root, cluster, *plain)) is Outcome.DONE
    cluster.calls.clear()
    return cluster


def test_objects_that_wait_for_each_other_have_no_order() -> None:
    one, other = thing("one", after="configmap/other"), thing("other", after="configmap/one")
    with pytest.raises(Refused, match=f"revision 7 cannot be deployed: {WAIT}"):
        order_of(app_of(one, other), "revision 7")


@pytest.mark.cluster
def test_a_rollback_to_what_has_no_order_is_refused_and_deletes_nothing(
    root: Path, stored: RecordingCluster
) -> None:
    with pytest.raises(Refused, match=f"revision 2 cannot be deployed: {WAIT}"):
        list(rollback(root, lambda _: stored, 60.0, Inbox(), 2))
    assert stored.writes == []


@pytest.mark.cluster
def test_an_atomic_run_does_not_go_back_to_what_has_no_order(
    root: Path, stored: RecordingCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(WITHOUT_CYCLES, lambda *_: [])
        assert outcome(deployed(root, stored, waiting("a", "b"), waiting("b", "a"))) is Outcome.DONE
    stored.calls.clear()
    failing = stuck("c")
    failing["spec"]["progressDeadlineSeconds"] = 1
    told = deployed(root, stored, deployment("a"), deployment("b"), failing, atomic=True)
    assert outcome(told) is Outcome.FAILED
    notes = [event.text for event in told if isinstance(event, events.Noted)]
    assert [note for note in notes if note.startswith("revision 4 cannot be deployed: ")]
    assert stored.count("delete") == {}
