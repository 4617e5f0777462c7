"""The graph as it is drawn."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kploy.core.graph import Graph, Milestone, graph_of
from kploy.core.picture import ENV_FIRST, SERVICES_FIRST, Picture, Stop, Wait, picture
from kploy.model.app import Directory, Manifest
from tests.makers import deployment, service, thing

NAMES = "abcdef"


def drawn(*manifests: Manifest) -> Picture:
    graph, findings = graph_of(manifests)
    assert findings == ()
    return picture(graph)


def in_env(manifest: Manifest) -> Manifest:
    return replace(manifest, file="env/", directory=Directory.ENV)


def waits(found: Picture) -> set[tuple[str, str, str]]:
    return {(str(found.stops[w.dependent]), str(found.stops[w.needed]), str(w.until)) for w in found.waits}


def test_barriers_have_names_and_those_that_hold_nobody_are_left_out() -> None:
    assert [str(stop) for stop in drawn(thing("flags"), thing("more")).stops] == [
        "configmap/flags",
        "configmap/more",
    ]
    found = drawn(in_env(thing("login", "Secret")), service("web", app="web"), deployment("web"))
    assert waits(found) == {
        (ENV_FIRST, "secret/login", "tried"),
        ("service/web", ENV_FIRST, "tried"),
        ("deployment/web", ENV_FIRST, "tried"),
        (SERVICES_FIRST, "service/web", "tried"),
        ("deployment/web", SERVICES_FIRST, "tried"),
        ("service/web", "deployment/web", "backs"),
    }
    assert [(str(stop), stop.wave) for stop in found.stops if stop.ref] == [
        ("secret/login", 1),
        ("service/web", 2),
        ("deployment/web", 3),
    ]


def test_who_does_not_wait_at_a_barrier_is_known() -> None:
    stops = (
        Stop(0, thing("make", "Job", "batch/v1").ref, "", "", 1),
        Stop(1, thing("login", "Secret").ref, "", "env/", 2),
        Stop(2, None, ENV_FIRST, "", 2),
        Stop(3, thing("shop", "Namespace").ref, "", "", 1),
        Stop(4, thing("flags").ref, "", "", 3),
    )
    waits = ((1, 0, Milestone.READY), (2, 1, Milestone.TRIED), (4, 2, Milestone.TRIED))
    found = Picture(stops, tuple(Wait(*wait) for wait in waits))
    assert [str(stop) for stop in found.not_held(stops[2])] == ["job/make"]


@st.composite
def apps(draw: st.DrawFn) -> Graph:
    """The graph of an app of Deployments, Services, Jobs and files in env/ that wait for one another."""
    manifests: list[Manifest] = []
    for index, name in enumerate(draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=6))):
        earlier = [str(manifest.ref) for manifest in manifests]
        after = ", ".join(draw(st.lists(st.sampled_from(earlier), max_size=2))) if earlier else ""
        make = draw(st.sampled_from(["deployment", "service", "env", "config"]))
        made = {
            "deployment": lambda name=name, after=after: deployment(name, {"app": name}, after),
            "service": lambda name=name, after=after: service(name, after, app=draw(st.sampled_from(NAMES))),
            "env": lambda name=name, after=after: in_env(thing(name, "Secret", after=after)),
            "config": lambda name=name, after=after: thing(name, after=after),
        }[make]()
        manifests.insert(draw(st.integers(0, index)), made)
    return graph_of(manifests)[0]


@given(apps())
def test_every_edge_of_the_graph_is_in_the_picture(graph: Graph) -> None:
    found = picture(graph)
    expected = set()
    gather = {other for node in graph.nodes for other, _ in node.dependents}
    for index, node in enumerate(graph.nodes):
        for other, until in node.dependents:
            dependent = graph.nodes[other]
            if (node.ref or index in gather) and (dependent.ref or dependent.dependents):
                expected.add((str(dependent.ref or ""), str(node.ref or ""), until))
    refs = [str(stop.ref or "") for stop in found.stops]
    assert {(refs[wait.dependent], refs[wait.needed], wait.until) for wait in found.waits} == expected


@given(apps())
def test_whoever_waits_is_in_a_later_wave_and_stands_later(graph: Graph) -> None:
    found = picture(graph)
    for wait in found.waits:
        if wait.until is not Milestone.BACKS:
            dependent, needed = found.stops[wait.dependent], found.stops[wait.needed]
            assert dependent.id > needed.id
            assert dependent.wave > needed.wave or (not dependent.ref and dependent.wave == needed.wave)
