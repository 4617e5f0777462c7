from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kploy.core.masking import MASK, secrets
from kploy.model.findings import Line, Place
from kploy.model.objects import JsonPath
from kploy.source.documents import read_documents
from kploy.source.positions import Layout, Located
from kploy.source.scalars import NoValue, value_of
from kploy.source.syntax import PLAIN
from kploy.source.text import Text


def located(content: str, number: int = 0, *, secret: bool = False, file: str = "a.yaml") -> Located:
    text = Text(file, content)
    return Layout(text, read_documents(text).complete[number], secret=secret).at(())


def spot(place: Place) -> tuple[int, int, int]:
    return place.line, place.column, place.width


BLOCK = """\
# a comment
kind: Deployment
spec:
  ports:
    - name: http
      port: 80
    - {name: "a b", port: 0x51}
  text: |
    one
    two
  empty:
"""


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        (("kind",), (2, 7, 10), (2, 1, 4)),
        (("spec",), (3, 1, 4), (3, 1, 4)),
        (("spec", "ports"), (4, 3, 5), (4, 3, 5)),
        (("spec", "ports", 0), (5, 7, 4), (5, 7, 4)),
        (("spec", "ports", 0, "port"), (6, 13, 2), (6, 7, 4)),
        (("spec", "ports", 1, "name"), (7, 14, 5), (7, 8, 4)),
        (("spec", "ports", 1, "port"), (7, 27, 4), (7, 21, 4)),
        (("spec", "text"), (8, 9, 1), (8, 3, 4)),
        (("spec", "empty"), (11, 3, 5), (11, 3, 5)),
        (("spec", "ports", 7, "port"), (4, 3, 5), (4, 3, 5)),
        (("spec", "template", "spec"), (3, 1, 4), (3, 1, 4)),
        (("nothing",), (2, 1, 4), (2, 1, 4)),
        ((), (2, 1, 4), (2, 1, 4)),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_value_is_found(
    path: JsonPath, value: tuple[int, int, int], key: tuple[int, int, int], newline: str
) -> None:
    positions = located(BLOCK.replace("\n", newline))
    assert spot(positions.value(path)) == value
    assert spot(positions.key(path)) == key


@pytest.mark.parametrize(
    ("content", "number", "path", "expected"),
    [
        ("a: 1\n---\n# x\nb: 2\n", 1, ("b",), (4, 4, 1)),
        ("--- {a: 1}\n--- {b: 22}\n", 1, ("b",), (2, 9, 2)),
        ("  a: 1\n  b: 2\n", 0, ("b",), (2, 6, 1)),
        ("a: é😀\nb: {é😀: x}\n", 0, ("b", "é😀"), (2, 9, 1)),
        ("a: &x 80\nb: *x\n", 0, ("b",), (1, 7, 2)),
        ("a: &x\n  c: 80\nb: *x\n", 0, ("b", "c"), (2, 6, 2)),
        ("a: &x {c: 80}\nb:\n  <<: *x\n  d: 1\n", 0, ("b", "c"), (1, 11, 2)),
        ("a: &x {c: 80}\nb:\n  <<: [*x]\n  c: 1\n", 0, ("b", "c"), (4, 6, 1)),
        ("a: !!str 80\n", 0, ("a",), (1, 10, 2)),
        ("a: &x !!str 80\n", 0, ("a",), (1, 13, 2)),
        ("1: a\nyes: b\n", 0, ("true",), (2, 6, 1)),
        ("&k a: 1\n", 0, ("a",), (1, 7, 1)),
        ("k: &k a\n*k : 1\n", 0, ("a",), (2, 6, 1)),
        ("a: 'x\n  y'\n", 0, ("a",), (1, 4, 2)),
        ('{\n\t"a": {\n\t\t"b": "c"}}', 0, ("a", "b"), (3, 8, 3)),
        ('{"a": 1} {"a": 22}', 1, ("a",), (1, 16, 2)),
    ],
)
def test_a_value_is_found_wherever_it_stands(
    content: str, number: int, path: JsonPath, expected: tuple[int, int, int]
) -> None:
    assert spot(located(content, number).value(path)) == expected


def test_the_excerpt_ends_with_the_line_and_stays_in_its_document() -> None:
    content = "a: 1\n---\nb: 2\nc:\td\ne: 3\nf: 4\n"
    assert located(content, 1).value(("c",)) == Place(
        "a.yaml", 4, 4, 1, (Line(2, "---"), Line(3, "b: 2"), Line(4, "c:\td"))
    )


@pytest.mark.parametrize(
    ("content", "path", "line"),
    [
        ("kind: Secret\ndata:\n  pass: hunter2\n", ("data", "pass"), f"  pass: {MASK}"),
        ("kind: Secret\ndata: {pass: hunter2}\n", ("data", "pass"), MASK),
        ("kind: Secret\ndata:\n  pass:\n    hunter2\n", ("data", "pass"), f"    {MASK}"),
        ("kind: Secret\nx:\n  - pass: hunter2\n", ("x", 0, "pass"), f"  - pass: {MASK}"),
        ("kind: Secret\nx:\n  - hunter2\n", ("x", 0), f"  {MASK}"),
        ("kind: Secret\ndata: {a: 'hunter2\n  pass: x', b: y}\n", ("data", "b"), f"  {MASK}"),
        ('{"kind":"Secret","data":{"pass":"hunter2"}}', ("data", "pass"), MASK),
    ],
)
def test_a_secret_shows_its_keys_only(content: str, path: JsonPath, line: str) -> None:
    positions = located(content, secret=True)
    place = positions.value(path)
    assert [shown.text for shown in place.excerpt] == [line]
    assert place.column == line.index(MASK) + 1
    assert "hunter2" not in repr([positions.key(path), positions.value(()), positions])


def plain_key() -> st.SearchStrategy[str]:
    return st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=8)


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.text(st.characters(codec="utf-8"), max_size=20)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_key(), inner, max_size=4),
    max_leaves=12,
)
mappings = st.dictionaries(plain_key(), values, min_size=1, max_size=4)
telling_nothing = mappings.filter(lambda value: next(secrets(value), None) is None)
"""Of what is masked, places are those in what is shown."""


class Dumper(yaml.SafeDumper):
    """Quotes what kubectl would read as something other than text."""


def represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    try:
        is_plain = value_of(text, PLAIN) == text
    except NoValue:
        is_plain = False
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, None if is_plain else '"')


Dumper.add_representer(str, represent_text)


def paths(value: Any, path: JsonPath = ()) -> list[tuple[JsonPath, Any]]:
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in paths(item, (*path, key))]
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in paths(item, (*path, index))]
    return [(path, value)]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault of ours
@given(mappings, telling_nothing, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_json_is_read_back_with_its_places(
    first: Any, value: Any, indent: int | str | None, ascii_only: bool
) -> None:
    content = json.dumps(first) + "\n" + json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    text = Text("a.json", content)
    documents = read_documents(text)
    assert documents.fatal is None
    assert documents.complete[1].value == value
    positions = Layout(text, documents.complete[1], secret=False).at(())
    for path, scalar in paths(value):
        place = positions.value(path)
        line = content.split("\n")[place.line - 1]
        assert json.loads(line[place.column - 1 : place.column - 1 + place.width]) == scalar


@given(mappings, telling_nothing, st.sampled_from([None, True, False]), st.sampled_from(["\n", "\r\n"]))
def test_yaml_is_read_back_with_its_places(first: Any, value: Any, flow: bool | None, newline: str) -> None:
    options: dict[str, Any] = {
        "Dumper": Dumper,
        "allow_unicode": False,
        "default_flow_style": flow,
        "width": 10_000,
    }
    content = newline.join(["---", yaml.dump(first, **options), "---", yaml.dump(value, **options)])
    text = Text("a.yaml", content)
    documents = read_documents(text)
    assert documents.fatal is None
    assert documents.complete[1].value == value
    positions = Layout(text, documents.complete[1], secret=False).at(())
    for path, scalar in paths(value):
        place = positions.value(path)
        line = content.replace("\r\n", "\n").split("\n")[place.line - 1]
        shown = line[place.column - 1 : place.column - 1 + place.width]
        if (
            scalar == ""
            or not isinstance(scalar, str)
            or ("\n" not in scalar and not shown.startswith(("?", "|")))
        ):
            assert read_documents(Text("b.yaml", shown)).complete[0].value == scalar
