"""The contract of cluster.port, on the real API server: what the rest of kploy may rely on."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest
import yaml

from kploy.cluster.adapter import ApiServer
from kploy.cluster.connection import Choice, connect
from kploy.cluster.port import (
    AlreadyExists,
    Answer,
    Cause,
    Change,
    ChangeType,
    Cluster,
    ClusterError,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    Propagation,
    ServerFailed,
    Target,
    Terminating,
)
from kploy.cluster.transport import Request, Transport
from kploy.core.kinds import builtin
from kploy.model.errors import Refused
from kploy.model.objects import Body, Resource
from kploy.sandbox import Sandbox
from tests.cluster.servers import Answer as Reply
from tests.cluster.servers import (
    Handler,
    Server,
    html,
    passes_on,
    refuses,
    resets,
    says,
    serving,
    streams,
    truncated,
)

pytestmark = pytest.mark.cluster

CONFIG_MAP = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
DEPLOYMENT = Resource("apps", "v1", "Deployment", "deployments", namespaced=True)
NAMESPACE = Resource("", "v1", "Namespace", "namespaces", namespaced=False)
OURS, THEIRS = "kploy-ours", "kploy-theirs"


def connected(kubeconfig: Path) -> ApiServer:
    return ApiServer(connect(Choice(kubeconfig=str(kubeconfig))))


@pytest.fixture
def api(cluster: Sandbox) -> Iterator[ApiServer]:
    server = connected(cluster.kubeconfig)
    yield server
    server.close()


@pytest.fixture
def namespace(api: ApiServer) -> str:
    """A namespace of the test's own."""
    name = f"test-{uuid4().hex[:12]}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    api.apply(NAMESPACE, body, OURS, dry_run=False)
    return name


def config_map(namespace: str, name: str = "flags", **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def written(api: Cluster, body: Body, manager: str = OURS) -> Answer:
    return api.apply(CONFIG_MAP, body, manager, dry_run=False)


def remove(api: ApiServer, namespace: str, name: str) -> None:
    body = api.get(CONFIG_MAP, namespace, name)
    assert body is not None
    api.delete(CONFIG_MAP, namespace, name, uid=body["metadata"]["uid"])


def gist(body: Body) -> tuple[str, dict[str, str]]:
    return body["metadata"]["name"], body.get("data", {})


def test_the_adapter_is_a_cluster(api: ApiServer, cluster: Sandbox) -> None:
    port: Cluster = api
    context = yaml.safe_load(cluster.kubeconfig.read_text())["current-context"]
    assert port.target == Target(context, cluster.server)
    assert port.version() == cluster.version


@pytest.mark.parametrize(
    ("api_version", "kind", "resource"),
    [
        ("v1", "ConfigMap", CONFIG_MAP),
        ("apps/v1", "Deployment", DEPLOYMENT),
        # Not in kploy's own table, so it is discovered.
        ("v1", "ComponentStatus", Resource("", "v1", "ComponentStatus", "componentstatuses", namespaced=False)),
        (
            "authentication.k8s.io/v1",
            "TokenReview",
            Resource("authentication.k8s.io", "v1", "TokenReview", "tokenreviews", namespaced=False),
        ),
        ("v1", "Gadget", None),
        ("v7", "Gadget", None),
        ("example.com/v1", "Gadget", None),
        ("apps/v7", "Gadget", None),
    ],
)
def test_a_kind_is_known_discovered_or_not_served(
    api: ApiServer, api_version: str, kind: str, resource: Resource | None
) -> None:
    assert api.resource(api_version, kind) == resource
    assert api.resource(api_version, kind) == resource


def test_the_table_of_kinds_agrees_with_the_servers_own_discovery(cluster: Sandbox) -> None:
    transport = Transport(connect(Choice(kubeconfig=str(cluster.kubeconfig))))
    groups = transport.send(Request("GET", "/apis"))[1]["groups"]
    versions = ["v1", *(version["groupVersion"] for group in groups for version in group["versions"])]
    served = 0
    for api_version in versions:
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        for row in transport.send(Request("GET", root))[1]["resources"]:
            known = builtin(api_version, row["kind"])
            if known and "/" not in row["name"]:
                assert (known.plural, known.namespaced) == (row["name"], row["namespaced"])
                served += 1
    assert served > 50


def test_an_object_is_created_then_changed_and_can_be_read(api: ApiServer, namespace: str) -> None:
    assert api.get(CONFIG_MAP, namespace, "flags") is None
    first = written(api, config_map(namespace, colour="blue"))
    second = written(api, config_map(namespace, colour="green"))
    third = written(api, config_map(namespace, colour="green"))
    assert (first.is_new, second.is_new, third.is_new) == (True, False, False)
    assert third.body["metadata"]["resourceVersion"] == second.body["metadata"]["resourceVersion"]
    assert api.get(CONFIG_MAP, namespace, "flags") == third.body
    assert gist(third.body) == ("flags", {"colour": "green"})
    assert [entry["manager"] for entry in third.body["metadata"]["managedFields"]] == [OURS]


def test_a_dry_run_says_what_would_be_and_writes_nothing(api: ApiServer, namespace: str) -> None:
    answer = api.apply(CONFIG_MAP, config_map(namespace, colour="blue"), OURS, dry_run=True)
    assert (answer.is_new, gist(answer.body)) == (True, ("flags", {"colour": "blue"}))
    assert api.get(CONFIG_MAP, namespace, "flags") is None
    before = written(api, config_map(namespace, colour="blue")).body
    answer = api.apply(CONFIG_MAP, config_map(namespace, colour="green"), OURS, dry_run=True)
    assert (answer.is_new, gist(answer.body)) == (False, ("flags", {"colour": "green"}))
    assert api.get(CONFIG_MAP, namespace, "flags") == before


def test_a_list_has_all_of_a_selection_at_one_resource_version(api: ApiServer, namespace: str) -> None:
    for name in ("a", "b"):
        last = written(api, config_map(namespace, name, x=name))
    ours = api.list(CONFIG_MAP, namespace, "app in (a,b)")
    assert [gist(body) for body in ours.items] == [("a", {"x": "a"}), ("b", {"x": "b"})]
    assert int(ours.resource_version) >= int(last.body["metadata"]["resourceVersion"])
    assert [gist(body) for body in api.list(CONFIG_MAP, namespace, "app=b").items] == [("b", {"x": "b"})]
    assert api.list(CONFIG_MAP, namespace, "app=c").items == ()
    assert api.list(CONFIG_MAP, "no-such-namespace").items == ()
    assert namespace in {body["metadata"]["name"] for body in api.list(NAMESPACE, "").items}


UNKNOWN = Resource("example.com", "v1", "Gadget", "gadgets", namespaced=True)
UNKNOWN_VERSION = Resource("apps", "v7", "Deployment", "deployments", namespaced=True)


@pytest.mark.parametrize("resource", [UNKNOWN, UNKNOWN_VERSION])
def test_a_kind_that_is_not_served_is_told_from_an_object_that_is_missing(
    api: ApiServer, namespace: str, resource: Resource
) -> None:
    assert api.list(resource, namespace).items == ()
    for attempt in (
        lambda: api.get(resource, namespace, "a"),
        lambda: api.apply(resource, config_map(namespace), OURS, dry_run=True),
        lambda: list(api.watch(resource, namespace, "", "")),
        lambda: api.create(resource, config_map(namespace)),
        lambda: api.replace(resource, {"metadata": {"name": "a", "namespace": namespace, "resourceVersion": "1"}}),
        lambda: api.delete(resource, namespace, "a", uid="u"),
    ):
        with pytest.raises(NotFound) as raised:
            attempt()
        assert not raised.value.is_object


def test_an_apply_into_a_missing_namespace_names_it(api: ApiServer) -> None:
    for dry_run in (True, False):
        with pytest.raises(NotFound) as raised:
            api.apply(CONFIG_MAP, config_map("no-such-namespace"), OURS, dry_run=dry_run)
        assert raised.value.message == 'namespaces "no-such-namespace" not found'
        assert raised.value.is_object


def deployment(namespace: str, **container: Any) -> dict[str, Any]:
    containers = [{"name": "web", "image": "i", **container}]
    pod = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": pod}
    metadata = {"name": "w", "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


CONTAINER = '.spec.template.spec.containers[name="web"]'


@pytest.mark.parametrize(
    ("container", "causes"),
    [
        ({"imagee": "x"}, [Cause(f"{CONTAINER}.imagee", "unknown field")]),
        (
            {"ports": [{"containerPort": 80, "portocol": "x"}]},
            [Cause(f'{CONTAINER}.ports[containerPort=80,protocol="TCP"].portocol', "unknown field")],
        ),
        ({"ports": "x"}, [Cause(f"{CONTAINER}.ports", "expected list")]),
        ({"env": [{"name": "A", "value": 5}]}, [Cause(f'{CONTAINER}.env[name="A"].value', "expected string")]),
        (
            {"ports": [{"containerPort": 99999}]},
            [
                Cause(
                    "spec.template.spec.containers[0].ports[0].containerPort",
                    "Invalid value: 99999: must be between 1 and 65535, inclusive",
                )
            ],
        ),
        ({"resources": {"limits": {"cpu": "lots"}}}, []),
    ],
)
def test_what_is_not_acceptable_is_told_by_field_in_a_dry_run_as_in_earnest(
    api: ApiServer, namespace: str, container: dict[str, Any], causes: list[Cause]
) -> None:
    for dry_run in (True, False):
        with pytest.raises(Invalid) as raised:
            api.apply(DEPLOYMENT, deployment(namespace, **container), OURS, dry_run=dry_run)
        assert list(raised.value.causes) == causes
    assert api.get(DEPLOYMENT, namespace, "w") is None


def test_a_conflict_names_manager_and_fields_and_force_overrides_it(api: ApiServer, namespace: str) -> None:
    before = written(api, config_map(namespace, colour="blue", size="big")).body
    other = config_map(namespace, colour="green", size="small", shape="round")
    for dry_run in (True, False):
        with pytest.raises(Conflict) as raised:
            api.apply(CONFIG_MAP, other, THEIRS, dry_run=dry_run)
        assert set(raised.value.causes) == {
            Cause(".data.colour", f'conflict with "{OURS}"'),
            Cause(".data.size", f'conflict with "{OURS}"'),
        }
    assert api.get(CONFIG_MAP, namespace, "flags") == before
    forced = api.apply(CONFIG_MAP, other, THEIRS, dry_run=False, force=True)
    assert gist(forced.body) == ("flags", {"colour": "green", "size": "small", "shape": "round"})


def test_an_object_is_created_only_where_there_is_none(api: ApiServer, namespace: str) -> None:
    assert gist(api.create(CONFIG_MAP, config_map(namespace, a="b"), dry_run=True)) == ("flags", {"a": "b"})
    assert api.get(CONFIG_MAP, namespace, "flags") is None
    first = api.create(CONFIG_MAP, config_map(namespace, a="b"))
    assert api.get(CONFIG_MAP, namespace, "flags") == first
    for dry_run in (True, False):
        with pytest.raises(AlreadyExists):
            api.create(CONFIG_MAP, config_map(namespace, a="c"), dry_run=dry_run)
    assert api.get(CONFIG_MAP, namespace, "flags") == first
    with pytest.raises(NotFound) as raised:
        api.create(CONFIG_MAP, config_map("no-such-namespace"))
    assert raised.value.is_object
    with pytest.raises(Invalid):
        api.create(CONFIG_MAP, {**config_map(namespace, "other"), "dat": {}})


def test_an_object_is_replaced_only_in_the_version_that_was_read(api: ApiServer, namespace: str) -> None:
    first = api.create(CONFIG_MAP, config_map(namespace, a="b", x="y"))
    second = api.replace(CONFIG_MAP, {**first, "data": {"a": "c"}})
    assert gist(second) == ("flags", {"a": "c"})
    with pytest.raises(Conflict) as raised:
        api.replace(CONFIG_MAP, {**first, "data": {"a": "d"}})
    assert type(raised.value) is Conflict
    assert api.get(CONFIG_MAP, namespace, "flags") == second
    remove(api, namespace, "flags")
    with pytest.raises((NotFound, Conflict)):
        api.replace(CONFIG_MAP, second)
    with pytest.raises(ValueError, match="version"):
        api.replace(CONFIG_MAP, config_map(namespace))


def test_only_the_object_that_is_meant_is_deleted(api: ApiServer, namespace: str) -> None:
    first = api.create(CONFIG_MAP, config_map(namespace, a="b"))
    uid, version = first["metadata"]["uid"], first["metadata"]["resourceVersion"]
    second = api.replace(CONFIG_MAP, {**first, "data": {"a": "c"}})
    for wrong in ({"uid": str(uuid4())}, {"uid": uid, "resource_version": version}):
        with pytest.raises(Conflict):
            api.delete(CONFIG_MAP, namespace, "flags", **wrong)
    assert api.delete(CONFIG_MAP, namespace, "flags", uid=uid, dry_run=True) is not None
    assert api.get(CONFIG_MAP, namespace, "flags") == second
    latest = second["metadata"]["resourceVersion"]
    assert api.delete(CONFIG_MAP, namespace, "flags", uid=uid, resource_version=latest) is not None
    assert api.get(CONFIG_MAP, namespace, "flags") is None
    assert api.delete(CONFIG_MAP, namespace, "flags", uid=uid) is None
    for vague in ({"uid": ""}, {"uid": uid, "resource_version": ""}):
        with pytest.raises(ValueError, match="which one"):
            api.delete(CONFIG_MAP, namespace, "flags", **vague)


def test_what_an_object_owns_goes_or_stays_as_asked(api: ApiServer, namespace: str) -> None:
    finalizers = {}
    for propagation in Propagation:
        body = config_map(namespace, propagation.lower())
        uid = api.create(CONFIG_MAP, body)["metadata"]["uid"]
        api.delete(CONFIG_MAP, namespace, propagation.lower(), uid=uid, propagation=propagation, dry_run=True)
        left = api.delete(CONFIG_MAP, namespace, propagation.lower(), uid=uid, propagation=propagation)
        assert left is not None
        finalizers[propagation] = left["metadata"].get("finalizers")
    assert finalizers == {
        Propagation.BACKGROUND: None,
        Propagation.FOREGROUND: ["foregroundDeletion"],
        Propagation.ORPHAN: ["orphan"],
    }


def test_a_namespace_that_ends_takes_nothing_new_and_says_so(api: ApiServer, namespace: str) -> None:
    held = config_map(namespace, "held")
    held["metadata"]["finalizers"] = ["kploy.dev/test"]
    written_held = api.create(CONFIG_MAP, held)
    body = api.get(NAMESPACE, "", namespace)
    assert body is not None
    api.delete(NAMESPACE, "", namespace, uid=body["metadata"]["uid"])
    try:
        for attempt in (
            lambda: api.create(CONFIG_MAP, config_map(namespace)),
            lambda: written(api, config_map(namespace)),
            lambda: api.apply(CONFIG_MAP, config_map(namespace), OURS, dry_run=True),
        ):
            with pytest.raises(Terminating):
                attempt()
    finally:
        latest = api.get(CONFIG_MAP, namespace, "held") or written_held
        api.replace(CONFIG_MAP, {**latest, "metadata": {**latest["metadata"], "finalizers": []}})


def take(changes: Iterator[Change], number: int) -> list[Change]:
    """So many changes of a watch, bookmarks aside."""
    found: list[Change] = []
    while len(found) < number:
        change = next(changes)
        if change.type is not ChangeType.BOOKMARK:
            found.append(change)
    return found


def told(changes: list[Change]) -> list[tuple[ChangeType, str, dict[str, str]]]:
    return [(change.type, *gist(change.body)) for change in changes]


def test_a_watch_tells_every_change_of_its_selection(api: ApiServer, namespace: str) -> None:
    since = api.list(CONFIG_MAP, namespace).resource_version
    changes = api.watch(CONFIG_MAP, namespace, "app=flags", since)
    written(api, config_map(namespace, "other", x="y"))
    written(api, config_map(namespace, colour="blue"))
    written(api, config_map(namespace, colour="green"))
    remove(api, namespace, "flags")
    assert told(take(changes, 3)) == [
        (ChangeType.ADDED, "flags", {"colour": "blue"}),
        (ChangeType.MODIFIED, "flags", {"colour": "green"}),
        (ChangeType.DELETED, "flags", {"colour": "green"}),
    ]


def test_a_watch_that_goes_on_from_a_version_misses_nothing_and_repeats_nothing(
    api: ApiServer, namespace: str
) -> None:
    since = api.list(CONFIG_MAP, namespace).resource_version
    expected = []
    for number in range(3):
        for colour in ("blue", "green"):
            written(api, config_map(namespace, f"c{number}", colour=colour))
            kind = ChangeType.ADDED if colour == "blue" else ChangeType.MODIFIED
            expected.append((kind, f"c{number}", {"colour": colour}))
    remove(api, namespace, "c0")
    expected.append((ChangeType.DELETED, "c0", {"colour": "green"}))
    found: list[Change] = []
    for _ in expected:
        (change,) = take(api.watch(CONFIG_MAP, namespace, "app", since), 1)
        since = change.body["metadata"]["resourceVersion"]
        found.append(change)
    assert told(found) == expected


def test_versions_grow_so_that_what_is_newer_can_be_told(api: ApiServer, namespace: str) -> None:
    answers = [written(api, config_map(namespace, name, x="y")).body for name in ("a", "b")]
    changes = api.watch(CONFIG_MAP, namespace, "app=b", answers[0]["metadata"]["resourceVersion"])
    remove(api, namespace, "b")
    bodies = [*answers, *(change.body for change in take(changes, 2)[1:])]
    versions = [int(body["metadata"]["resourceVersion"]) for body in bodies]
    assert versions == sorted(set(versions))


def test_closing_ends_a_watch(cluster: Sandbox, namespace: str) -> None:
    api = connected(cluster.kubeconfig)
    changes = api.watch(CONFIG_MAP, namespace, "app=flags", api.list(CONFIG_MAP, namespace).resource_version)
    written(api, config_map(namespace))
    assert told(take(changes, 1)) == [(ChangeType.ADDED, "flags", {})]
    thread = threading.Thread(target=lambda: list(changes), daemon=True)
    thread.start()
    api.close()
    thread.join(timeout=20)
    assert not thread.is_alive()


# What is on the wire.

Played = Callable[[Server], ApiServer]


@pytest.fixture
def to(tmp_path: Path) -> Played:
    """Connects to a server that the test plays."""

    def connection(server: Server) -> ApiServer:
        context = {"name": "x", "context": {"cluster": "c"}}
        clusters = [{"name": "c", "cluster": {"server": server.url}}]
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump({"clusters": clusters, "contexts": [context], "current-context": "x"}))
        return connected(path)

    return connection


@pytest.fixture
def passed_on(cluster: Sandbox, tmp_path: Path) -> Reply:
    """What the real API server answers."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    authority = tmp_path / "authority.pem"
    authority.write_bytes(base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]))
    return passes_on(cluster.server, str(authority), config["users"][0]["user"]["token"])


@pytest.fixture
def proxy(passed_on: Reply) -> Iterator[Server]:
    """Stands in front of the real API server and records."""
    with serving(passed_on) as server:
        yield server


USUAL = [("fieldManager", OURS), ("fieldValidation", "Ignore")]


@pytest.mark.parametrize(
    ("flags", "query"),
    [
        ({"dry_run": True}, [*USUAL, ("dryRun", "All")]),
        ({"dry_run": True, "force": True}, [*USUAL, ("dryRun", "All"), ("force", "true")]),
        ({"dry_run": False}, USUAL),
        ({"dry_run": False, "force": True}, [*USUAL, ("force", "true")]),
    ],
)
def test_every_apply_has_a_manager_is_parsed_once_and_is_dry_if_so_meant(
    proxy: Server, to: Played, namespace: str, flags: dict[str, Any], query: list[tuple[str, str]]
) -> None:
    api = to(proxy)
    for resource, body in ((CONFIG_MAP, config_map(namespace, a="b")), (DEPLOYMENT, deployment(namespace))):
        api.apply(resource, body, OURS, **flags)
    assert [seen.method for seen in proxy.requests] == ["PATCH", "PATCH"]
    for seen in proxy.requests:
        assert list(seen.query) == query
        assert seen.headers["content-type"] == "application/apply-patch+yaml"
    assert [seen.path for seen in proxy.requests] == [
        f"/api/v1/namespaces/{namespace}/configmaps/flags",
        f"/apis/apps/v1/namespaces/{namespace}/deployments/w",
    ]
    assert json.loads(proxy.requests[0].body) == config_map(namespace, a="b")


def versioned(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], "resourceVersion": "1"}}


def test_what_creates_replaces_and_deletes_is_on_the_wire_as_it_is_meant(to: Played) -> None:
    body = config_map("shop", a="b")
    with serving(says(200, {})) as server:
        api = to(server)
        api.create(CONFIG_MAP, body)
        api.create(CONFIG_MAP, body, dry_run=True)
        api.replace(CONFIG_MAP, versioned(body))
        api.delete(CONFIG_MAP, "shop", "flags", uid="u")
        api.delete(NAMESPACE, "", "n", uid="u", resource_version="7", propagation=Propagation.ORPHAN, dry_run=True)
        seen = [(each.method, each.path, dict(each.query), json.loads(each.body)) for each in server.requests]
    strict, dry = {"fieldValidation": "Strict"}, {"dryRun": "All"}
    all_of, one = "/api/v1/namespaces/shop/configmaps", "/api/v1/namespaces/shop/configmaps/flags"
    options = {"kind": "DeleteOptions", "apiVersion": "v1"}
    background = {**options, "preconditions": {"uid": "u"}, "propagationPolicy": "Background"}
    exact = {"preconditions": {"uid": "u", "resourceVersion": "7"}, "propagationPolicy": "Orphan"}
    assert seen == [
        ("POST", all_of, strict, body),
        ("POST", all_of, {**strict, **dry}, body),
        ("PUT", one, strict, versioned(body)),
        ("DELETE", one, {}, background),
        ("DELETE", "/api/v1/namespaces/n", dry, {**options, **exact, "dryRun": ["All"]}),
    ]


GONE = says(404, {"message": "not found", "code": 404, "details": {"name": "flags", "kind": "configmaps"}})
THERE = says(409, {"message": "it is there", "reason": "AlreadyExists", "code": 409})
STALE = says(409, {"message": "it has been modified", "reason": "Conflict", "code": 409})


@pytest.mark.parametrize("lost", [resets, truncated, html(504)])
def test_a_write_whose_answer_was_lost_is_sent_again_and_its_second_answer_counts(to: Played, lost: Any) -> None:
    body = versioned(config_map("shop"))
    with serving(lost, THERE) as server, pytest.raises(AlreadyExists):
        to(server).create(CONFIG_MAP, body)
    with serving(lost, STALE) as server, pytest.raises(Conflict):
        to(server).replace(CONFIG_MAP, body)
    with serving(lost, GONE) as server:
        assert to(server).delete(CONFIG_MAP, "shop", "flags", uid="u") is None
        assert [seen.method for seen in server.requests] == ["DELETE"] * 2
    with serving(lost, refuses(404, "no such kind")) as server, pytest.raises(NotFound) as raised:
        to(server).delete(CONFIG_MAP, "shop", "flags", uid="u")
    assert not raised.value.is_object


ODD_NAMES = ["", ".", "..", "a/b", "x/../../pods", "%2e%2e", "a%2fb", "a\nb", "a\x00", "a\x7f"]


@pytest.mark.parametrize("odd", ODD_NAMES)
def test_a_name_that_is_no_path_segment_is_refused_and_nothing_is_sent(to: Played, odd: str) -> None:
    body = {"metadata": {"name": odd, "namespace": "shop"}}
    elsewhere = {"metadata": {"name": "a", "namespace": odd}}
    kinds = [
        Resource("", "v1", "ConfigMap", odd, namespaced=True),
        Resource("example.com", odd, "ConfigMap", "configmaps", namespaced=True),
        *([Resource(odd, "v1", "ConfigMap", "configmaps", namespaced=True)] if odd else []),
    ]
    with serving(says(200, {})) as server:
        api = to(server)
        attempts: list[Callable[[], object]] = [
            lambda: api.get(CONFIG_MAP, "shop", odd),
            lambda: api.apply(CONFIG_MAP, body, OURS, dry_run=True),
            lambda: api.create(CONFIG_MAP, body),
            lambda: api.replace(CONFIG_MAP, versioned(body)),
            lambda: api.delete(CONFIG_MAP, "shop", odd, uid="u"),
            lambda: api.resource(f"example.com/{odd}", "Gadget"),
        ]
        for kind in kinds:
            attempts += [
                partial(api.get, kind, "shop", "a"),
                partial(api.list, kind, "shop"),
                partial(next, api.watch(kind, "shop", "", "")),
                partial(api.apply, kind, {"metadata": {"name": "a"}}, OURS, dry_run=True),
            ]
        if odd:
            attempts += [
                lambda: api.list(CONFIG_MAP, odd),
                lambda: list(api.watch(CONFIG_MAP, odd, "", "")),
                lambda: api.apply(CONFIG_MAP, elsewhere, OURS, dry_run=False),
                lambda: api.create(CONFIG_MAP, elsewhere),
                lambda: api.replace(CONFIG_MAP, versioned(elsewhere)),
                lambda: api.delete(CONFIG_MAP, odd, "a", uid="u"),
            ]
        for attempt in attempts:
            with pytest.raises(Refused):
                attempt()
        assert server.requests == []


@pytest.mark.parametrize("name", ["system:auth-delegator", "a b", "ü", "a?b", "a#b", "a..b"])
def test_an_unusual_name_is_one_path_segment(to: Played, name: str) -> None:
    with serving(refuses(404, "not found")) as server:
        with pytest.raises(NotFound):
            to(server).get(NAMESPACE, "", name)
        (seen,) = server.requests
        assert (unquote(seen.path), seen.path.count("/"), seen.query) == (f"/api/v1/namespaces/{name}", 4, ())


def line(change: str, **body: Any) -> bytes:
    return json.dumps({"type": change, "object": body}).encode() + b"\n"


def test_a_watch_asks_for_bookmarks_and_passes_them_on(to: Played) -> None:
    bookmark = {"kind": "ConfigMap", "metadata": {"resourceVersion": "12"}}
    with serving(streams(line("BOOKMARK", **bookmark))) as server:
        assert list(to(server).watch(CONFIG_MAP, "shop", "app=a,tier!=b", "7")) == [
            Change(ChangeType.BOOKMARK, bookmark)
        ]
        (seen,) = server.requests
    assert seen.path == "/api/v1/namespaces/shop/configmaps"
    assert dict(seen.query) == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "270",
        "resourceVersion": "7",
        "labelSelector": "app=a,tier!=b",
    }


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (streams(line("ERROR", code=410, message="too old")), Expired),
        (refuses(410, "too old"), Expired),
        (streams(line("ERROR", code=500, message="odd")), ServerFailed),
        (streams(line("ERROR")), ServerFailed),
        (streams(line("NOVELTY")), ServerFailed),
        (refuses(504, "Timeout: Too large resource version"), ServerFailed),
    ],
)
def test_an_error_in_a_watch_is_raised(to: Played, answer: Any, error: type[Exception]) -> None:
    with serving(answer) as server, pytest.raises(error):
        list(to(server).until(time.monotonic() + 1).watch(CONFIG_MAP, "shop", "", "7"))


def test_a_kind_is_discovered_once_and_a_failure_to_do_so_is_no_unknown_kind(to: Played) -> None:
    row = {"name": "gadgets", "kind": "Gadget", "namespaced": True}
    with serving(refuses(403, "no"), says(200, {"resources": [row, {**row, "name": "gadgets/status"}]})) as server:
        api = to(server)
        with pytest.raises(Forbidden):
            api.resource("example.com/v1", "Gadget")
        assert api.resource("example.com/v1", "Gadget") == UNKNOWN
        assert api.resource("example.com/v1", "Widget") is None
        assert [seen.path for seen in server.requests] == ["/apis/example.com/v1"] * 2


def builtins(kinds: tuple[Resource, ...]) -> list[Resource]:
    """Without what other tests define meanwhile."""
    return [each for each in kinds if builtin(f"{each.group}/{each.version}".strip("/"), each.kind)]


def test_all_kinds_are_asked_for_at_once_and_one_by_one_of_a_server_that_is_old(
    proxy: Server, passed_on: Reply, to: Played
) -> None:
    def old(handler: Handler) -> None:
        handler.seen.headers["accept"] = "application/json"
        passed_on(handler)

    at_once = builtins(to(proxy).kinds())
    asked = [seen.path for seen in proxy.requests]
    assert (asked[:3], "/apis/apps/v1" in asked) == (["/apis", "/apis", "/api/v1"], False)
    with serving(old) as server:
        assert builtins(to(server).kinds()) == at_once
        assert "/apis/apps/v1" in [seen.path for seen in server.requests]
    assert {CONFIG_MAP, DEPLOYMENT, NAMESPACE} <= set(at_once)


V1 = {"groupVersion": "example.com/v1"}
GROUPS = {"kind": "APIGroupList", "groups": [{"name": "example.com", "versions": [V1], "preferredVersion": V1}]}
VERBS = ["list", "delete"]
GADGETS = {
    "resource": "gadgets",
    "responseKind": {"group": "", "version": "", "kind": "Gadget"},
    "scope": "Namespaced",
    "verbs": VERBS,
    "subresources": [{"subresource": "status", "verbs": ["get"]}],
}
UNREACHED: dict[str, Any] = {"resource": "widgets", "responseKind": None, "scope": "Cluster", "subresources": []}


def aggregated(*versions: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "APIGroupDiscoveryList",
        "items": [{"metadata": {"name": "example.com"}, "versions": list(versions)}],
    }


def test_what_the_aggregated_document_says_is_not_asked_for(to: Played) -> None:
    fresh = aggregated({"version": "v1", "freshness": "Current", "resources": [GADGETS, UNREACHED]})
    with serving(says(200, GROUPS), says(200, fresh), says(200, {"resources": []})) as server:
        assert to(server).kinds() == (UNKNOWN,)
        assert [(seen.path, "as=APIGroupDiscoveryList" in seen.headers["accept"]) for seen in server.requests] == [
            ("/apis", False),
            ("/apis", True),
            ("/api/v1", False),
        ]


@pytest.mark.parametrize(
    "incomplete",
    [
        aggregated({"version": "v1", "freshness": "Stale"}),
        aggregated({"version": "v1", "freshness": "Stale", "resources": [GADGETS]}),
        aggregated({"version": "v1", "freshness": "Current"}),
        aggregated({"version": "v1", "resources": [GADGETS]}),
        aggregated({"version": "v2", "freshness": "Current", "resources": [GADGETS]}),
        aggregated(),
        {"kind": "APIGroupDiscoveryList", "items": []},
        GROUPS,
    ],
)
def test_kinds_of_a_server_that_was_not_reached_are_asked_for_and_never_passed_over(
    to: Played, incomplete: dict[str, Any]
) -> None:
    first = [says(200, GROUPS), says(200, incomplete), says(200, {"resources": []})]
    row = {"name": "gadgets", "kind": "Gadget", "namespaced": True, "verbs": VERBS}
    with serving(*first, says(200, {"resources": [row]})) as server:
        assert to(server).kinds() == (UNKNOWN,)
        assert [seen.path for seen in server.requests] == ["/apis", "/apis", "/api/v1", "/apis/example.com/v1"]
    with serving(*first, refuses(503, "unavailable")) as server, pytest.raises(ServerFailed, match="unavailable"):
        to(server).until(time.monotonic() + 0.1).kinds()


@pytest.mark.parametrize("answer", [says(200, {"hello": "world"}), html(200), html(503), refuses(503, "starting")])
def test_the_version_fails_at_once_where_there_is_no_api_server(to: Played, answer: Any) -> None:
    with serving(answer) as server:
        with pytest.raises(ClusterError):
            to(server).version()
        assert len(server.requests) == 1
