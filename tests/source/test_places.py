"""Every value and every key is found where it stands, in whatever way a file writes it.

A writer makes a document piece by piece and remembers where it put what; the
reader has to find the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kploy.model.objects import JsonPath
from kploy.source.documents import read_documents
from kploy.source.files import Entry, read_text
from kploy.source.positions import Layout
from kploy.source.text import Text

Draw = Any
"""hypothesis' draw function."""

WORDS = ["web", "a b", "é", "日本語", "👩‍💻", "e\u0301x", "x-1", "k8s.io/name", "a#b", "n:m", "\U0001f600 x", "ﷺ"]
"""Texts that need no quotes: plain, wide, combining, outside of the basic plane, joined."""

QUOTED = [
    *WORDS,
    "",
    " ",
    "# no comment",
    "a: b",
    "- x",
    "it's",
    'say "x"',
    "{}",
    "null",
    "80",
    "a, b]",
    "&x",
    "\\n",
]

NAMES = ["k", "é", "日", "👩‍💻", "e\u0301", "a b", "x.io/y"]
TAB = "\t"

COMMENTS = ["", " # é 日本 : - {", "  #x: 1"]


@dataclass
class Writer:
    """Text as it grows, and where each path's value and key begin in it: offset and source text."""

    draw: Draw
    text: str = ""
    values: dict[JsonPath, tuple[int, str]] = field(default_factory=dict)
    keys: dict[JsonPath, tuple[int, str]] = field(default_factory=dict)
    anchors: dict[str, tuple[int, str]] = field(default_factory=dict)

    def put(self, text: str) -> None:
        self.text += text

    def key(self, path: JsonPath, source: str) -> None:
        self.keys[path] = (len(self.text), source)
        self.text += source

    def value(self, path: JsonPath, source: str) -> None:
        self.values[path] = (len(self.text), source)
        self.text += source

    def one_of(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def chance(self) -> bool:
        return bool(self.draw(st.booleans()))


def quoted(writer: Writer, text: str) -> str:
    """``text`` in quotes of one kind or the other."""
    if writer.chance():
        return "'" + text.replace("'", "''") + "'"
    # YAML has no pairs of surrogates: what is outside of the basic plane stands as it is.
    return json.dumps(text, ensure_ascii=max(text, default="") <= "\uffff" and writer.chance())


def scalar(writer: Writer, *, flow: bool = False) -> str:
    """The source of a scalar on one line."""
    match writer.draw(st.integers(0, 3)):
        case 0:
            return str(writer.draw(st.integers(-999, 99999)))
        case 1:
            return str(writer.one_of("true", "null", "~", "0x1F", "1.5e3", ".5"))
        case 2:
            word: str = writer.one_of(*WORDS)
            return word if not flow or not set(word) & set(",[]{}#:") else f"'{word}'"
        case _:
            return quoted(writer, writer.one_of(*QUOTED))


def key(writer: Writer, number: int) -> tuple[str, str]:
    """The source of a key and what it says; ``number`` makes it the only one of its name."""
    name = f"{writer.one_of(*NAMES)}{number}"
    return (name, name) if writer.chance() else (quoted(writer, name), name)


def anchored(writer: Writer, path: JsonPath) -> str:
    """A scalar with an anchor, and perhaps a tag; or an alias of one, which stands where its anchor stands."""
    if writer.anchors and writer.chance():
        name = writer.one_of(*writer.anchors)
        writer.values[path] = writer.anchors[name]
        writer.put(f"*{name}")
        return ""
    name = f"a{len(writer.text)}"
    writer.put(f"&{name} " + writer.one_of("", "!!str ", "\n            "))
    return name


def gap(writer: Writer, path: JsonPath) -> str:
    """Blanks before a value; a tab after a dash is too much for libyaml."""
    return str(writer.one_of(" ", "  ", " \t" if isinstance(path[-1], str) else " "))


def flow(writer: Writer, path: JsonPath, depth: int) -> None:
    """A value on one line, or, where brackets allow it, on several."""
    kind = writer.draw(st.integers(0, 2)) if depth else 2
    if kind == 2:
        writer.value(path, scalar(writer, flow=True))
        return
    writer.values[path] = (len(writer.text), "[" if kind else "{")
    writer.put("[" if kind else "{")
    for number in range(writer.draw(st.integers(0, 3))):
        writer.put(", " if number else writer.one_of("", " ", "\n          "))
        if kind:
            flow(writer, (*path, number), depth - 1)
        else:
            source, name = key(writer, number)
            writer.key((*path, name), source)
            writer.put(": ")
            flow(writer, (*path, name), depth - 1)
    writer.put(writer.one_of("", " ", "\n          ") + ("]" if kind else "}"))


def block_scalar(writer: Writer, path: JsonPath, indent: int) -> None:
    header = writer.one_of("|", ">") + writer.one_of("", "-", "+")
    writer.value(path, header)
    writer.put(writer.one_of("", " # a comment") + "\n")
    for _ in range(writer.draw(st.integers(1, 3))):
        writer.put(
            " " * (indent + 2) + writer.one_of("text", "key: no key", "- é 日本", "# no comment", "---x") + "\n"
        )
        writer.put(writer.one_of("", "\n"))


def after_key(writer: Writer, path: JsonPath, indent: int, depth: int) -> None:
    """What stands after ``key:`` or ``-``, up to the end of its last line."""
    match writer.draw(st.integers(0, 5 if depth else 3)):
        case 0:
            writer.put(gap(writer, path))
            block_scalar(writer, path, indent)
        case 1:
            writer.put(gap(writer, path))
            flow(writer, path, 2)
            writer.put(writer.one_of(*COMMENTS) + "\n")
        case 3:
            writer.put(" ")
            name = anchored(writer, path)
            if name:
                writer.value(path, quoted(writer, writer.one_of(*QUOTED)))
                writer.anchors[name] = writer.values[path]
            writer.put(writer.one_of(*COMMENTS) + "\n")
        case 2:
            writer.put(writer.one_of(" ", f"\n{' ' * (indent + 2)}"))
            writer.value(path, scalar(writer))
            writer.put(writer.one_of(*COMMENTS) + "\n")
        case 4:
            writer.put(writer.one_of(*COMMENTS) + "\n")
            block_mapping(writer, path, indent + 2, depth - 1)
        case _:
            writer.put(writer.one_of(*COMMENTS) + "\n")
            block_list(
                writer,
                path,
                indent + writer.one_of(0, 2) if path and isinstance(path[-1], str) else indent + 2,
                depth - 1,
            )


def block_mapping(
    writer: Writer, path: JsonPath, indent: int, depth: int, *, first_indented: bool = False
) -> None:
    for number in range(writer.draw(st.integers(1, 3))):
        if number or not first_indented:
            writer.put(writer.one_of("", "\n", f"{' ' * indent}# é: x\n") + " " * indent)
        source, name = key(writer, number)
        writer.key((*path, name), source)
        writer.put(writer.one_of(":", " :") if source[0] in "'\"" else ":")
        after_key(writer, (*path, name), indent, depth)


def block_list(writer: Writer, path: JsonPath, indent: int, depth: int) -> None:
    for number in range(writer.draw(st.integers(1, 3))):
        here = (*path, number)
        writer.put(writer.one_of("", f"{' ' * indent}# - x\n") + " " * indent + "-")
        if depth and writer.chance():
            writer.put(" ")
            block_mapping(writer, here, indent + 2, depth - 1, first_indented=True)
        else:
            after_key(writer, here, indent, depth)


@st.composite
def yaml_files(draw: Draw) -> list[Writer]:
    """A file's documents, each with all its text up to the next; the separators belong to the one they begin."""
    documents = []
    for number in range(draw(st.integers(1, 3))):
        writer = Writer(draw)
        if number or writer.chance():
            writer.put(writer.one_of("", "# é 日本\n") if not number else "")
            writer.put(writer.one_of("---\n", "--- # next\n", "---\n# é\n\n"))
        block_mapping(writer, (), writer.one_of(0, 0, 2), 3)
        documents.append(writer)
    return documents


def blank(writer: Writer) -> str:
    return "".join(writer.draw(st.lists(st.sampled_from([" ", "\t", "\n", "  ", ""]), max_size=3)))


def json_value(writer: Writer, path: JsonPath, depth: int) -> None:
    kind = writer.draw(st.integers(0, 3)) if depth else 2
    if kind >= 2:
        text = writer.one_of(*QUOTED, "\u2028", "\x7f", "\ufeff", "\n\t", "x" * 300)
        number = writer.one_of("0", "-1.5e3", "true", "null")
        writer.value(path, json.dumps(text, ensure_ascii=writer.chance()) if kind == 2 else number)
        return
    writer.values[path] = (len(writer.text), "[" if kind else "{")
    writer.put("[" if kind else "{")
    for number in range(writer.draw(st.integers(0, 3))):
        writer.put(("," if number else "") + blank(writer))
        if not kind:
            name = f"{writer.one_of(*NAMES, TAB)}{number}"
            writer.key((*path, name), json.dumps(name, ensure_ascii=writer.chance()))
            writer.put(blank(writer) + ":" + blank(writer))
        json_value(writer, (*path, number if kind else name), depth - 1)
        writer.put(blank(writer))
    writer.put(blank(writer) + ("]" if kind else "}"))


@st.composite
def json_files(draw: Draw) -> list[Writer]:
    documents = []
    for _ in range(draw(st.integers(1, 3))):
        writer = Writer(draw)
        writer.put(blank(writer) + "{" + blank(writer))
        name = writer.one_of("k", "日本")
        writer.values[()] = (writer.text.index("{"), "{")
        writer.key((name,), json.dumps(name, ensure_ascii=False))
        writer.put(":" + blank(writer))
        json_value(writer, (name,), 3)
        writer.put(blank(writer) + "}" + blank(writer))
        documents.append(writer)
    return documents


def expected(writer: Writer) -> dict[tuple[JsonPath, bool], tuple[int, str]]:
    """Where each key (True) and each value (False) has to be found: a mapping or a list at its key."""
    values = {
        path: writer.keys.get(path) if found[1] in {"{", "["} else found for path, found in writer.values.items()
    }
    return {
        **{(path, True): found for path, found in writer.keys.items()},
        # What has no key is shown by what it begins with: tests/source/test_positions.py.
        **{(path, False): found for path, found in values.items() if found},
    }


def check(documents: list[Writer], newline: str, file: str) -> None:
    """Each document's values and keys are found where the writer put them."""
    content = "".join(writer.text for writer in documents).replace("\n", newline)
    text = Text(file, content)
    read = read_documents(text)
    assert read.fatal is None, content
    assert len(read.complete) == len(documents), content
    before = ""
    for writer, document in zip(documents, read.complete, strict=True):
        positions = Layout(text, document, secret=False).at(())
        for (path, is_key), (offset, source) in expected(writer).items():
            place = positions.key(path) if is_key else positions.value(path)
            above, newlines, beside = (before + writer.text[:offset]).rpartition("\n")
            line = above.count("\n") + newlines.count("\n") + 1
            assert (place.line, place.column, place.width) == (line, len(beside) + 1, len(source)), (path, content)
            shown = content.split(newline)[place.line - 1]
            assert shown[place.column - 1 :].startswith(source), (path, content)
            assert place.excerpt[-1].text == shown
        before += writer.text


@settings(
    deadline=None, max_examples=60, suppress_health_check=list(HealthCheck)
)  # a busy machine is no fault of ours
@given(yaml_files(), st.sampled_from(["\n", "\r\n"]))
def test_every_value_and_key_of_yaml_is_found_where_it_stands(documents: list[Writer], newline: str) -> None:
    check(documents, newline, "a.yaml")


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(json_files(), st.sampled_from(["\n", "\r\n"]))
def test_every_value_and_key_of_json_is_found_where_it_stands(documents: list[Writer], newline: str) -> None:
    check(documents, newline, "a.json")


@pytest.mark.parametrize("start", ["\ufeff", "\ufeff# é\n", "\ufeff---\n"])
def test_a_byte_order_mark_is_no_column(tmp_path: Path, start: str) -> None:
    (tmp_path / "a.yaml").write_text(f"{start}k: v\n", encoding="utf-8")
    text = read_text(Entry(tmp_path / "a.yaml", "a.yaml"), tmp_path)
    place = Layout(text, read_documents(text).complete[0], secret=False).at(()).value(("k",))
    assert (place.line, place.column, place.width) == (start.count("\n") + 1, 4, 1)


def test_a_column_may_be_large() -> None:
    content = '{"a": "' + "\U0001f600" * 100_000 + '",\t"b": "c"}'
    text = Text("a.json", content)
    place = Layout(text, read_documents(text).complete[0], secret=False).at(()).value(("b",))
    assert (place.line, place.column, place.width) == (1, content.index('"c"') + 1, 3)
