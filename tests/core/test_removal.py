from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.graph import Graph, Milestone, graph_of
from kploy.core.inventory import Entry
from kploy.core.removal import Leaving, Parting, objection, parting, with_removals
from kploy.model.app import KEEP, LABEL, Manifest
from kploy.model.objects import ObjectRef, Resource
from tests.makers import deployment, manifest, service, thing

APP = "shop-1"
MANAGERS = [{"manager": f"kploy-{APP}", "operation": "Apply"}]


def entry_of(kind: str = "ConfigMap", group: str = "", uid: str = "uid-1") -> Entry:
    return Entry(ObjectRef(group, kind, "shop", "x"), Resource(group, "v1", kind, f"{kind.lower()}s", True), uid)


def live(uid: str = "uid-1", label: str = APP, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"uid": uid, "labels": {LABEL: label}, "managedFields": MANAGERS, **metadata}}


def parted(entry: Entry, *body: Any, everything: bool = False) -> Parting:
    return parting([entry], dict.fromkeys([entry.ref], *body) if body else {}, APP, everything=everything)


ENTRY = entry_of()


def test_what_is_labelled_and_has_its_uid_leaves() -> None:
    assert parted(ENTRY, live()) == Parting(leaving=(Leaving(ENTRY, live()),))


def test_what_is_proven_gone_is_gone() -> None:
    assert parted(ENTRY, None) == Parting(gone=(ENTRY,))


def test_what_could_not_be_looked_at_is_kept() -> None:
    assert parted(ENTRY) == Parting(kept=((ENTRY, "the cluster could not be asked about it"),))


NO_LABEL = "it does not carry this app's label any more"
ANEW = "it is another object than the one that kploy made: somebody has made it anew"
NOT_OURS = "it carries this app's label, but it is not kploy that made it"


@pytest.mark.parametrize(
    ("entry", "body", "reason"),
    [
        (ENTRY, live(label="other-1"), NO_LABEL),
        (ENTRY, {"metadata": {"uid": "uid-1"}}, NO_LABEL),
        (ENTRY, {"metadata": {"uid": "uid-1", "labels": [APP]}}, NO_LABEL),
        (ENTRY, {}, NO_LABEL),
        (ENTRY, live("uid-2"), ANEW),
        (ENTRY, live(""), ANEW),
        (entry_of(uid=""), live(managedFields=[{"manager": "kubectl"}]), NOT_OURS),
        (entry_of(uid=""), live(managedFields=None), NOT_OURS),
    ],
)
def test_what_is_not_the_apps_is_released_and_never_deleted(entry: Entry, body: Any, reason: str) -> None:
    assert parted(entry, body, everything=True) == Parting(released=((entry, reason),))
    assert objection(entry, body, APP) == reason


def test_what_a_run_made_before_it_was_cut_off_leaves() -> None:
    entry = entry_of(uid="")
    assert parted(entry, live("uid-9")).leaving == (Leaving(entry, live("uid-9")),)


@pytest.mark.parametrize(
    ("kind", "group", "reason"),
    [
        ("Namespace", "", "others may live in it"),
        ("PersistentVolume", "", "it holds data"),
        ("PersistentVolumeClaim", "", "it holds data"),
        ("CustomResourceDefinition", "apiextensions.k8s.io", "all objects of its kind would go with it"),
    ],
)
def test_what_holds_data_or_others_is_kept_unless_everything_goes(kind: str, group: str, reason: str) -> None:
    entry = entry_of(kind, group)
    assert parted(entry, live()) == Parting(kept=((entry, reason),))
    assert parted(entry, live(), everything=True) == Parting(leaving=(Leaving(entry, live()),))
    assert parted(entry_of(kind, "example.com"), live()).kept == ()


@pytest.mark.parametrize("everything", [True, False])
@pytest.mark.parametrize("place", [{"annotations": {KEEP: "true"}}, {"labels": {LABEL: APP, KEEP: "true"}}])
def test_what_is_asked_to_be_kept_is_kept_whatever_goes(place: dict[str, Any], everything: bool) -> None:
    reason = "kploy.dev/keep asks for it"
    assert parted(ENTRY, live(**place), everything=everything) == Parting(kept=((ENTRY, reason),))
    assert objection(ENTRY, live(**place), APP) == reason


def test_only_true_keeps_an_object() -> None:
    assert parted(ENTRY, live(annotations={KEEP: "false"})).leaving
    assert objection(ENTRY, live(annotations={KEEP: "false"}), APP) == ""


_JSON = st.recursive(
    st.none() | st.integers() | st.just(APP),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["metadata", "labels", "annotations", "managedFields", LABEL]), inner)
    ),
    max_leaves=6,
)


@given(_JSON)
def test_an_object_of_any_shape_has_one_fate(body: Any) -> None:
    found = parting([ENTRY], {ENTRY.ref: body}, APP)
    assert len((*found.leaving, *found.kept, *found.released, *found.gone)) == 1


# The order.


def leaving(*manifests: Manifest) -> list[Leaving]:
    return [
        Leaving(
            Entry(
                each.ref, Resource(each.ref.group, "v1", each.ref.kind, "plural", bool(each.ref.namespace)), "u"
            ),
            each.body,
        )
        for each in manifests
    ]


def order_of(graph: Graph) -> dict[str, set[str]]:
    """By name: everything that has to be gone before an object goes."""
    before: list[set[str]] = [set() for _ in graph.nodes]
    for index, node in enumerate(graph.nodes):
        own = {str(node.ref)} if node.ref else set()
        for dependent, milestone in node.dependents:
            assert dependent > index
            assert milestone is Milestone.READY
            before[dependent] |= before[index] | own
    return {str(node.ref): before[index] for index, node in enumerate(graph.nodes) if node.leaving}


def removals(*manifests: Manifest) -> dict[str, set[str]]:
    return order_of(with_removals(Graph(), leaving(*manifests)))


def test_nothing_leaves_and_the_graph_is_the_same() -> None:
    graph, _ = graph_of([thing("a")])
    assert with_removals(graph, ()) is graph


def test_what_needs_others_goes_before_them() -> None:
    found = removals(
        thing("settings"),
        deployment("web", volumes=[{"configMap": {"name": "settings"}}]),
        service("front", app="web"),
        thing("late", after="deployment/web"),
    )
    assert found == {
        "configmap/late": set(),
        "deployment/web": {"configmap/late"},
        "configmap/settings": {"deployment/web", "configmap/late"},
        "service/front": {"deployment/web", "configmap/late"},
    }


DEFINITION = manifest(
    """
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {name: crontabs.stable.example.com}
    spec: {group: stable.example.com, names: {kind: CronTab, plural: crontabs}}
    """,
    namespace="",
)


def test_a_custom_resource_goes_before_its_definition() -> None:
    tab = thing("tab", "CronTab", "stable.example.com/v1")
    assert removals(DEFINITION, tab)[str(DEFINITION.ref)] == {"crontab/tab"}


def test_what_waits_for_each_other_goes_all_the_same() -> None:
    found = removals(
        thing("a", after="configmap/b"), thing("b", after="configmap/a"), thing("c", after="configmap/c")
    )
    assert found.keys() == {"configmap/a", "configmap/b", "configmap/c"}


def test_what_is_not_among_them_is_no_reason_to_wait() -> None:
    assert removals(thing("a", after="configmap/absent,rcs/a.yaml")) == {"configmap/a": set()}


def test_all_that_is_wanted_is_ready_before_anything_goes() -> None:
    graph, _ = graph_of([thing("new"), deployment("web"), service("web", app="web")])
    found = order_of_removals(with_removals(graph, leaving(thing("old"))))
    assert found == {"configmap/old": {"configmap/new", "deployment/web", "service/web"}}


def order_of_removals(graph: Graph) -> dict[str, set[str]]:
    """Like ``order_of``, for a graph that has wanted objects too: what must be ready."""
    waits: dict[int, set[int]] = {}
    for index, node in enumerate(graph.nodes):
        for dependent, milestone in node.dependents:
            if milestone is Milestone.READY:
                waits.setdefault(dependent, set()).add(index)
    return {
        str(node.ref): {
            str(graph.nodes[one].ref)
            for barrier in waits[index]
            for one in waits.get(barrier, ())
            if graph.nodes[one].ref
        }
        for index, node in enumerate(graph.nodes)
        if node.leaving
    }


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), min_size=1, max_size=10), st.booleans())
def test_every_object_goes_once_and_after_what_needs_it(edges: list[list[int]], workloads: bool) -> None:
    kind = ("Job", "batch/v1") if workloads else ("ConfigMap", "v1")
    manifests = [
        thing(f"c{number}", *kind, after=",".join(f"{kind[0]}/c{other}" for other in others))
        for number, others in enumerate(edges)
    ]
    graph = with_removals(Graph(), leaving(*manifests))
    assert sorted(str(node.ref) for node in graph.nodes if node.ref) == sorted(str(each.ref) for each in manifests)
    assert sum(node.needs for node in graph.nodes) == sum(len(node.dependents) for node in graph.nodes)
    before = order_of(graph)
    assert all(name not in others for name, others in before.items())


def test_five_thousand_objects_go_with_edges_in_proportion() -> None:
    apps = 1_250
    manifests = [
        each
        for number in range(apps)
        for each in (
            thing(f"c{number}"),
            thing(f"a{number}", "ServiceAccount"),
            service(f"s{number}", app=f"d{number}"),
            deployment(
                f"d{number}", serviceAccountName=f"a{number}", volumes=[{"configMap": {"name": f"c{number}"}}]
            ),
        )
    ]
    graph = with_removals(Graph(), leaving(*manifests))
    assert sum(len(node.dependents) for node in graph.nodes) <= 13 * apps


def test_an_object_of_the_same_name_elsewhere_is_another_one() -> None:
    ref = ENTRY.ref._replace(namespace="other")
    assert parting([ENTRY], {ref: live()}, APP).kept[0][0] == ENTRY
