"""The graph in every language it is drawn in."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.graph import Graph, Milestone
from kploy.core.picture import Picture, Stop, Wait, picture
from kploy.model.objects import ObjectRef
from kploy.ui.drawing import dot, mermaid, show_picture
from kploy.ui.json import picture_document
from tests.core.test_picture import apps, drawn, in_env
from tests.makers import deployment, service, thing
from tests.ui.made import HOSTILE, Stream, console_on, terminal

QUOTED = r'"((?:[^"\\]|\\.)*)"'
ATTRIBUTES = rf"\[(?:\w+={QUOTED}(?:, )?)+\]"
STATEMENT = re.compile(rf"  (?:graph|node|edge|n\d+|n\d+ -> n\d+) {ATTRIBUTES};")

SHOP = drawn(
    in_env(thing("login", "Secret")),
    thing("flags"),
    service("web", app="web"),
    deployment("web", containers=[{"envFrom": [{"configMapRef": {"name": "flags"}}]}]),
    deployment("worker", after="deployment/web"),
)


def text(found: Picture, width: int | None = None) -> str:
    stream = Stream()
    console = console_on(stream) if width is None else terminal(width)
    show_picture(console, found)
    assert isinstance(console.file, Stream)
    return console.file.getvalue()


def test_text_has_a_line_for_each_object_in_its_wave() -> None:
    assert text(SHOP) == (
        """\
  everything in env/ first: secret/login
  Services before workloads: service/web
  1  secret/login
  2  configmap/flags
     service/web        endpoints from deployment/web
  3  deployment/web     needs configmap/flags ready
  4  deployment/worker  needs deployment/web ready
"""
    )


def test_a_narrow_terminal_breaks_what_an_object_needs_below_itself() -> None:
    assert max(map(len, text(SHOP, 50).splitlines())) < 50
    assert "endpoints from" in text(SHOP, 50)


def test_dot_is_a_digraph_with_an_arrow_for_each_wait() -> None:
    assert dot(SHOP, "shop").splitlines() == [
        'digraph "shop" {',
        '  graph [rankdir="LR"];',
        '  node [shape="box", fontname="sans-serif"];',
        '  edge [fontname="sans-serif", fontsize="10"];',
        '  n0 [label="secret/login"];',
        '  n1 [label="everything in env/ first", shape="ellipse", style="dashed"];',
        '  n2 [label="configmap/flags"];',
        '  n3 [label="service/web"];',
        '  n4 [label="Services before workloads", shape="ellipse", style="dashed"];',
        '  n5 [label="deployment/web"];',
        '  n6 [label="deployment/worker"];',
        '  n0 -> n1 [label="tried"];',
        '  n1 -> n2 [label="tried"];',
        '  n1 -> n3 [label="tried"];',
        '  n5 -> n3 [label="backs", style="dotted", constraint="false"];',
        '  n3 -> n4 [label="tried"];',
        '  n1 -> n5 [label="tried"];',
        '  n2 -> n5 [label="ready"];',
        '  n4 -> n5 [label="tried"];',
        '  n1 -> n6 [label="tried"];',
        '  n4 -> n6 [label="tried"];',
        '  n5 -> n6 [label="ready"];',
        "}",
    ]


REFS = st.builds(ObjectRef, st.just(""), st.text(), st.just(""), st.text())
STOPS = REFS.map(lambda ref: Stop(0, ref, "", "", 1))


@given(STOPS, st.text())
def test_whatever_a_name_has_in_it_dot_and_mermaid_stay_well_formed(stop: Stop, app: str) -> None:
    found = Picture((stop,), (Wait(0, 0, Milestone.READY),))
    first, *statements, last = dot(found, app).splitlines()
    assert re.fullmatch(rf"digraph {QUOTED} {{", first)
    assert [line for line in statements if not STATEMENT.fullmatch(line)] == []
    assert last == "}"
    _, node, edge = mermaid(found).splitlines()
    assert re.fullmatch(r'  n0\["[^"<>`&\\\[\](){}|]*"\]', node)
    assert edge == "  n0 -->|ready| n0"


@given(apps())
def test_every_wait_is_in_every_language(graph: Graph) -> None:
    found = picture(graph)
    arrows = {(wait.needed, wait.dependent, str(wait.until)) for wait in found.waits}
    in_dot = re.findall(r'n(\d+) -> n(\d+) \[label="(\w+)"', dot(found, "a"))
    in_mermaid = re.findall(r"n(\d+) -.?->\|(\w+)\| n(\d+)", mermaid(found))
    document = picture_document(found, "a")
    assert {(int(needed), int(dependent), until) for needed, dependent, until in in_dot} == arrows
    assert {(int(needed), int(dependent), until) for needed, until, dependent in in_mermaid} == arrows
    assert {(wait["needed"], wait["dependent"], wait["until"]) for wait in document["waits"]} == arrows


@given(apps())
def test_every_wait_can_be_read_from_the_text(graph: Graph) -> None:
    found = picture(graph)
    lines = text(found).splitlines()
    for wait in found.waits:
        needed, dependent = found.stops[wait.needed], found.stops[wait.dependent]
        if needed.ref and dependent.ref:
            (line,) = [line for line in lines if re.match(rf"  [ \d]+  {dependent} ", line + " ")]
            words = f"endpoints from .*{needed}" if wait.until is Milestone.BACKS else f"{needed} {wait.until}"
            assert re.search(words, line)
        elif needed.ref:
            (line,) = [line for line in lines if line.startswith(f"  {dependent}: ")]
            assert str(needed) in line.partition("; but not before ")[0]
        else:
            (line,) = [line for line in lines if line.startswith(f"  {needed}: ")]
            assert str(dependent) not in line.partition("; but not before ")[2].split(", ")


def test_hostile_names_are_spelled_out_in_text() -> None:
    stop = Stop(0, ObjectRef("", "Pod", "", HOSTILE), "", "", 1)
    assert all(line.isprintable() for line in text(Picture((stop,), ())).splitlines())


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_what_is_meant_for_it() -> None:
    stop = Stop(0, ObjectRef("", "Pod", "", f'{HOSTILE} "<b>\\N</b>" \\'), "", "", 1)
    source = dot(Picture((stop, *SHOP.stops[1:]), SHOP.waits), HOSTILE)
    done = subprocess.run(["dot", "-Tplain"], input=source.encode(), capture_output=True, timeout=60, check=True)
    edges = [line.split()[1:3] for line in done.stdout.decode().splitlines() if line.startswith("edge ")]
    assert {(needed, dependent) for needed, dependent in edges} == {
        (f"n{wait.needed}", f"n{wait.dependent}") for wait in SHOP.waits
    }
