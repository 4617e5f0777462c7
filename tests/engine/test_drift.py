"""What somebody changes behind kploy's back is found, though an unchanged object is not asked about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kploy.cluster.adapter import ApiServer
from kploy.core.kinds import own_resource
from kploy.core.unchanged import is_unchanged
from kploy.engine import compare
from kploy.engine.carrier import Inbox
from kploy.engine.pipeline import dryrun
from kploy.engine.run import run
from kploy.model.events import Checked, Finished, Planned
from kploy.model.objects import Body
from kploy.model.plan import Action, Change
from kploy.model.report import Outcome
from tests.fakes import RecordingCluster

pytestmark = pytest.mark.cluster

DEPLOYMENTS = own_resource("apps/v1", "Deployment")
CONFIG_MAPS = own_resource("v1", "ConfigMap")

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {tier: front}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: "ghcr.io/acme/web:1.0.0", ports: [{containerPort: 80}], args: [serve]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: flags}
data: {colour: blue}
"""


@pytest.fixture
def deployed(api: ApiServer, tmp_path: Path, namespace: str) -> Path:
    """An app that is deployed."""
    (tmp_path / "rcs").mkdir()
    (tmp_path / "Kployfile").write_text(f"name: shop\nnamespace: {namespace}\n")
    (tmp_path / "rcs/web.yaml").write_text(WEB)
    *_, last = run(tmp_path, lambda _: api, 60, Inbox())
    assert isinstance(last, Finished)
    assert last.outcome is Outcome.DONE
    return tmp_path


def plan_of(root: Path, api: Any) -> dict[str, Change]:
    (plan,) = [event.plan for event in dryrun(root, lambda _: api) if isinstance(event, Planned)]
    return {str(change.ref): change for change in plan.changes}


def patched(api: ApiServer, namespace: str, *operations: dict[str, Any], name: str = "web") -> None:
    api.patch(DEPLOYMENTS, namespace, name, operations, "kubectl-edit")


def scaled(api: ApiServer, namespace: str) -> None:
    patched(api, namespace, {"op": "replace", "path": "/spec/replicas", "value": 3})


def edited(api: ApiServer, namespace: str) -> None:
    path = "/spec/template/spec/containers/0/args/0"
    patched(api, namespace, {"op": "replace", "path": path, "value": "listen"})


def given_an_argument(api: ApiServer, namespace: str) -> None:
    patched(api, namespace, {"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--now"})


def given_another_image(api: ApiServer, namespace: str) -> None:
    path = "/spec/template/spec/containers/0/image"
    patched(api, namespace, {"op": "replace", "path": path, "value": "ghcr.io/acme/web:0.9.0"})


def relabelled(api: ApiServer, namespace: str) -> None:
    patched(api, namespace, {"op": "replace", "path": "/metadata/labels/tier", "value": "back"})


def labelled_besides(api: ApiServer, namespace: str) -> None:
    patched(api, namespace, {"op": "add", "path": "/metadata/labels/owner", "value": "ann"})


def given_a_variable(api: ApiServer, namespace: str) -> None:
    path = "/spec/template/spec/containers/0/env"
    patched(api, namespace, {"op": "add", "path": path, "value": [{"name": "DEBUG", "value": "1"}]})


def stripped_of_a_label(api: ApiServer, namespace: str) -> None:
    patched(api, namespace, {"op": "remove", "path": "/metadata/labels/tier"})


def without_its_port(api: ApiServer, namespace: str) -> None:
    patched(api, namespace, {"op": "remove", "path": "/spec/template/spec/containers/0/ports"})


def disowned(api: ApiServer, namespace: str) -> None:
    patched(api, namespace, {"op": "replace", "path": "/metadata/managedFields", "value": [{}]})


def recreated(api: ApiServer, namespace: str) -> None:
    """Deleted and made again with just the same contents, as by `kubectl replace --force`."""
    live = api.get(DEPLOYMENTS, namespace, "web")
    assert live is not None
    uid = live["metadata"]["uid"]
    api.delete(DEPLOYMENTS, namespace, "web", uid=uid)
    while (found := api.get(DEPLOYMENTS, namespace, "web")) and found["metadata"]["uid"] == uid:
        pass
    kept = {key: live["metadata"][key] for key in ("name", "namespace", "labels")}
    api.create(DEPLOYMENTS, {**live, "metadata": kept, "status": {}})


@pytest.mark.parametrize(
    "meddle",
    [scaled, edited, given_an_argument, given_another_image, relabelled],
    ids=lambda meddle: meddle.__name__,
)
def test_a_value_that_somebody_else_has_set_is_told_with_whose_it_is(
    api: ApiServer, deployed: Path, namespace: str, meddle: Callable[[ApiServer, str], None]
) -> None:
    meddle(api, namespace)
    recording = RecordingCluster(api)
    (checked,) = [event for event in dryrun(deployed, lambda _: recording) if isinstance(event, Checked)]
    (found,) = [finding for finding in checked.findings if finding.rule == "field-conflict"]
    assert "kubectl-edit" in found.message
    assert recording.count("apply")["ConfigMap"] == 0


@pytest.mark.parametrize(
    "meddle", [stripped_of_a_label, without_its_port, disowned, recreated], ids=lambda meddle: meddle.__name__
)
def test_what_somebody_has_taken_away_is_put_back(
    api: ApiServer, deployed: Path, namespace: str, meddle: Callable[[ApiServer, str], None]
) -> None:
    meddle(api, namespace)
    recording = RecordingCluster(api)
    assert {name: change.action for name, change in plan_of(deployed, recording).items()} == {
        "deployment/web": Action.CONFIGURED,
        "configmap/flags": Action.UNCHANGED,
    }
    assert recording.count("apply")["ConfigMap"] == 0
    *_, last = run(deployed, lambda _: api, 60, Inbox())
    assert isinstance(last, Finished)
    assert last.outcome is Outcome.DONE
    assert {change.action for change in plan_of(deployed, api).values()} == {Action.UNCHANGED}


@pytest.mark.parametrize("meddle", [labelled_besides, given_a_variable], ids=lambda meddle: meddle.__name__)
@pytest.mark.parametrize("asks", [False, True])
def test_what_somebody_adds_beside_the_manifest_is_left_alone_as_the_server_does(
    api: ApiServer,
    deployed: Path,
    namespace: str,
    meddle: Callable[[ApiServer, str], None],
    monkeypatch: pytest.MonkeyPatch,
    *,
    asks: bool,
) -> None:
    meddle(api, namespace)
    if asks:
        monkeypatch.setattr(compare, "is_unchanged", lambda *_: False)
    recording = RecordingCluster(api)
    assert plan_of(deployed, recording)["deployment/web"].action is Action.UNCHANGED
    assert recording.count("apply")["Deployment"] == (1 if asks else 0)


def test_what_is_deleted_is_made_anew(api: ApiServer, deployed: Path, namespace: str) -> None:
    live = api.get(CONFIG_MAPS, namespace, "flags")
    assert live is not None
    api.delete(CONFIG_MAPS, namespace, "flags", uid=live["metadata"]["uid"])
    assert plan_of(deployed, api)["configmap/flags"].action is Action.CREATED


def test_what_has_lost_the_label_of_the_app_is_nobodys(api: ApiServer, deployed: Path, namespace: str) -> None:
    patched(api, namespace, {"op": "remove", "path": "/metadata/labels/kploy.dev~1app"})
    (checked,) = [event for event in dryrun(deployed, lambda _: api) if isinstance(event, Checked)]
    assert [finding.rule for finding in checked.findings if finding.place] != []


EXAMPLES = sorted(path.parent for path in Path("examples").glob("*/Kployfile"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_what_is_told_without_asking_is_what_the_server_says(
    api: ApiServer, example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(run(example, lambda _: api, 60, Inbox()))
    told: list[tuple[str, bool]] = []

    def remembered(body: Body, live: Body, manager: str) -> bool:
        told.append((f"{body['kind'].lower()}/{body['metadata']['name']}", is_unchanged(body, live, manager)))
        return False

    monkeypatch.setattr(compare, "is_unchanged", remembered)
    plan = plan_of(example, api)
    assert {name: plan[name].action for name, is_same in told if is_same} == dict.fromkeys(
        (name for name, is_same in told if is_same), Action.UNCHANGED
    )
    assert any(is_same for _, is_same in told)
