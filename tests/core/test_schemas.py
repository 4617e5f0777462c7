from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kploy.core import schema_store
from kploy.core.conformance import faults
from kploy.core.schema_store import VERSIONS
from kploy.core.schemas import NEWEST, check
from kploy.model.app import Directory, Manifest
from kploy.model.findings import Finding, Line, Place, Severity, error, warning
from kploy.model.objects import JsonPath, ObjectRef, group_of


@dataclass(frozen=True)
class Positions:
    """Every value stands in a file of its own name, on line 1 unless ``lines`` says otherwise."""

    lines: Mapping[JsonPath, int] = field(default_factory=dict)
    text: str = ""

    def value(self, path: JsonPath) -> Place:
        return self._place("value", path)

    def key(self, path: JsonPath) -> Place:
        return self._place("key", path)

    def _place(self, part: str, path: JsonPath) -> Place:
        excerpt = (Line(1, self.text),) if self.text else ()
        width = len(self.text) or 1
        return Place(f"{part} {'.'.join(map(str, path))}".strip(), self.lines.get(path, 1), 1, width, excerpt)


def manifest(body: Any, positions: Positions | None = None) -> Manifest:
    api_version, kind = body["apiVersion"], body["kind"]
    ref = ObjectRef(group_of(api_version), kind, "default", "web")
    return Manifest(ref, api_version, body, "rcs/web.yaml", Directory.RCS, positions or Positions())


def findings(text: str) -> list[tuple[str, str, str, str]]:
    """Rule, message, hint and place of all findings in a manifest."""
    found = check([manifest(yaml.safe_load(text))])
    return sorted((each.rule, each.message, each.hint, each.place.file if each.place else "") for each in found)


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}, creationTimestamp: null}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 25%}}
  template:
    metadata: {labels: {app: web}, creationTimestamp: null}
    spec:
      containers:
        - name: web
          image: ghcr.io/acme/web:1.4
          args: [serve, --verbose]
          env: [{name: PORT, value: "8080"}, {name: KEY, valueFrom: {secretKeyRef: {name: a, key: b}}}]
          ports: [{containerPort: 8080, protocol: TCP}]
          resources: {limits: {cpu: 0.5, memory: 512Mi}, requests: {cpu: 100m, memory: 1e3}}
          readinessProbe: {httpGet: {path: /, port: http}}
          livenessProbe: {tcpSocket: {port: 8080}}
      volumes: [{name: cache, emptyDir: {}}]
status: {}
"""

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - {name: web, image: nginx, %s}
"""

AT = "spec.containers.0"


def test_a_good_manifest_has_no_findings() -> None:
    assert findings(DEPLOYMENT) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_every_vendored_version_takes_a_good_manifest(version: str) -> None:
    assert check([manifest(yaml.safe_load(DEPLOYMENT))], version) == ()


def test_the_versions_are_those_of_the_files() -> None:
    files = (Path(schema_store.__file__).parent / "data").glob("kubernetes-*.json.gz")
    assert {file.name for file in files} == {f"kubernetes-{version}.json.gz" for version in VERSIONS}


def test_the_newest_version_is_the_default() -> None:
    assert VERSIONS[-1] == NEWEST == schema_store.newest() == schema_store.load(NEWEST).version


def test_a_version_without_schemas_is_a_lookup_error_that_names_those_there_are() -> None:
    with pytest.raises(LookupError, match=rf"no schemas of Kubernetes 1\.2, only of .*{NEWEST}"):
        check([], "1.2")


# Fields.


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        pytest.param(
            "imagee: x",
            ("unknown-field", "`imagee` is not a field of Container", "did you mean `image`?", f"key {AT}.imagee"),
            id="a near name",
        ),
        pytest.param(
            "imagepullpolicy: Always",
            (
                "unknown-field",
                "`imagepullpolicy` is not a field of Container",
                "did you mean `imagePullPolicy`?",
                f"key {AT}.imagepullpolicy",
            ),
            id="only the case is wrong",
        ),
        pytest.param(
            "nodeSelector: {}",
            (
                "unknown-field",
                "`nodeSelector` is not a field of Container",
                "`nodeSelector` belongs under spec",
                f"key {AT}.nodeSelector",
            ),
            id="a field of the pod",
        ),
        pytest.param(
            "labels: {}",
            (
                "unknown-field",
                "`labels` is not a field of Container",
                "`labels` belongs under metadata",
                f"key {AT}.labels",
            ),
            id="a field of the metadata",
        ),
        pytest.param(
            "qwertyuiop: 1",
            ("unknown-field", "`qwertyuiop` is not a field of Container", "", f"key {AT}.qwertyuiop"),
            id="nothing like it",
        ),
        pytest.param(
            "args: [1]",
            ("wrong-type", "`args[0]` must be a string, not an integer", 'quote it: "1"', f"value {AT}.args.0"),
            id="an integer in a list of strings",
        ),
        pytest.param(
            "tty: 'true'",
            ("wrong-type", "`tty` must be true or false, not a string", "take out the quotes", f"value {AT}.tty"),
            id="a quoted boolean",
        ),
        pytest.param(
            "tty: 'on'",
            (
                "wrong-type",
                "`tty` must be true or false, not a string",
                "write true or false, without quotes",
                f"value {AT}.tty",
            ),
            id="a word for a boolean",
        ),
        pytest.param(
            "args: serve",
            (
                "wrong-type",
                "`args` must be a list, not a string",
                'start each entry with "- "',
                f"value {AT}.args",
            ),
            id="a scalar where a list belongs",
        ),
        pytest.param(
            "resources: []",
            ("wrong-type", "`resources` must be a map, not a list", 'take out the "- "', f"value {AT}.resources"),
            id="a list where a map belongs",
        ),
        pytest.param(
            "env: [{name: PORT, value: 8080}]",
            (
                "wrong-type",
                "`value` must be a string, not an integer",
                'quote it: "8080"',
                f"value {AT}.env.0.value",
            ),
            id="an environment variable that is a number",
        ),
        pytest.param(
            "env: [{name: DEBUG, value: yes}]",
            ("wrong-type", "`value` must be a string, not a boolean", "quote it", f"value {AT}.env.0.value"),
            id="a boolean has many ways to be written",
        ),
        pytest.param(
            "ports: [{containerPort: '80'}]",
            (
                "wrong-type",
                "`containerPort` must be an integer, not a string",
                "take out the quotes",
                f"value {AT}.ports.0.containerPort",
            ),
            id="a quoted port",
        ),
        pytest.param(
            "ports: [{name: http}]",
            (
                "missing-field",
                "`containerPort` is required in ContainerPort",
                "add `containerPort:`",
                f"value {AT}.ports.0",
            ),
            id="a field missing in an entry of a list",
        ),
        pytest.param(
            "securityContext: {seccompProfile: {}}",
            (
                "missing-field",
                "`type` is required in SeccompProfile",
                "add `type:`",
                f"key {AT}.securityContext.seccompProfile",
            ),
            id="a field missing in a map",
        ),
        pytest.param(
            "imagePullPolicy: Allways",
            (
                "invalid-value",
                "`imagePullPolicy` must be one of Always, IfNotPresent, Never",
                "did you mean `Always`?",
                f"value {AT}.imagePullPolicy",
            ),
            id="a choice that there is not",
        ),
        pytest.param(
            "ports: [{containerPort: 65536}]",
            (
                "invalid-value",
                "`containerPort` must be from 1 to 65535",
                "",
                f"value {AT}.ports.0.containerPort",
            ),
            id="a port out of range",
        ),
        pytest.param(
            "resources: {limits: {memory: 512MB}}",
            (
                "invalid-value",
                "`memory` must be a quantity",
                "such as 500m, 1.5 or 128Mi",
                f"value {AT}.resources.limits.memory",
            ),
            id="a quantity with a unit that there is not",
        ),
        pytest.param(
            "livenessProbe: {httpGet: {port: 1.5}}",
            (
                "wrong-type",
                "`port` must be a string or an integer, not a number",
                "",
                f"value {AT}.livenessProbe.httpGet.port",
            ),
            id="neither an integer nor a string",
        ),
        pytest.param(
            "livenessProbe: {periodSeconds: 4294967296}",
            (
                "invalid-value",
                "`periodSeconds` must be a 32-bit integer",
                "",
                f"value {AT}.livenessProbe.periodSeconds",
            ),
            id="an integer that is too large",
        ),
    ],
)
def test_a_field_that_the_schema_does_not_allow(line: str, finding: tuple[str, str, str, str]) -> None:
    assert findings(POD % line) == [finding]


def test_a_misspelt_required_field_is_one_finding_and_not_two() -> None:
    text = POD.replace("name: web, image", "nmae: web, image") % "tty: true"
    assert findings(text) == [
        ("unknown-field", "`nmae` is not a field of Container", "did you mean `name`?", f"key {AT}.nmae")
    ]


def test_an_empty_spec_is_missing() -> None:
    assert findings("{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: }") == [
        ("missing-field", "`spec` is required in Deployment", "it is empty", "key spec")
    ]


def test_a_field_missing_in_the_object_itself_is_shown_at_its_kind() -> None:
    assert findings("{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}}") == [
        ("missing-field", "`spec` is required in Deployment", "add `spec:`", "value kind")
    ]


def test_an_empty_list_of_containers_is_missing() -> None:
    assert findings("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: }}") == [
        ("missing-field", "`containers` is required in PodSpec", "it is empty", "key spec.containers")
    ]


def test_fields_one_level_too_high_are_told_where_they_belong() -> None:
    text = DEPLOYMENT.replace("  replicas: 3\n", "  containers: []\n").replace(
        "{name: web, labels", "{replicas: 3, labels"
    )
    assert findings(text) == [
        (
            "unknown-field",
            "`containers` is not a field of DeploymentSpec",
            "`containers` belongs under spec.template.spec",
            "key spec.containers",
        ),
        (
            "unknown-field",
            "`replicas` is not a field of ObjectMeta",
            "`replicas` belongs under spec",
            "key metadata.replicas",
        ),
    ]


def test_a_number_is_quoted_as_it_stands_in_the_file() -> None:
    body = yaml.safe_load(POD % "env: [{name: MODE, value: 0644}]")
    [found] = check([manifest(body, Positions(text="0644"))])
    assert found.hint == 'quote it: "0644"'


def test_all_findings_come_in_the_order_of_manifests_and_lines() -> None:
    first = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [], "zone": 1, "area": 2}}
    second = {"apiVersion": "v1", "kind": "Pood"}
    at = Positions({("spec", "zone"): 5, ("spec", "area"): 9})
    assert check([manifest(first, at), manifest(second)]) == (
        error("unknown-field", "`zone` is not a field of PodSpec", "", Place("key spec.zone", 5, 1)),
        error("unknown-field", "`area` is not a field of PodSpec", "", Place("key spec.area", 9, 1)),
        error(
            "unknown-kind",
            f"Kubernetes {NEWEST} has no kind Pood",
            "did you mean `Pod`?",
            Place("value kind", 1, 1),
        ),
    )


# Versions.


STRICT = POD.replace("image: nginx, %s", "image: nginx, restartPolicyRules: []") + "  schedulingGroup: {}\n"


def test_a_field_of_a_newer_version_names_the_first_that_has_it() -> None:
    body = yaml.safe_load(STRICT)
    found = {
        version: sorted((each.message, each.hint) for each in check([manifest(body)], version))
        for version in VERSIONS
    }
    of_container = "`restartPolicyRules` is not a field of Container"
    of_pod = "`schedulingGroup` is not a field of PodSpec"
    assert found == {
        "1.33": [(of_container, "Kubernetes 1.34 has it"), (of_pod, "Kubernetes 1.36 has it")],
        "1.34": [(of_pod, "Kubernetes 1.36 has it")],
        "1.35": [(of_pod, "Kubernetes 1.36 has it")],
        "1.36": [],
        "1.37": [],
    }


@pytest.mark.parametrize(
    ("version", "minor", "nearest"),
    [
        ("1.35", "1.35", "1.35"),
        ("v1.35", "1.35", "1.35"),
        ("1.35.4", "1.35", "1.35"),
        ("v1.36.2-gke.100+k3s1", "1.36", "1.36"),
        ("v1.34+", "1.34", "1.34"),
        ("v1.9.11", "1.9", "1.33"),
        ("v1.99.0", "1.99", NEWEST),
        ("v2.0.0", "2.0", NEWEST),
        ("1", "", NEWEST),
        ("devel", "", NEWEST),
        ("", "", NEWEST),
    ],
)
def test_a_version_is_met_by_the_nearest_schemas(version: str, minor: str, nearest: str) -> None:
    assert schema_store.minor_of(version) == minor
    assert schema_store.nearest(minor) == nearest


def test_the_schemas_of_a_version_are_read_once() -> None:
    assert schema_store.load(NEWEST) is schema_store.load(NEWEST)


# Kinds.


@pytest.mark.parametrize(
    ("api_version", "kind", "finding"),
    [
        (
            "extensions/v1beta1",
            "Deployment",
            (
                "removed-api",
                "has no Deployment in extensions/v1beta1: it went in 1.16",
                "use apps/v1",
                "value apiVersion",
            ),
        ),
        (
            "autoscaling/v2beta2",
            "HorizontalPodAutoscaler",
            (
                "removed-api",
                "has no HorizontalPodAutoscaler in autoscaling/v2beta2: it went in 1.26",
                "use autoscaling/v2",
                "value apiVersion",
            ),
        ),
        (
            "policy/v1beta1",
            "PodSecurityPolicy",
            (
                "removed-api",
                "has no PodSecurityPolicy in policy/v1beta1: it went in 1.25",
                "label the Namespace pod-security.kubernetes.io/enforce instead",
                "value apiVersion",
            ),
        ),
        ("v1", "Deployment", ("unknown-kind", "has no Deployment in v1", "use apps/v1", "value apiVersion")),
        (
            "app/v1",
            "Deployment",
            ("unknown-kind", "has no Deployment in app/v1", "use apps/v1", "value apiVersion"),
        ),
        (
            "apps/v1",
            "Deploymnet",
            ("unknown-kind", "has no kind Deploymnet", "did you mean `Deployment`?", "value kind"),
        ),
        (
            "v1",
            "deployment",
            ("unknown-kind", "has no kind deployment", "did you mean `Deployment` of apps/v1?", "value kind"),
        ),
        ("v1", "Xyzzy", ("unknown-kind", "has no kind Xyzzy", "", "value kind")),
    ],
)
def test_a_kind_that_kubernetes_does_not_have(
    api_version: str, kind: str, finding: tuple[str, str, str, str]
) -> None:
    rule, message, hint, place = finding
    text = f"{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: web}}}}"
    assert findings(text) == [(rule, f"Kubernetes {NEWEST} {message}", hint, place)]


def test_a_custom_resource_is_left_to_the_cluster() -> None:
    assert (
        findings("{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: a}, speck: 1}")
        == []
    )


# What the server writes.


def test_fields_of_the_server_are_warnings() -> None:
    body = yaml.safe_load(POD % "tty: true")
    body["metadata"] |= {"uid": "1", "resourceVersion": "2", "managedFields": [], "generation": None}
    body["status"] = {"phase": "Running", "no such field": 1}
    assert check([manifest(body)]) == tuple(
        warning("server-field", f"`{name}` is the server's to write", "take it out", Place(f"key {name}", 1, 1))
        for name in ("status", "metadata.resourceVersion", "metadata.uid")
    )


def test_the_blank_status_that_generators_leave_behind_is_no_finding() -> None:
    status: dict[str, Any] = {
        "acceptedNames": {"kind": "", "plural": ""},
        "conditions": [],
        "storedVersions": None,
    }
    names = {"kind": "A", "plural": "as"}
    spec = {"group": "b.c", "names": names, "scope": "Namespaced", "versions": []}
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": spec,
        "status": status,
    }
    assert check([manifest(body)]) == ()


def test_a_custom_resource_may_have_a_status_of_its_own() -> None:
    body = {"apiVersion": "acme.io/v1", "kind": "Thing", "metadata": {"uid": "1"}, "status": {"a": 1}}
    assert [found.message for found in check([manifest(body)])] == ["`metadata.uid` is the server's to write"]


# Secrets and hostile bodies.


def test_no_finding_quotes_a_value_of_a_secret() -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "web"},
        "type": 81547,
        "immutable": "81547",
        "data": {"a": "hunter2!", "b": 81547, "c": ["hunter2!"]},
        "stringData": {"d": 81547, "e": True},
    }
    found = check([manifest(body, Positions(text="81547"))])
    assert sorted((each.message, each.hint) for each in found) == [
        ("`a` must be base64", "plain text belongs under `stringData`"),
        ("`b` must be a string, not an integer", "quote it"),
        ("`c` must be a string, not a list", ""),
        ("`d` must be a string, not an integer", "quote it"),
        ("`e` must be a string, not a boolean", "quote it"),
        ("`immutable` must be true or false, not a string", "write true or false, without quotes"),
        ("`type` must be a string, not an integer", "quote it"),
    ]


def test_what_is_no_secret_is_not_sent_to_the_fields_of_a_secret() -> None:
    text = '{apiVersion: v1, kind: ConfigMap, binaryData: {a: "hunter2!"}}'
    assert findings(text) == [("invalid-value", "`a` must be base64", "", "value binaryData.a")]


def test_base64_may_be_folded_over_lines() -> None:
    assert findings('{apiVersion: v1, kind: Secret, data: {a: "aHVu\\ndGVy\\n"}}') == []


FIELDS = st.sampled_from(
    ["metadata", "spec", "status", "data", "labels", "containers", "template", "selector", "rules"]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("aB1-. é", max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("aB1-. é", max_size=4) | FIELDS, inner, max_size=4)
    ),
    max_leaves=12,
)
KINDS = st.sampled_from(
    sorted((api_version, kind) for api_version, kinds in schema_store.load(NEWEST).kinds.items() for kind in kinds)
)


@settings(deadline=None)
@given(st.dictionaries(FIELDS, json_values), KINDS)
def test_no_body_is_too_strange(body: dict[str, Any], kind: tuple[str, str]) -> None:
    found = check([manifest({**body, "apiVersion": kind[0], "kind": kind[1]})])
    assert all(isinstance(each, Finding) for each in found)


def test_a_body_nested_deeper_than_python_recurses() -> None:
    schema: dict[str, Any] = {}
    for _ in range(2_000):
        schema = {"properties": {"a": schema}}
    body = yaml.safe_load("{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, spec: {}}")
    body["spec"] = {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]}
    found = check([manifest(body)])
    assert {each.rule for each in found} == {"missing-field"}


def test_ten_thousand_labels_that_are_wrong() -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "data": dict.fromkeys(map(str, range(10_000)), 1)}
    assert len(check([manifest(body)])) == 10_000


# The walk against a general validator.


DEFINITION = "io.k8s.api.apps.v1.Deployment"
VALIDATOR = jsonschema.Draft202012Validator(
    {"$defs": schema_store.load(NEWEST).definitions, "$ref": f"#/$defs/{DEFINITION}"}
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A good manifest with one value replaced, one field renamed, or one field taken out."""
    body = copy.deepcopy(yaml.safe_load(DEPLOYMENT))
    place: Any = body["spec"]
    while True:
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not (isinstance(place[key], dict | list) and place[key] and draw(st.booleans())):
            break
        place = place[key]
    change = draw(st.sampled_from(["replace", "rename", "remove"]))
    if change == "replace" or isinstance(place, list):
        place[key] = draw(st.sampled_from([True, 1, 0, 1.0, 0.5, "1", "x", [], {}, [1], {"a": 1}, ["a"]]))
    elif change == "rename":
        place[f"{key}x"] = place.pop(key)
    else:
        del place[key]
    return body


@settings(max_examples=200, deadline=None)
@given(mutated())
def test_the_walk_and_jsonschema_agree_on_what_is_valid(body: Any) -> None:
    found = list(faults(schema_store.load(NEWEST), DEFINITION, body))
    formats = [fault for fault in found if fault.message.endswith(("be a quantity", "be a time"))]
    assert (len(found) == len(formats)) == VALIDATOR.is_valid(body)


def test_only_server_fields_are_warnings() -> None:
    found = check([manifest({"apiVersion": "v1", "kind": "Pod", "spec": 1, "metadata": {"uid": "a"}})])
    assert {(each.rule, each.severity) for each in found} == {
        ("server-field", Severity.WARNING),
        ("wrong-type", Severity.ERROR),
    }
