from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.graph import Graph, Milestone, graph_of
from kploy.model.app import Manifest
from kploy.model.findings import Place, error
from tests.makers import deployment, manifest, service, thing


def needs(graph: Graph) -> dict[str, dict[str, Milestone]]:
    """By name: what each object waits for; what a barrier stands for is counted as the object's own."""
    waits: list[dict[str, Milestone]] = [{} for _ in graph.nodes]
    for index, node in enumerate(graph.nodes):
        for dependent, milestone in node.dependents:
            if milestone is Milestone.BACKS:
                continue
            if node.ref:
                waits[dependent][str(node.ref)] = milestone
            else:
                waits[dependent] = {**waits[index], **waits[dependent]}
    return {str(node.ref): waits[index] for index, node in enumerate(graph.nodes) if node.ref and waits[index]}


def needs_of(*manifests: Manifest) -> dict[str, dict[str, Milestone]]:
    graph, findings = graph_of(manifests)
    assert findings == ()
    return needs(graph)


POD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      priorityClassName: high
      imagePullSecrets: [{name: registry}]
      volumes:
      - {name: a, configMap: {name: files}}
      - {name: b, secret: {secretName: certificate}}
      - {name: c, persistentVolumeClaim: {claimName: data}}
      - {name: d, projected: {sources: [{configMap: {name: projected}}, {secret: {name: token}}]}}
      initContainers:
      - {name: init, envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: login}}]}
      containers:
      - name: web
        env:
        - {name: A, valueFrom: {configMapKeyRef: {name: flags, key: a}}}
        - {name: B, valueFrom: {secretKeyRef: {name: password, key: b}}}
"""


def test_a_workload_waits_for_everything_its_pods_name() -> None:
    graph, _ = graph_of(
        [
            manifest(POD),
            thing("web", "ServiceAccount"),
            manifest(
                "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}}", namespace=""
            ),
            *(thing(name) for name in ("files", "projected", "settings", "flags")),
            *(thing(name, "Secret") for name in ("registry", "certificate", "token", "login", "password")),
            thing("data", "PersistentVolumeClaim"),
            thing("unrelated"),
        ]
    )
    ready, applied = Milestone.READY, Milestone.APPLIED
    assert needs(graph) == {
        "deployment/web": {
            "serviceaccount/web": ready,
            "priorityclass/high": ready,
            "configmap/files": ready,
            "configmap/projected": ready,
            "configmap/settings": ready,
            "configmap/flags": ready,
            "secret/registry": ready,
            "secret/certificate": ready,
            "secret/token": ready,
            "secret/login": ready,
            "secret/password": ready,
            "persistentvolumeclaim/data": applied,
        }
    }


@pytest.mark.parametrize(
    ("dependent", "needed", "milestone"),
    [
        (
            "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {serviceName: db}}",
            service("db"),
            Milestone.APPLIED,
        ),
        (
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: b}
            roleRef: {kind: Role, name: reader}
            """,
            thing("reader", "Role", "rbac.authorization.k8s.io/v1"),
            Milestone.READY,
        ),
        (
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: b}
            subjects: [{kind: ServiceAccount, name: web}, {kind: User, name: jane}]
            """,
            thing("web", "ServiceAccount"),
            Milestone.READY,
        ),
        (
            """
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata: {name: front}
            spec: {rules: [{http: {paths: [{backend: {service: {name: web}}}]}}]}
            """,
            service("web"),
            Milestone.READY,
        ),
        (
            """
            apiVersion: autoscaling/v2
            kind: HorizontalPodAutoscaler
            metadata: {name: h}
            spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
            """,
            deployment("web"),
            Milestone.READY,
        ),
        (
            """
            apiVersion: policy/v1
            kind: PodDisruptionBudget
            metadata: {name: p}
            spec: {selector: {matchLabels: {app: web}}}
            """,
            deployment("web", {"app": "web", "tier": "front"}),
            Milestone.READY,
        ),
        (
            """
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: r}
            spec: {rules: [{backendRefs: [{name: web}]}]}
            """,
            service("web"),
            Milestone.READY,
        ),
        (
            "{apiVersion: stable.example.com/v1, kind: CronTab, metadata: {name: c}}",
            manifest(
                """
                apiVersion: apiextensions.k8s.io/v1
                kind: CustomResourceDefinition
                metadata: {name: crontabs.stable.example.com}
                spec: {group: stable.example.com, names: {kind: CronTab, plural: crontabs}}
                """,
                namespace="",
            ),
            Milestone.READY,
        ),
        (
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}",
            manifest("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}", namespace=""),
            Milestone.READY,
        ),
    ],
)
def test_an_object_waits_for_what_its_fields_name(dependent: str, needed: Manifest, milestone: Milestone) -> None:
    waiting = manifest(dependent)
    found = needs_of(waiting, needed)
    assert found == {str(waiting.ref): {str(needed.ref): milestone}}


def test_services_are_tried_before_any_workload() -> None:
    assert needs_of(deployment("web"), service("db"), service("mail")) == {
        "deployment/web": {"service/db": Milestone.TRIED, "service/mail": Milestone.TRIED}
    }


def test_a_service_that_waits_for_a_job_holds_up_nobody() -> None:
    found = needs_of(thing("migrate", "Job", "batch/v1"), service("web", after="job/migrate"), deployment("web"))
    assert found == {"service/web": {"job/migrate": Milestone.READY}}


def test_workloads_with_replicas_back_the_services_that_select_them() -> None:
    asleep = thing(
        "asleep",
        "Deployment",
        "apps/v1",
        spec={"replicas": 0, "template": {"metadata": {"labels": {"app": "web"}}}},
    )
    graph, _ = graph_of([service("web", app="web"), deployment("web"), deployment("web2", {"app": "web"}), asleep])
    assert {str(node.ref): node.backers for node in graph.nodes if node.backers} == {"service/web": 2}


@pytest.mark.parametrize(
    "name",
    ["job/migrate", "Job/migrate", "job.batch/migrate", "rcs/migrate", "rcs/migrate.yaml", " job/migrate , "],
)
def test_depends_on_takes_a_kind_and_name_or_a_file(name: str) -> None:
    found = needs_of(thing("migrate", "Job", "batch/v1"), deployment("web", after=name))
    assert found == {"deployment/web": {"job/migrate": Milestone.READY}}


def test_depends_on_something_unknown_is_a_finding_with_the_nearest_name() -> None:
    _, findings = graph_of([thing("migrate", "Job", "batch/v1"), deployment("web", after="job/migrat")])
    assert findings == (
        error(
            "unknown-dependency",
            "deployment/web depends on `job/migrat`, which this app does not have",
            "did you mean `job/migrate`?",
            Place("value metadata.annotations.kploy.dev/depends-on", 1, 1),
        ),
    )


def test_a_cycle_that_was_asked_for_is_a_finding_that_names_it() -> None:
    graph, findings = graph_of([deployment("a", after="deployment/b"), deployment("b", after="deployment/a")])
    assert graph == Graph()
    assert [(finding.rule, finding.message) for finding in findings] == [
        (
            "dependency-cycle",
            "these wait for each other, so none could start: deployment/a → deployment/b → deployment/a",
        )
    ]


def test_a_cycle_is_told_beside_a_dependency_that_is_unknown() -> None:
    app = [deployment("a", after="deployment/b, job/migrate"), deployment("b", after="deployment/a")]
    graph, findings = graph_of(app)
    assert graph == Graph()
    assert [(finding.rule, finding.message) for finding in findings] == [
        ("unknown-dependency", "deployment/a depends on `job/migrate`, which this app does not have"),
        (
            "dependency-cycle",
            "these wait for each other, so none could start: deployment/a → deployment/b → deployment/a",
        ),
    ]


def test_an_object_that_waits_for_itself_is_a_cycle() -> None:
    _, findings = graph_of([deployment("a", after="deployment/a")])
    assert [finding.rule for finding in findings] == ["dependency-cycle"]


def test_a_service_waits_for_the_endpoints_that_those_give_it_who_wait_for_it() -> None:
    app = [
        thing("first"),
        deployment("web", {"app": "web"}, after="job/migrate"),
        thing("migrate", "Job", "batch/v1", after="service/web"),
        service("web", after="configmap/first", app="web"),
    ]
    _, findings = graph_of(app)
    expected = "service/web → deployment/web → job/migrate → service/web"
    assert [finding.message for finding in findings] == [
        f"these wait for each other, so none could start: {expected}"
    ]


def test_services_that_wait_for_each_others_endpoints_are_a_cycle() -> None:
    app = [service(name, app=name) for name in "ab"]
    _, findings = graph_of([*app, deployment("a", after="service/b"), deployment("b", after="service/a")])
    expected = "service/a → deployment/a → service/b → deployment/b → service/a"
    assert [finding.message for finding in findings] == [
        f"these wait for each other, so none could start: {expected}"
    ]


@given(st.data())
def test_an_app_is_refused_when_it_could_not_become_ready_and_only_then(data: st.DataObject) -> None:
    """Services of three labels, and Deployments that carry some of these, each after some of all others."""
    labels = st.sets(st.sampled_from("xyz"), min_size=1)
    backs = data.draw(st.lists(labels, min_size=1, max_size=5))
    selects = data.draw(st.lists(labels, min_size=1, max_size=5))
    names = [f"deployment/d{each}" for each in range(len(backs))]
    names += [f"service/s{each}" for each in range(len(selects))]
    asked = [data.draw(st.sets(st.sampled_from(names), max_size=2)) for _ in names]
    after = dict(zip(names, asked, strict=True))
    workloads = [
        deployment(f"d{each}", dict.fromkeys(carried, "1"), after=",".join(after[f"deployment/d{each}"]))
        for each, carried in enumerate(backs)
    ]
    services = [
        service(f"s{each}", ",".join(after[f"service/s{each}"]), **dict.fromkeys(selected, "1"))
        for each, selected in enumerate(selects)
    ]
    backers = {
        f"service/s{each}": {f"deployment/d{at}" for at, carried in enumerate(backs) if carried >= selected}
        for each, selected in enumerate(selects)
    }
    ready: set[str] = set()
    for _ in names:
        ready |= {
            name for name in names if after[name] <= ready and (not backers.get(name) or backers[name] & ready)
        }
    _, findings = graph_of([*services, *workloads])
    assert [finding.rule for finding in findings] == (["dependency-cycle"] if ready != set(names) else [])


def test_what_is_asked_for_wins_over_what_is_implied() -> None:
    found = needs_of(
        thing("settings", after="deployment/web"),
        deployment("web", volumes=[{"name": "a", "configMap": {"name": "settings"}}]),
    )
    assert found == {"configmap/settings": {"deployment/web": Milestone.READY}}


@given(st.lists(st.lists(st.integers(0, 11), max_size=4), min_size=1, max_size=12))
def test_every_node_stands_after_what_it_needs_or_the_cycle_is_named(edges: list[list[int]]) -> None:
    names = [f"configmap/c{number}" for number in range(len(edges))]
    app = [
        thing(f"c{number}", after=",".join(names[other] for other in others if other < len(edges)))
        for number, others in enumerate(edges)
    ]
    graph, findings = graph_of(app)
    if findings:
        assert [finding.rule for finding in findings] == ["dependency-cycle"]
        return
    assert sorted(manifest.ref for manifest in graph.manifests) == sorted(manifest.ref for manifest in app)
    for index, node in enumerate(graph.nodes):
        assert all(dependent > index for dependent, _ in node.dependents)
    assert sum(node.needs for node in graph.nodes) == sum(len(node.dependents) for node in graph.nodes)


def test_twenty_thousand_objects_have_edges_in_proportion() -> None:
    apps = 5_000
    manifests = [
        each
        for number in range(apps)
        for each in (
            thing(f"a{number}", "ServiceAccount"),
            thing(f"c{number}"),
            service(f"s{number}", app=f"d{number}"),
            deployment(
                f"d{number}", serviceAccountName=f"a{number}", volumes=[{"configMap": {"name": f"c{number}"}}]
            ),
        )
    ]
    graph, _ = graph_of(manifests)
    assert len(graph.nodes) == 4 * apps + 2
    # Each waits for the barrier of env/; a Deployment for its account, its map and the barrier of
    # Services, which each Service is for, and which it backs.
    assert sum(len(node.dependents) for node in graph.nodes) == (4 + 5) * apps


def edges(graph: Graph) -> int:
    return sum(len(node.dependents) for node in graph.nodes)


def test_what_many_select_has_edges_in_proportion() -> None:
    number = 1_000
    workloads = [deployment(f"d{each}", {"app": "x"}) for each in range(number)]
    services = [service(f"s{each}", app="x") for each in range(number)]
    selector = {"selector": {"matchLabels": {"app": "x"}}}
    budgets = [thing(f"b{each}", "PodDisruptionBudget", "policy/v1", spec=selector) for each in range(number)]
    assert edges(graph_of([*services, *workloads])[0]) <= 6 * number
    assert edges(graph_of([*budgets, *workloads])[0]) <= 6 * number


def test_a_file_that_many_name_has_edges_in_proportion() -> None:
    number = 1_000
    named = [replace(thing(f"c{each}"), file="rcs/all.yaml") for each in range(number)]
    graph, _ = graph_of([*named, *(thing(f"d{each}", after="rcs/all") for each in range(number))])
    assert edges(graph) <= 5 * number


def test_an_object_that_names_its_own_file_waits_for_the_others_in_it() -> None:
    one, two, last = (
        replace(thing(name, after=after), file="rcs/all.yaml")
        for name, after in [("a", ""), ("b", ""), ("c", "rcs/all")]
    )
    ready = Milestone.READY
    assert needs_of(one, two, last) == {"configmap/c": {"configmap/a": ready, "configmap/b": ready}}


def test_objects_that_all_name_their_own_file_wait_for_each_other() -> None:
    _, findings = graph_of([replace(thing(name, after="rcs/all"), file="rcs/all.yaml") for name in "abc"])
    expected = "these wait for each other, so none could start: configmap/a → configmap/b → configmap/a"
    assert [finding.message for finding in findings] == [expected]


def test_a_cycle_by_way_of_a_file_names_the_objects() -> None:
    files = [replace(thing(name), file="rcs/all.yaml") for name in "ab"]
    files[0] = replace(thing("a", after="configmap/z"), file="rcs/all.yaml")
    _, findings = graph_of([*files, thing("z", after="rcs/all")])
    assert [finding.rule for finding in findings] == ["dependency-cycle"]
    assert "configmap/a" in findings[0].message
    assert "configmap/z" in findings[0].message


@given(st.data())
def test_what_is_implied_never_makes_a_cycle(data: st.DataObject) -> None:
    """Deployments that name maps, and maps that were asked to wait for Deployments."""
    number = data.draw(st.integers(1, 6))
    some = st.lists(st.integers(0, number - 1), max_size=3)
    maps = [
        thing(f"c{each}", after=",".join(f"deployment/d{other}" for other in data.draw(some)))
        for each in range(number)
    ]
    workloads = [
        deployment(f"d{each}", volumes=[{"configMap": {"name": f"c{other}"}} for other in data.draw(some)])
        for each in range(number)
    ]
    graph, findings = graph_of([*maps, *workloads])
    assert findings == ()
    assert all(dependent > index for index, node in enumerate(graph.nodes) for dependent, _ in node.dependents)
