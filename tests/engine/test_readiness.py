"""A custom resource that says in fields of its own how it is, on the real API server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from kploy.cluster.adapter import ApiServer
from kploy.engine.carrier import Inbox
from kploy.engine.prepare import prepare
from kploy.engine.run import rollback, run
from kploy.engine.status import listing_of
from kploy.model.events import Applied, Event, Failed, Finished, Progressed, Ready
from kploy.model.objects import State
from kploy.model.report import Outcome
from kploy.sandbox import Sandbox
from kploy.sandbox.api import Api, api_of
from tests.eventually import eventually

pytestmark = pytest.mark.cluster

RULES = """\
readiness:
  Database.{group}:
    ready: '{{.status.phase}}=Running'
    failed: '{{.status.phase}}=Failed'
    message: '{{.status.message}}'
"""


@pytest.fixture
def group(cluster: Sandbox) -> Iterator[str]:
    """An API group with the kind Database, whose status has a phase and no conditions."""
    name = f"{uuid4().hex[:12]}.example.com"
    admin, path = api_of(cluster), "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    text = {"type": "string"}
    said = {
        "type": "object",
        "properties": {"phase": text, "message": text, "observedGeneration": {"type": "integer"}},
    }
    properties = {"spec": {"type": "object", "properties": {"size": text}}, "status": said}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
    }
    names = {"kind": "Database", "plural": "databases", "singular": "database"}
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"databases.{name}"},
        "spec": {"group": name, "names": names, "scope": "Namespaced", "versions": [version]},
    }
    admin.create(path, body)
    eventually(lambda: admin.get(f"/apis/{name}/v1/databases"))
    yield name
    admin.request("DELETE", f"{path}/databases.{name}")


@pytest.fixture
def shop(cluster: Sandbox, api: ApiServer, tmp_path: Path, group: str) -> Shop:
    return Shop(tmp_path, api, api_of(cluster), group)


class Shop:
    """An app with one database, and an operator that says at each turn of it what is next in a script."""

    def __init__(self, root: Path, api: ApiServer, admin: Api, group: str) -> None:
        self.namespace = f"test-{uuid4().hex[:8]}"
        self._root, self._api, self._admin, self._group = root, api, admin, group
        self._path = f"/apis/{group}/v1/namespaces/{self.namespace}/databases/db"
        (root / "resources").mkdir()
        (root / "Kployfile").write_text(f"name: shop\nnamespace: {self.namespace}\n{RULES.format(group=group)}")

    def wants(self, size: str) -> None:
        metadata = {"name": "db"}
        body = {
            "apiVersion": f"{self._group}/v1",
            "kind": "Database",
            "metadata": metadata,
            "spec": {"size": size},
        }
        (self._root / "resources/db.yaml").write_text(json.dumps(body))

    def deployed(self, *script: dict[str, object], by: Callable[..., Iterator[Event]] = run) -> list[Event]:
        """What a run, or a rollback, tells of the database, and the end."""
        sayings, told = list(script), []
        for event in by(self._root, lambda _: self._api, 60, Inbox()):
            if isinstance(event, Applied | Progressed | Ready | Failed) and event.ref.kind == "Database":
                told.append(event)
                if sayings:
                    said = {**self._admin.get(self._path), "status": sayings.pop(0)}
                    self._admin.request("PUT", f"{self._path}/status", said)
            last = event
        return [*told, last]

    def listed(self) -> tuple[State, str]:
        prepared = prepare(self._root)
        assert prepared.app is not None
        rows = listing_of(prepared.app, prepared.graph, self._api).rows
        (row,) = [row for row in rows if row.ref.kind == "Database"]
        return row.status.state, row.status.message


def test_a_database_is_as_its_phase_says_in_a_run_a_rollback_and_a_list(shop: Shop, group: str) -> None:
    shop.wants("S")
    first = shop.deployed(
        {"phase": "Starting", "message": "formatting"}, {"phase": "Running", "observedGeneration": 1}
    )
    assert [type(each) for each in first] == [Applied, Progressed, Ready, Finished]
    assert [each.status.message for each in first if isinstance(each, Applied | Progressed)] == [
        "waiting for .status.phase=Running",
        "formatting",
    ]
    assert shop.listed() == (State.CURRENT, "")

    shop.wants("XL")
    second = shop.deployed({"phase": "Failed", "message": "no disk is that large", "observedGeneration": 2})
    hint = f"see what else is said of it: kubectl describe -n {shop.namespace} database.{group}/db"
    failures = [(each.reason, each.hint) for each in second if isinstance(each, Failed)]
    assert failures == [("no disk is that large", hint)]
    assert shop.listed() == (State.FAILED, "no disk is that large")

    third = shop.deployed({"phase": "Running", "observedGeneration": 3}, by=rollback)
    assert isinstance(third[-1], Finished)
    assert third[-1].outcome is Outcome.DONE
    assert shop.listed() == (State.CURRENT, "")
