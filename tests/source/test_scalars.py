"""Measured against kubectl 1.32: `kubectl label --local -o json`."""

from __future__ import annotations

import re
import sys

import pytest

from kploy.source.documents import read_documents
from kploy.source.text import Text
from kploy.source.yaml import FORBIDDEN


def read(content: str, file: str = "rcs/a.yaml") -> object:
    documents = read_documents(Text(file, content))
    assert documents.fatal is None
    assert [p for d in documents.complete for p in d.problems if p.severity == "error"] == []
    return documents.complete[0].value


def rules(content: str, file: str = "rcs/a.yaml") -> list[str]:
    documents = read_documents(Text(file, content))
    problems = [p.rule for d in documents.complete for p in d.problems]
    return problems + ([documents.fatal.rule] if documents.fatal else [])


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0644", 420),
        ("0o644", 420),
        ("0x1F", 31),
        ("-0x1F", -31),
        ("0b11", 3),
        ("0_7", 7),
        ("08", 8),
        ("1_000", 1000),
        ("+1", 1),
        ("1e3", 1000),
        ("1.0", 1),
        ("1.", 1),
        (".5", 0.5),
        ("-0.0", 0),
        ("1e18", 10**18),
        ("1e21", 1e21),
        ("1e400", "1e400"),
        ("22:22", "22:22"),
        ("2024-01-01", "2024-01-01"),
        ("2024-13-45", "2024-13-45"),
        ("0x", "0x"),
        ("=", "="),
        ("<<", "<<"),
        ("nan", "nan"),
        ("oN", "oN"),
        ("NULL", None),
        ("~", None),
        ("", None),
        ("True", True),
        ("tRUE", "tRUE"),
        ("'0644'", "0644"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("!!int '0644'", 420),
        ("!!float 1", 1),
        ("!!bool yes", True),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("[=, '=']", ["=", "="]),
        ("|\n  a\n  b", "a\nb\n"),
    ],
)
def test_a_value_reads_as_in_kubectl(written: str, value: object) -> None:
    assert read(f"a: {written}\n") == {"a": value}
    assert type(read(f"a: {written}\n")["a"]) is type(value)  # type: ignore[index]


@pytest.mark.parametrize(
    ("key", "read_as"),
    [("1", "1"), ("1.5", "1.5"), ("1e6", "1e+06"), ("010", "8"), ("yes", "true"), ("off", "false"), ("'1'", "1")],
)
def test_a_key_becomes_text_as_in_kubectl(key: str, read_as: str) -> None:
    assert read(f"{key}: a\n") == {read_as: "a"}


@pytest.mark.parametrize("word", ["y", "Y", "yes", "No", "ON", "off", "n"])
def test_a_bare_boolean_word_is_a_warning(word: str) -> None:
    assert rules(f"a: {word}\n") == ["yaml-boolean"]
    assert rules(f"a: '{word}'\n") == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("y: 1", ["key-not-text"]),
        ("1.10: 1", ["key-not-text"]),
        ("~: a", ["yaml-key"]),
        ("[a]: b", ["yaml-key"]),
        ("? {a: b}\n: c", ["yaml-key"]),
        ("a: {{ .Values.a }}", ["yaml-key"]),
        ("0.1234567890123: a", ["yaml-key"]),
        ("a: .nan", ["not-finite"]),
        ("a: -.inf", ["not-finite"]),
        ("a: 18446744073709551616", ["number-too-large"]),
        (f"a: {'9' * 5000}", ["number-too-large"]),
        (f"a: 1.{'9' * 5000}", ["number-too-large"]),
        ("a: !!binary aGk=", ["yaml-tag"]),
        ("a: !!python/object:os.system {}", ["yaml-tag"]),
        ("a: !!python/object/apply:os.system ['true']", ["yaml-tag"]),
        ("a: !!set {a, b}", ["yaml-tag"]),
        ("a: !Ref b", ["yaml-tag"]),
        ("a: !!int b", ["yaml-tag"]),
        ('a: "\\ud800"', ["yaml-syntax"]),
        ("a: 1\na: 2", ["duplicate-key"]),
        ("1: a\n'1': b", ["duplicate-key"]),
        ("a: {b: 1, b: 2}\nc: .inf", ["duplicate-key", "not-finite"]),
        ("a: *b", ["unknown-anchor"]),
        ("a: &a [*a]", ["recursive-alias"]),
        ("a: &a\n  b: {c: *a}", ["recursive-alias"]),
        ("a: &a {p: 1}\nb: {p: 2, <<: *a}", ["late-merge"]),
        ("a: {<<: 3}", ["merge-key"]),
        ("a: {<<: {b: 1}, <<: {c: 1}}", ["duplicate-key"]),
        ("a: b\n\tc: d", ["yaml-syntax"]),
        ("a: b: c", ["yaml-syntax"]),
        ("a: 'b", ["yaml-syntax"]),
        ("a: {b: c", ["yaml-syntax"]),
        ("a: @b", ["yaml-syntax"]),
        ("a:\n   b: 1\n  c: 2", ["yaml-syntax"]),
        ("a: \x00", ["control-character"]),
        ("a: \x1b[31m", ["control-character"]),
    ],
)
def test_what_is_not_a_kubernetes_value_is_a_problem(content: str, expected: list[str]) -> None:
    assert rules(content) == expected


def test_every_character_that_can_be_printed_may_stand_in_yaml() -> None:
    every = "".join(filter(str.isprintable, map(chr, range(sys.maxunicode + 1))))
    assert re.search(FORBIDDEN, every) is None


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("x: &b {p: 1, q: 2}\nk:\n  <<: *b\n  p: 9", {"p": 9, "q": 2}),
        ("x: &b {p: 1, q: 2}\nz: &c {p: 3, r: 4}\nk: {<<: [*b, *c]}", {"p": 1, "q": 2, "r": 4}),
        ("k: {<<: {a: 1}}", {"a": 1}),
        ("x: &b {p: 1}\nz: &c {<<: *b, q: 2}\nk: *c", {"p": 1, "q": 2}),
        ("x: &b p\nk: {*b : 1}", {"p": 1}),
        ("x: &b 1\nz: &b 2\nk: *b", 2),
    ],
)
def test_anchors_and_merge_keys_are_resolved(content: str, value: object) -> None:
    assert read(content)["k"] == value  # type: ignore[index]


def test_an_alias_is_a_copy() -> None:
    value = read("a: &a {b: [1]}\nc: *a\n")
    assert isinstance(value, dict)
    assert value["c"] == value["a"]
    assert value["c"] is not value["a"]
    assert value["c"]["b"] is not value["a"]["b"]


@pytest.mark.parametrize("file", ["rcs/a.json", "rcs/a.yaml"])
def test_json_is_read_as_json_wherever_it_stands(file: str) -> None:
    content = '{\n\t"a":\t"\\ud83d\\ude00\\/",\n\t"b": [1, -0.5, true, null],\r\n "c": "x\u2028y", "": 1e3}'
    assert read(content, file) == {"a": "😀/", "b": [1, -0.5, True, None], "c": "x\u2028y", "": 1000}


def test_json_values_may_follow_one_another() -> None:
    documents = read_documents(Text("rcs/a.json", '{"a": 1}{"b": 2}\n{"c": 3}'))
    assert [document.value for document in documents.complete] == [{"a": 1}, {"b": 2}, {"c": 3}]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"a": "\\ud83d"}', ["lone-surrogate"]),
        ('{"a": 1, "a": 2}', ["duplicate-key"]),
        ('{"a": NaN}', []),
        ('{"a" 1}', ["json-syntax"]),
        ('{"a": 1', ["json-syntax"]),
    ],
)
def test_json_has_problems_too(content: str, expected: list[str]) -> None:
    assert rules(content, "rcs/a.json") == expected


def test_yaml_in_braces_is_read_as_yaml() -> None:
    assert read("{a: b, # c\n c: d,}\n", "rcs/a.json") == {"a": "b", "c": "d"}
