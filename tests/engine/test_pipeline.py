"""Which version of Kubernetes an app is checked against, when the cluster is asked, and what it is asked for."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

from kploy.cluster.adapter import ApiServer
from kploy.cluster.connection import Choice, connect
from kploy.cluster.port import Cause, Cluster, Forbidden, Invalid, Unreachable
from kploy.core.schemas import NEWEST
from kploy.engine.carrier import Inbox
from kploy.engine.check import check
from kploy.engine.destroy import destroy
from kploy.engine.pipeline import dryrun
from kploy.engine.run import rollback, run
from kploy.model.app import App
from kploy.model.events import Checked, Event, Finished, Noted, Opened, Planned
from kploy.model.objects import Body, Resource
from kploy.model.plan import Plan
from kploy.model.report import Outcome
from kploy.sandbox import Sandbox
from kploy.sandbox.api import api_of
from tests.eventually import eventually
from tests.fakes import Call, RecordingCluster

FLAGS = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: flags\n"
CLAIM = "apiVersion: resource.k8s.io/v1\nkind: ResourceClaimTemplate\nmetadata:\n  name: gpu\nspec:\n  spec: {}\n"
MISSPELT = FLAGS + "dat: {}\n"
CIRCULAR = FLAGS + "  annotations: {kploy.dev/depends-on: configmap/flags}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The directory of an app that has no manifests yet."""
    (tmp_path / "Kployfile").write_text(f"name: shop\nnamespace: test-{uuid4().hex[:12]}\n")
    (tmp_path / "resources").mkdir()
    return tmp_path


def add(root: Path, *texts: str) -> None:
    for number, text in enumerate(texts):
        (root / f"resources/{number}.yaml").write_text(text)


def silent(_: App) -> Cluster:
    raise Unreachable("nobody answers")


def never(_: App) -> Cluster:
    raise AssertionError("the cluster must not be asked")


def rules(events: list[Event]) -> list[str]:
    return [finding.rule for event in events if isinstance(event, Checked) for finding in event.findings]


def findings(events: list[Event]) -> list[tuple[str, str]]:
    return [(each.rule, each.message) for event in events if isinstance(event, Checked) for each in event.findings]


def schemas(events: list[Event]) -> list[str]:
    return [event.schemas for event in events if isinstance(event, Opened)]


@pytest.mark.parametrize(("version", "found"), [("1.33", ["unknown-kind"]), ("1.34", []), ("", [])])
def test_offline_the_version_is_the_users_or_the_newest(root: Path, version: str, found: list[str]) -> None:
    add(root, CLAIM)
    events = list(check(root, version))
    assert (schemas(events), rules(events)) == ([version or NEWEST], found)


def test_errors_of_every_version_are_told_with_those_of_the_newest_and_no_cluster_is_asked(root: Path) -> None:
    add(root, CIRCULAR, MISSPELT.replace("flags", "other"))
    events = list(dryrun(root, never))
    assert (schemas(events), sorted(rules(events))) == ([NEWEST], ["dependency-cycle", "unknown-field"])
    assert events[-1] == Finished(Outcome.INVALID)


def test_errors_in_the_version_that_the_user_chose_need_no_cluster(root: Path) -> None:
    add(root, CLAIM)
    events = list(dryrun(root, never, version="1.33"))
    assert (schemas(events), rules(events)) == (["1.33"], ["unknown-kind"])


def test_an_illegible_kployfile_needs_no_cluster(root: Path) -> None:
    (root / "Kployfile").write_text("name: [\n")
    events = list(dryrun(root, never))
    assert [type(event) for event in events] == [Checked, Finished]


@pytest.mark.parametrize("version", ["", "1.35"])
def test_what_is_wrong_with_an_app_is_told_though_its_cluster_is_silent(root: Path, version: str) -> None:
    add(root, MISSPELT)
    events = list(dryrun(root, silent, version=version))
    assert (schemas(events), rules(events)) == ([version or NEWEST], ["unknown-field"])
    assert events[-1] == Finished(Outcome.INVALID)


@pytest.mark.parametrize("version", ["", "1.35"])
def test_a_valid_app_ends_with_the_silence_of_its_cluster(root: Path, version: str) -> None:
    add(root, FLAGS)
    with pytest.raises(Unreachable, match="nobody answers"):
        list(dryrun(root, silent, version=version))


# With a cluster.


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("of_cluster", "chosen", "version", "found", "notes"),
    [
        ("v1.33.9", "", "1.33", ["unknown-kind"], []),
        ("v1.34.1-gke.7", "", "1.34", [], []),
        ("v1.33.9", "1.35", "1.35", [], []),
        (
            "v1.99.0",
            "",
            NEWEST,
            [],
            [f"kploy has no schemas of Kubernetes v1.99.0: the app was checked against those of {NEWEST}"],
        ),
    ],
)
def test_the_clusters_version_counts_unless_the_user_chose_one(
    api: ApiServer, root: Path, of_cluster: str, chosen: str, version: str, found: list[str], notes: list[str]
) -> None:
    add(root, CLAIM)
    events = list(dryrun(root, lambda _: RecordingCluster(api, of_cluster), version=chosen))
    assert (schemas(events), rules(events)) == ([version], found)
    assert [event.text for event in events if isinstance(event, Noted)] == notes


@pytest.mark.cluster
def test_a_cluster_that_is_too_old_is_told_even_with_errors(api: ApiServer, root: Path) -> None:
    add(root, CLAIM)
    events = list(dryrun(root, lambda _: RecordingCluster(api, "v1.30.2")))
    assert [type(event) for event in events] == [Opened, Noted, Checked, Finished]
    assert schemas(events) == ["1.33"]


# Definitions in the cluster.


def definition(group: str, fields: str) -> dict[str, object]:
    names = {"kind": "Thing", "plural": "things", "singular": "thing"}
    spec = {"type": "object", "properties": {name: {"type": "string"} for name in fields.split()}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {"group": group, "names": names, "scope": "Namespaced", "versions": [version]},
    }


@pytest.fixture
def group(cluster: Sandbox, api: ApiServer) -> Iterator[str]:
    """An API group of which the cluster serves the kind Thing, with the fields ``colour`` and ``size``."""
    name = f"{uuid4().hex[:12]}.example.com"
    admin = api_of(cluster)
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    admin.create(path, definition(name, "colour size"))
    eventually(lambda: api.resource(f"{name}/v1", "Thing") is not None)
    yield name
    admin.request("DELETE", f"{path}/things.{name}")


def thing(group: str, name: str, spec: str) -> str:
    return f"apiVersion: {group}/v1\nkind: Thing\nmetadata:\n  name: {name}\nspec: {spec}\n"


@pytest.mark.cluster
@pytest.mark.parametrize("dry_run", [True, False])
def test_an_apply_refuses_a_field_that_the_clusters_definition_does_not_have(
    api: ApiServer, group: str, dry_run: bool
) -> None:
    resource = api.resource(f"{group}/v1", "Thing")
    assert resource is not None
    metadata = {"name": "one", "namespace": "default"}
    body = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": metadata, "spec": {"color": "red"}}
    with pytest.raises(Invalid) as raised:
        api.apply(resource, body, "kploy", dry_run=dry_run)
    assert raised.value.causes == (Cause(".spec.color", "unknown field"),)
    assert api.get(resource, "default", "one") is None


@pytest.mark.cluster
def test_custom_resources_are_checked_by_the_clusters_definition_before_any_dry_run(
    api: ApiServer, root: Path, group: str
) -> None:
    add(root, FLAGS, thing(group, "one", "{color: red}"), thing(group, "two", "{size: 1}"))
    cluster = RecordingCluster(api)
    events = list(dryrun(root, lambda _: cluster))
    told = [
        (each.message, each.hint, str(each.place))
        for event in events
        if isinstance(event, Checked)
        for each in event.findings
    ]
    assert told == [
        ("`color` is not a field of Thing.spec", "did you mean `colour`?", "resources/1.yaml:5:8"),
        ("`size` must be a string", "quote it", "resources/2.yaml:5:14"),
    ]
    assert cluster.calls == [Call("get", "CustomResourceDefinition", f"things.{group}")]


@pytest.mark.cluster
def test_the_apps_own_definition_counts_and_the_clusters_is_not_asked_for(
    api: ApiServer, root: Path, group: str
) -> None:
    add(root, json.dumps(definition(group, "shape")), thing(group, "one", "{shape: round}"))
    cluster = RecordingCluster(api)
    events = list(dryrun(root, lambda _: cluster))
    # Somebody else has made the live one; but no field of the Thing is unknown.
    assert rules(events) == ["foreign-object"]
    # It is looked at to see whose it is, after the dry run, and not to check the Thing.
    name = f"things.{group}"
    assert [call for call in cluster.calls if call.kind == "CustomResourceDefinition"] == [
        Call("list", "CustomResourceDefinition"),
        Call("apply", "CustomResourceDefinition", name, dry_run=True),
        Call("get", "CustomResourceDefinition", name),
    ]


@pytest.mark.cluster
def test_without_custom_resources_no_definition_is_asked_for(api: ApiServer, root: Path) -> None:
    add(root, FLAGS)
    cluster = RecordingCluster(api)
    assert list(dryrun(root, lambda _: cluster))[-1] == Finished(Outcome.DONE)
    assert cluster.count("get") == {"Namespace": 1}


class Blindfolded(RecordingCluster):
    """Lets nobody see a definition."""

    def get(self, resource: Resource, namespace: str, name: str) -> Body | None:
        found = super().get(resource, namespace, name)
        if resource.kind == "CustomResourceDefinition":
            raise Forbidden(f"you may not look at {name}")
        return found


@pytest.mark.cluster
def test_who_may_not_see_the_definition_leaves_the_check_to_the_dry_run(
    api: ApiServer, root: Path, group: str
) -> None:
    add(root, thing(group, "one", "{color: red}"))
    asked = Blindfolded(api)
    events = list(dryrun(root, lambda _: asked))
    assert findings(events) == [("unknown-field", "`color` is not a field of Thing in this cluster")]
    assert events[-1] == Finished(Outcome.INVALID)
    assert [call for call in asked.calls if call.kind == "CustomResourceDefinition"] == [
        Call("get", "CustomResourceDefinition", f"things.{group}")
    ]


@pytest.mark.cluster
def test_who_may_see_neither_the_definition_nor_anything_else_is_told_what_is_missing(
    cluster: Sandbox, root: Path, group: str
) -> None:
    add(root, thing(group, "one", "{color: red}"))
    nobody = ApiServer(connect(Choice(kubeconfig=str(cluster.kubeconfig), user="nobody-at-all")))
    asked = RecordingCluster(nobody)
    events = list(dryrun(root, lambda _: asked))
    nobody.close()
    namespace = yaml.safe_load((root / "Kployfile").read_text())["namespace"]
    lacking = (
        "create, delete, get and update configmaps; "
        "create, get and update leases.coordination.k8s.io; create, delete and get secrets; "
        f"create, list, patch and watch things.{group}"
    )
    assert findings(events) == [
        ("missing-permission", f"nobody-at-all may not, in namespace {namespace}: {lacking}")
    ]
    assert events[-1] == Finished(Outcome.UNREACHABLE)
    assert [call for call in asked.calls if call.kind == "CustomResourceDefinition"] == [
        Call("get", "CustomResourceDefinition", f"things.{group}")
    ]


# With a deadline.


class Timed(RecordingCluster):
    """Remembers besides what was asked of it that may be asked for ever."""

    def __init__(self, real: Cluster) -> None:
        super().__init__(real)
        self.endless: list[Call] = []
        self._is_bounded = False

    def until(self, deadline: float) -> RecordingCluster:
        bounded = super().until(deadline)
        assert isinstance(bounded, Timed)
        bounded._is_bounded = deadline < math.inf  # noqa: SLF001 - it is one of its own
        return bounded

    def version(self) -> str:
        self._record("version", "")
        return super().version()

    def resource(self, api_version: str, kind: str) -> Resource | None:
        self._record("resource", kind)
        return super().resource(api_version, kind)

    def _record(self, method: str, kind: str, name: str = "", *, dry_run: bool = False) -> None:
        super()._record(method, kind, name, dry_run=dry_run)
        if not self._is_bounded:
            self.endless.append(Call(method, kind, name, dry_run))


@pytest.mark.cluster
def test_what_a_run_asks_before_it_writes_is_asked_no_longer_than_it_may_take(
    api: ApiServer, root: Path, group: str
) -> None:
    add(root, FLAGS, thing(group, "one", "{size: big}"))
    asked = Timed(api)
    events = run(root, lambda _: asked, 60, Inbox())
    told = list(takewhile(lambda event: not isinstance(event, Planned), events))
    assert [type(event) for event in told] == [Opened, Checked]
    methods = {call.method for call in asked.calls}
    assert methods == {"version", "resource", "may", "get", "list", "apply"}
    assert asked.endless == []


@pytest.mark.cluster
@pytest.mark.parametrize("command", ["rollback", "destroy"])
def test_what_another_command_asks_before_it_writes_is_asked_no_longer_than_it_may_take(
    api: ApiServer, root: Path, command: str
) -> None:
    for text in (FLAGS, FLAGS + "data: {colour: green}\n"):
        add(root, text)
        assert outcome(run(root, lambda _: api, 60, Inbox())) is Outcome.DONE
    asked = Timed(api)

    def looked(_: Opened, __: Plan) -> None:
        raise Looked

    events = {
        "rollback": lambda: rollback(root, lambda _: asked, 60, Inbox()),
        "destroy": lambda: destroy(root, lambda _: asked, 60, Inbox(), looked),
    }
    with suppress(Looked):
        list(takewhile(lambda event: not isinstance(event, Planned), events[command]()))
    assert Call("may", "*") in asked.calls
    assert (asked.written, asked.endless) == ([], [])
    assert outcome(destroy(root, lambda _: api, 60, Inbox(), lambda _, __: None)) is Outcome.DONE


def outcome(events: Iterable[Event]) -> Outcome:
    *_, last = events
    assert isinstance(last, Finished)
    return last.outcome


class Looked(Exception):
    """It was shown what would go."""
