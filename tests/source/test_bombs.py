from __future__ import annotations

import time

import pytest

from kploy.source import documents, yaml
from kploy.source.documents import read_documents
from kploy.source.positions import Layout
from kploy.source.text import Text

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{after}: &{after} [{','.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefghijkl", "bcdefghijklm", strict=True)
)
MERGES = "a: &a {" + ",".join(f"k{i}: 1" for i in range(1000)) + "}\nb:\n" + "  - {<<: *a}\n" * 2000
CHAIN = "a0: &a0 x\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 2000))


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("[" * 50_000, "too-deep"),
        ("{a: " * 50_000, "too-deep"),
        ('{"a":' * 50_000, "too-deep"),
        ("- " * 50_000, "too-deep"),
        ("? " * 50_000, "yaml-key"),
        ("\n".join(" " * i + "a:" for i in range(2000)), "too-deep"),
        (LAUGHS, "alias-bomb"),
        (MERGES, "alias-bomb"),
        (CHAIN, "too-deep"),
        ("a: &a " + "x" * 1_000_000 + "\nb: [" + "*a," * 100_000 + "]", "alias-bomb"),
        ("k: 1\n" * 50_000, "too-many-problems"),
        ('"' + "a" * 4_000_000, "yaml-syntax"),
    ],
    ids=lambda value: value if len(value) < 20 else f"{value[:8]!r}…",
)
def test_a_bomb_is_refused_fast(content: str, rule: str) -> None:
    start = time.process_time()
    fatal = read_documents(Text("rcs/a.yaml", content)).fatal
    assert fatal is not None
    assert fatal.rule == rule
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    "content", ["[" + "[]," * 20_000 + "]", "---\na\n" * 2_000, "- a\n" * 20_000, "a" * 1_000_000]
)
def test_the_number_of_values_is_bounded(content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_VALUES", 10_000)
    fatal = read_documents(Text("rcs/a.yaml", content)).fatal
    assert fatal is not None
    assert fatal.rule == "too-many-values"


@pytest.mark.parametrize("depth", [1, 99])
def test_a_hundred_levels_are_allowed(depth: int) -> None:
    found = read_documents(Text("rcs/a.yaml", "[" * depth + "]" * depth))
    assert found.fatal is None


def test_a_long_document_is_read_in_time() -> None:
    document = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n" + "  key: >-\n    value\n"
    content = Text("rcs/a.yaml", "---\n".join([document] * 2000))
    start = time.process_time()
    found = read_documents(content)
    assert len(found.complete) == 2000
    Layout(content, found.complete[-1], secret=False).value(("data", "key"))
    assert time.process_time() - start < 4


@pytest.mark.parametrize(
    "content",
    [
        "a: {b: 'c', d: [1, 2]}\n---\nb: &x |\n  text\nc: *x\n",
        "a: @b",
        'a: "\\ud800"',
        'a: "\\UFFFFFFFF"',
        "a:\n\tb",
        "a: [b",
        "%YAML 9999999999999999999999.1\n---\na",
        "[" * 50_000,
        "a: !x!y z",
    ],
)
def test_the_parser_without_the_c_library_says_the_same(content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = Text("rcs/a.yaml", content)
    fast = read_documents(text)
    monkeypatch.setattr(yaml.parse, "__defaults__", (yaml.PythonParser,))
    slow = read_documents(text)
    if not fast.fatal:
        assert [document.value for document in slow.complete] == [document.value for document in fast.complete]
    assert bool(slow.fatal or any(d.problems for d in slow.complete)) == bool(fast.fatal)
