from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kploy.cluster.adapter import ApiServer
from kploy.cluster.connection import Choice, connect
from kploy.cluster.port import Invalid
from kploy.core.checks import check, directory_for
from kploy.model.app import LABEL, Directory, Manifest
from kploy.model.findings import Finding, Place, error, warning
from kploy.model.objects import JsonPath, ObjectRef
from kploy.sandbox import Sandbox
from tests.makers import app_of, manifest_of, thing

CONFIG = "resources/a.yaml"
SLICE = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "a"}}


def config(file: str = CONFIG, **metadata: Any) -> Manifest:
    return manifest_of({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", **metadata}}, file)


def test_an_app_as_it_should_be_has_no_findings() -> None:
    own = app_of().id
    app = app_of(
        config(namespace="shop", labels={LABEL: own}),
        manifest_of({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}, "rcs/a.yaml"),
        manifest_of({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}, "services/a.yaml"),
        manifest_of({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "kploy-secrets"}}, "env/"),
        manifest_of({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}, CONFIG, namespace=""),
    )
    assert check(app) == ()


@pytest.mark.parametrize(
    ("manifest", "findings"),
    [
        (
            config(namespace="other"),
            [
                error(
                    "foreign-namespace",
                    "configmap/a asks for namespace `other`, but the app's is `shop`",
                    "take it out, or change `namespace` in the Kployfile",
                    Place("value metadata.namespace", 1, 1),
                )
            ],
        ),
        (
            manifest_of(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "namespace": "shop"}},
                CONFIG,
                namespace="",
            ),
            [
                error(
                    "cluster-wide-kind",
                    "namespace/shop belongs to the whole cluster and can have no namespace",
                    "take `namespace` out",
                    Place("value metadata.namespace", 1, 1),
                )
            ],
        ),
        (
            config(labels={LABEL: "other-123"}),
            [
                error(
                    "foreign-label",
                    "configmap/a carries the label of another app",
                    "take it out",
                    Place(f"value metadata.labels.{LABEL}", 1, 1),
                )
            ],
        ),
        (
            config("rcs/sub/a.yaml"),
            [
                warning(
                    "wrong-directory",
                    "a ConfigMap belongs into resources/, not rcs/",
                    "move it to resources/sub/a.yaml",
                    Place("value kind", 1, 1),
                )
            ],
        ),
        # A kind that Kubernetes does not have is a finding of the schemas; where it lies matters no more.
        (thing("a", "Deploymnt", "apps/v1"), []),
        # The endpoints of a Service belong where it does.
        (manifest_of({**SLICE, "kind": "EndpointSlice"}, "services/a.yaml"), []),
        (manifest_of({**SLICE, "apiVersion": "v1", "kind": "Endpoints"}, "services/a.yaml"), []),
        (
            manifest_of(SLICE, "resources/a.yaml"),
            [
                warning(
                    "wrong-directory",
                    "an EndpointSlice belongs into services/, not resources/",
                    "move it to services/a.yaml",
                    Place("value kind", 1, 1),
                )
            ],
        ),
        # A custom resource belongs into resources/.
        (
            thing("a", "Tap", "example.com/v1"),
            [
                warning(
                    "wrong-directory",
                    "a Tap belongs into resources/, not rcs/",
                    "move it to resources/a.yaml",
                    Place("value kind", 1, 1),
                )
            ],
        ),
    ],
)
def test_what_is_wrong_with_one_manifest(manifest: Manifest, findings: list[Finding]) -> None:
    assert list(check(app_of(manifest))) == findings


def named(kind: str, api_version: str, name: str, **spec: Any) -> Manifest:
    fields = {"spec": spec} if spec else {}
    right = directory_for(ObjectRef(api_version.rpartition("/")[0], kind, "shop", name))
    return manifest_of(
        {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **fields}, f"{right}/a.yaml"
    )


@pytest.mark.parametrize(
    ("manifest", "message", "hint"),
    [
        (
            named("CronJob", "batch/v1", "a" * 53),
            "the name of a CronJob has at most 52 characters, this has 53",
            "shorten it: its Jobs' names are 11 longer",
        ),
        (
            named("Service", "v1", "a" * 64),
            "the name of a Service has at most 63 characters, this has 64",
            "shorten it: it is the name of a host",
        ),
        (
            named("StatefulSet", "apps/v1", "a.b"),
            "the name of a StatefulSet has no dots",
            "write `-`: its pods are named after it, and have host names",
        ),
    ],
)
def test_a_name_that_its_kind_does_not_take_is_an_error_at_the_name(
    manifest: Manifest, message: str, hint: str
) -> None:
    place = Place("value metadata.name", 1, 1)
    assert check(app_of(manifest)) == (error("invalid-name", message, hint, place),)


def test_a_job_with_its_own_selector_gets_no_label_that_limits_its_name() -> None:
    assert check(app_of(named("Job", "batch/v1", "a" * 64, manualSelector=True))) == ()


_POD: dict[str, Any] = {"restartPolicy": "Always", "containers": [{"name": "a", "image": "a"}]}
_TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": _POD}
_ONCE = {"metadata": {"labels": {"a": "b"}}, "spec": {**_POD, "restartPolicy": "Never"}}
_SELECTED = {"selector": {"matchLabels": {"a": "b"}}, "template": _TEMPLATE}
_SPECS: dict[tuple[str, str], dict[str, Any]] = {
    ("v1", "Pod"): _POD,
    ("v1", "Service"): {"ports": [{"port": 80}]},
    ("v1", "Namespace"): {},
    ("v1", "ReplicationController"): {"selector": {"a": "b"}, "template": _TEMPLATE},
    ("apps/v1", "Deployment"): _SELECTED,
    ("apps/v1", "DaemonSet"): _SELECTED,
    ("apps/v1", "ReplicaSet"): _SELECTED,
    ("apps/v1", "StatefulSet"): {**_SELECTED, "serviceName": "a"},
    ("batch/v1", "Job"): {"template": _ONCE},
    ("batch/v1", "CronJob"): {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": _ONCE}}},
}
_LONGEST = ".".join(["a" * 60] * 4)


@pytest.mark.cluster
@pytest.mark.parametrize(("api_version", "kind"), list(_SPECS))
def test_the_api_server_takes_the_same_names(api_version: str, kind: str, cluster: Sandbox) -> None:
    server = ApiServer(connect(Choice(kubeconfig=str(cluster.kubeconfig))))
    resource = server.resource(api_version, kind)
    assert resource is not None

    def is_taken(manifest: Manifest) -> bool:
        namespace = {"namespace": "default"} if resource.namespaced else {}
        body = {**manifest.body, "metadata": {**manifest.body["metadata"], **namespace}}
        try:
            server.apply(resource, body, "test", dry_run=True)
        except Invalid:
            return False
        return True

    names = ("kploy-1a", "kploy.1a", "1kploy", "a" * 52, "a" * 53, "a" * 63, "a" * 64, _LONGEST)
    manifests = [named(kind, api_version, name, **_SPECS[api_version, kind]) for name in names]
    said = [not any(finding.rule == "invalid-name" for finding in check(app_of(each))) for each in manifests]
    assert said == list(map(is_taken, manifests))
    server.close()


def test_an_object_that_is_defined_again_is_a_finding_each_time_that_names_the_first() -> None:
    one, two, three = (config(f"resources/{name}.yaml") for name in ("one", "two", "three"))
    found = error(
        "duplicate-object",
        "configmap/a is defined twice: first at value metadata.name:1:1",
        "take one of them out, or rename it",
        Place("value metadata.name", 1, 1),
    )
    assert check(app_of(one, two, three)) == (found, found)


def test_one_object_under_two_api_versions_is_one_object() -> None:
    versions = ("autoscaling/v1", "autoscaling/v2")
    twice = [
        manifest_of({"apiVersion": version, "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"}}, CONFIG)
        for version in versions
    ]
    assert [finding.rule for finding in check(app_of(*twice))] == ["duplicate-object"]


@pytest.mark.parametrize(
    ("group", "kind", "directory"),
    [
        ("", "ReplicationController", Directory.RCS),
        ("batch", "CronJob", Directory.RCS),
        ("", "Service", Directory.SERVICES),
        ("gateway.networking.k8s.io", "HTTPRoute", Directory.SERVICES),
        ("", "Secret", Directory.RESOURCES),
        ("networking.k8s.io", "NetworkPolicy", Directory.RESOURCES),
        ("serving.knative.dev", "Service", Directory.RESOURCES),
        ("example.com", "Deployment", Directory.RESOURCES),
    ],
)
def test_the_kind_says_where_a_manifest_belongs(group: str, kind: str, directory: Directory) -> None:
    assert directory_for(ObjectRef(group, kind, "shop", "a")) is directory


@pytest.mark.parametrize(("kind", "said"), [("Ingress", "an Ingress"), ("Service", "a Service")])
def test_a_kind_in_the_wrong_directory_has_its_article(kind: str, said: str) -> None:
    group = "networking.k8s.io/v1" if kind == "Ingress" else "v1"
    manifest = manifest_of({"apiVersion": group, "kind": kind, "metadata": {"name": "a"}}, "rcs/a.yaml")
    (finding,) = check(app_of(manifest))
    assert finding.message == f"{said} belongs into services/, not rcs/"


def test_no_place_is_looked_for_where_nothing_is_wrong() -> None:
    class Unread:
        def value(self, path: JsonPath) -> Place:
            raise AssertionError(path)

        key = value

    service = manifest_of(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "shop"}}, "services/a.yaml"
    )
    assert check(app_of(replace(service, positions=Unread()))) == ()
