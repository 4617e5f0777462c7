"""What is said of slips that everybody makes: the caret is where the slip is, and the remedy is what to type."""

from __future__ import annotations

import pytest

from kploy.core.masking import MASK
from kploy.source.app import read_app

from .conftest import Write


def said(root_of: Write, file: str, content: str) -> list[tuple[str, str, str, str]]:
    return [(f.rule, str(f.place), f.message, f.hint) for f in read_app(root_of({file: content})).findings]


@pytest.mark.parametrize(
    ("content", "place", "hint"),
    [
        ("spec:\n  replicas 2\n  selector: a\n", "2:3", "write `replicas: 2`"),
        ("spec:\n  a: 1\n  replicas 2\n  selector: a\n", "3:3", "write `replicas: 2`"),
        ("spec:\n  a: 1\n  replicas 2 # two\nb: 1\n", "3:3", "write `replicas: 2`"),
        ("spec:\n  a: 1\n  replicas 2\n", "3:3", "write `replicas: 2`"),
        ("spec:\n  a: b\n  replicas:2\n  selector: a\n", "3:3", "write `replicas: 2`"),
        ("spec:\n  selector\n    a: 1\n", "2:3", "write `selector:`"),
        ("spec:\n  - name: x\n    image y\n    ports: []\n", "3:5", "write `image: y`"),
        ("spec:\n  - name x\n    image: y\n", "2:5", "write `name: x`"),
    ],
)
def test_a_forgotten_colon_is_shown_where_it_belongs(content: str, place: str, hint: str, write: Write) -> None:
    expected = ("yaml-syntax", f"rcs/a.yaml:{place}", "a key without its `: `", hint)
    assert said(write, "rcs/a.yaml", content) == [expected]


def test_a_forgotten_colon_in_a_secret_shows_nothing_of_it(write: Write) -> None:
    content = "kind: Secret\nstringData:\n  a: b\n  password hunter2\n  user: x\n"
    finding = read_app(write({"resources/a.yaml": content})).findings[0]
    assert (finding.message, finding.hint) == ("a key without its `: `", "write `KEY: VALUE`")
    assert finding.place
    assert [line.text for line in finding.place.excerpt] == [f"  {MASK}"]


def test_a_colon_too_many_is_not_taken_for_one_forgotten(write: Write) -> None:
    assert said(write, "rcs/a.yaml", "a: b\nc: this is: text\n")[0][2] == "a `:` that YAML does not expect here"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('{\n  // the web\n  "a": 1\n}\n', "2:3"),
        ('{\n  /* the web */\n  "a": 1\n}\n', "2:3"),
        ('{\n  "a": 1, // one\n  "b": 2\n}\n', "2:11"),
        ('// the web\n{"a": 1}\n', "1:1"),
        (' /* the web */ {"a": 1}\n', "1:2"),
    ],
)
def test_a_comment_in_json_is_named(content: str, place: str, write: Write) -> None:
    expected = ("json-syntax", f"rcs/a.json:{place}", "JSON has no comments", "take it out, or write YAML")
    assert said(write, "rcs/a.json", content) == [expected]


@pytest.mark.parametrize(
    "content", ["name: a\rauthor: \xff", "name: a\r\nauthor: \xff", "\ufeffname: a\nauthor: \xff"]
)
def test_a_byte_that_is_not_utf8_is_found_whatever_ends_a_line(content: str, write: Write) -> None:
    finding = read_app(write({"Kployfile": content.encode().replace("\xff".encode(), b"\xff")})).findings[0]
    assert (finding.rule, str(finding.place)) == ("not-utf8", "Kployfile:2:9")
