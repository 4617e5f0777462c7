"""Each rule across manifests: what it finds, and everything that it must leave alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.across import survey
from kploy.core.checks import directory_for
from kploy.core.references import missing
from kploy.core.selectors import Selector, by_labels
from kploy.model.app import App, Kployfile, Manifest, Switch
from kploy.model.findings import Finding
from kploy.model.objects import Body, ObjectRef, group_of
from tests.makers import app_of, manifest_of

BASES: dict[str, str] = {
    "web": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: acme/web:1
        ports: [{name: http, containerPort: 80}]
        readinessProbe: {tcpSocket: {port: http}}
""",
    "service": """
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: http}]
""",
    "budget": """
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {selector: {matchLabels: {app: web}}, maxUnavailable: 1}
""",
    "ingress": """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules:
  - http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
""",
    "set": """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: "db:1"}]}}
  volumeClaimTemplates: [{metadata: {name: data}}]
""",
    "scaler": """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 3}
""",
    "job": """
apiVersion: batch/v1
kind: Job
metadata: {name: job}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: job, image: "job:1"}]}}}
""",
    "config": """
apiVersion: v1
kind: ConfigMap
metadata: {name: flags}
data: {colour: red}
binaryData: {logo: aGk=}
""",
    "secret": "{apiVersion: v1, kind: Secret, metadata: {name: login}, data: {user: aGk=}, stringData: {word: x}}",
    "widget": "{apiVersion: acme.example.com/v1, kind: Widget, metadata: {name: one}, spec: {}}",
}


def put(body: Any, path: str, value: Any) -> None:
    """Set what is at ``spec.ports.0.name``; None takes it out."""
    *way, last = path.split("/")
    for step in way:
        body = body[int(step)] if isinstance(body, list) else body.setdefault(step, {})
    if value is None:
        body.pop(last, None)
    else:
        body[int(last) if isinstance(body, list) else last] = value


def made(base: str, changes: dict[str, Any] | None = None, file: str = "") -> Manifest:
    """One of BASES with changes at paths; POD and BOX stand for a pod's spec and its first container."""
    body = yaml.safe_load(BASES[base])
    for path, value in (changes or {}).items():
        path = path.replace("BOX", "POD/containers/0").replace("POD", "spec/template/spec")  # noqa: PLW2901
        put(body, path, value)
    group, kind, name = group_of(body["apiVersion"]), body["kind"], body["metadata"]["name"]
    ref = ObjectRef(group, kind, "shop", name)
    return manifest_of(body, file or f"{directory_for(ref)}/{name}.yaml")


def told(findings: tuple[Finding, ...]) -> list[str]:
    """Findings whole, as lines."""
    return [f"{f.severity}[{f.rule}] {f.message} | {f.hint} | {f.place and f.place.file}" for f in findings]


def parts(text: str) -> Iterator[Manifest]:
    """Manifests from lines of YAML: the name of a base, or ``{base: changes}``."""
    for part in yaml.safe_load(f"[{text}]"):
        if isinstance(part, str):
            yield made(part)
        else:
            ((base, changes),) = part.items()
            yield made(base, changes)


BOX = "value spec.template.spec.containers.0"

WRONG = yaml.safe_load((Path(__file__).parent / "across/wrong.yaml").read_text())
RIGHT = yaml.safe_load((Path(__file__).parent / "across/right.yaml").read_text())


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_across_manifests(case: dict[str, str]) -> None:
    found = survey(app_of(*parts(case["manifests"])))
    assert told(found.findings) == [case["finding"]]


@pytest.mark.parametrize("manifests", RIGHT.values(), ids=RIGHT.keys())
def test_what_is_right_across_manifests(manifests: str) -> None:
    found = survey(app_of(*parts(manifests)))
    assert told((*found.findings, *found.offline())) == []


@pytest.mark.parametrize(
    ("manifest", "findings"),
    [
        (
            made("secret", file="rcs/login.yaml"),
            [
                (
                    "warning[secret-in-clear] the values of secret/login stand in rcs/ for everybody to read"
                    " | put each into env/KEY.secret | key data"
                )
            ],
        ),
        (made("secret", {"data": None, "stringData": None}, file="services/login.yaml"), []),
        (made("secret", file="env/"), []),
        (made("secret", file="resources/login.yaml"), []),
        (
            made("config", {"data/colour": "é" * 512 * 1024}),
            [
                (
                    "error[too-large] the values of configmap/flags together are larger than 1 MiB"
                    " | split it: Kubernetes takes 1 MiB an object | value kind"
                )
            ],
        ),
        (made("config", {"data/colour": "a" * 1024 * 1024, "binaryData": None}), []),
        (made("secret", {"data/word": "YWFh" * 349525, "data/user": None, "stringData": None}), []),
    ],
)
def test_what_is_wrong_with_one_object(manifest: Manifest, findings: list[str]) -> None:
    assert told(survey(app_of(manifest)).findings) == findings


OPEN = {
    "a Secret": (
        "{web: {BOX/envFrom: [{secretRef: {name: logn}}]}}, secret",
        "value spec.template.spec.containers.0.envFrom.0.secretRef.name",
        "secret/logn",
        "did you mean `login`?",
        "error[missing-secret]",
    ),
    "a Secret that env/ makes": (
        "{web: {BOX/env: [{name: A, valueFrom: {secretKeyRef: {name: kploy-secrets, key: WORD}}}]}}",
        "value spec.template.spec.containers.0.env.0.valueFrom.secretKeyRef.name",
        "secret/kploy-secrets",
        "add env/WORD.secret",
        "error[missing-secret]",
    ),
    "a ConfigMap": (
        "{web: {POD/volumes: [{name: a, configMap: {name: x}}]}}",
        "value spec.template.spec.volumes.0.configMap.name",
        "configmap/x",
        "add it, or name one that is there",
        "error[missing-config-map]",
    ),
    "a ServiceAccount": (
        "{web: {POD/serviceAccount: robot}}",
        "value spec.template.spec.serviceAccount",
        "serviceaccount/robot",
        "add it, or name one that is there",
        "error[missing-service-account]",
    ),
    "a claim": (
        "{web: {POD/volumes: [{name: a, persistentVolumeClaim: {claimName: data-db-0}}]}}",
        "value spec.template.spec.volumes.0.persistentVolumeClaim.claimName",
        "persistentvolumeclaim/data-db-0",
        "add it, or name one that is there",
        "error[missing-claim]",
    ),
    "a Secret to pull images with": (
        "{web: {POD/imagePullSecrets: [{name: hub}]}}",
        "value spec.template.spec.imagePullSecrets.0.name",
        "secret/hub",
        "add it, or name one that is there",
        "warning[missing-pull-secret]",
    ),
    "the Service of a StatefulSet": (
        "set",
        "value spec.serviceName",
        "service/db",
        "add it, or name one that is there",
        "warning[missing-governing-service]",
    ),
    "the backend of an Ingress": (
        "ingress",
        "value spec.rules.0.http.paths.0.backend.service.name",
        "service/web",
        "add it, or name one that is there",
        "error[missing-backend]",
    ),
    "the target of an autoscaler": (
        "scaler",
        "value spec.scaleTargetRef.name",
        "deployment/web",
        "add it, or name one that is there",
        "error[missing-scale-target]",
    ),
}


@pytest.mark.parametrize(("manifests", "place", "name", "hint", "rule"), OPEN.values(), ids=OPEN.keys())
def test_what_the_app_lacks_is_a_warning_offline_and_asked_of_the_cluster(
    manifests: str, place: str, name: str, hint: str, rule: str
) -> None:
    found = survey(app_of(*parts(manifests)))
    (need,) = found.unresolved.needs
    gone: dict[ObjectRef, Body | None] = {need.ref: None}
    assert told(found.findings) == []
    assert told(found.offline()) == [
        (
            f"warning[not-in-app] {name} is not in this app; only the cluster can tell if it is there"
            f" | {hint} | {place}"
        )
    ]
    assert told(found.answered(gone, {})) == [
        f"{rule} {name} is neither in this app nor in namespace shop | {hint} | {place}"
    ]
    assert found.answered({}, {}) == ()
    assert found.answered({need.ref: {"data": {"WORD": ""}}}, {}) == ()


def test_a_key_that_what_is_in_the_cluster_does_not_have() -> None:
    (web,) = parts("{web: {BOX/env: [{name: A, valueFrom: {secretKeyRef: {name: login, key: usr}}}]}}")
    found = survey(app_of(web))
    live = {ObjectRef("", "Secret", "shop", "login"): {"data": {"user": "aHVudGVyMg==", "word": "eA=="}}}
    assert told(found.answered(live, {})) == [
        (
            "error[missing-data-key] secret/login has no key `usr`: it is in the cluster, not in this app"
            f" | did you mean `user`? | {BOX}.env.0.valueFrom.secretKeyRef.key"
        )
    ]


def test_what_is_missing_is_told_once_however_often_it_is_named() -> None:
    texts = "{web: {POD/serviceAccountName: x}}, {job: {POD/serviceAccountName: x}}"
    assert [line.split(" | ")[0] for line in told(survey(app_of(*parts(texts))).offline())] == [
        (
            "warning[not-in-app] serviceaccount/x is not in this app (named in 2 places);"
            " only the cluster can tell if it is there"
        )
    ]


@pytest.mark.parametrize(
    ("manifests", "offline", "asked"),
    [
        (
            "web, {service: {spec/selector/app: wob}}",
            (
                "error[service-without-pods] service/web selects `app=wob`,"
                " which no pod template of this app carries"
                " | did you mean `app=web`? | key spec.selector"
            ),
            (
                "error[service-without-pods] service/web selects `app=wob`,"
                " which no pod carries, in this app or in its namespace"
                " | did you mean `app=web`? | key spec.selector"
            ),
        ),
        (
            "web, service, {service: {metadata/name: other, spec/selector/app: wob}}",
            (
                "warning[not-in-app] service/other selects no pods of this app;"
                " only the cluster can tell if there are any"
                " | correct the labels, if they should be the app's | key spec.selector"
            ),
            (
                "error[service-without-pods] service/other selects `app=wob`,"
                " which no pod carries, in this app or in its namespace"
                " | give it the labels of a pod template | key spec.selector"
            ),
        ),
    ],
    ids=["a mistake", "pods of another app, perhaps"],
)
def test_a_service_whose_selector_matches_no_pods(manifests: str, offline: str, asked: str) -> None:
    found = survey(app_of(*parts(manifests)))
    wob: Selector = by_labels({"app": "wob"})
    assert (told(found.findings), told(found.offline())) == ([], [offline])
    assert told(found.answered({}, {wob: False})) == [asked]
    assert found.answered({}, {wob: True}) == found.answered({}, {}) == ()


def test_of_an_app_that_could_not_be_read_whole_nothing_is_missing() -> None:
    app = app_of(*parts("{service: {spec/selector/app: wob}}, {web: {BOX/envFrom: [{secretRef: {name: no}}]}}"))
    found = survey(app, is_complete=False)
    assert (found.findings, found.offline()) == ((), ())


def test_what_the_kployfile_ignores_is_not_looked_up() -> None:
    manifests = tuple(parts("{web: {BOX/envFrom: [{secretRef: {name: no}}]}}, {service: {spec/selector/app: x}}"))
    rules = (("missing-secret", Switch.IGNORE), ("service-without-pods", Switch.IGNORE))
    found = survey(App("/apps/shop", Kployfile("shop", "shop", rules=rules), manifests))
    assert (found.unresolved.needs, found.unresolved.selectors) == ((), ())


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=4)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from paths(inner, (*path, step))


RICH = """
{web: {BOX/envFrom: [{secretRef: {name: login}}], POD/serviceAccountName: a, POD/imagePullSecrets: [{name: a}],
 BOX/env: [{name: A, valueFrom: {configMapKeyRef: {name: flags, key: colour}}}],
 BOX/volumeMounts: [{name: a, mountPath: /a, subPath: colour}],
 POD/volumes: [{name: a, configMap: {name: flags, items: [{key: colour, path: colour}]}}, {name: b, projected:
 {sources: [{secret: {name: login}}]}}]}}, service, ingress, budget, scaler, set, job, config, secret, widget
"""


@given(data=st.data())
def test_whatever_stands_where_it_should_not_nothing_raises(data: st.DataObject) -> None:
    manifests = list(parts(RICH))
    for _ in range(data.draw(st.integers(1, 3))):
        chosen = data.draw(st.sampled_from(manifests))
        inside = [path for path in paths(chosen.body) if path[0] in {"spec", "data", "stringData", "binaryData"}]
        *way, last = data.draw(st.sampled_from(inside)) if inside else ("spec",)
        body: Any = chosen.body
        for step in way:
            body = body[step]
        body[last] = data.draw(json_values)
    found = survey(app_of(*manifests))
    found.offline()
    tuple(missing(found.unresolved, {need.ref: None for need in found.unresolved.needs}, {}, found.holdings))
