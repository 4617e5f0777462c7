"""What must hold of every app directory, whatever lies in it: asked by test_fuzz.py and by scripts/fuzz.py."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from kploy.engine.prepare import prepare
from kploy.model.errors import KployError
from kploy.model.findings import Finding, Place, Severity
from kploy.source.app import read_app
from kploy.source.documents import read_documents
from kploy.source.json import looks_like_json
from kploy.source.scalars import NoValue, key_of, value_of
from kploy.source.syntax import PLAIN
from kploy.source.text import Text
from kploy.ui.sanitize import clean

_RULE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_BREAK = re.compile(r"\r\n|\n|\r")
_OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_LIMITS = {"too-deep", "alias-bomb", "too-many-values", "too-many-problems", "recursive-alias", "yaml-key"}
"""What kploy refuses on purpose and PyYAML takes."""


def hold_for_the_app(root: Path) -> None:
    """Whatever is in ``root`` is an app, findings or a KployError, and the same the second time."""
    try:
        reading = read_app(root, offline=True)
        assert read_app(root, offline=True) == reading
        prepared = prepare(root, offline=True)
    except KployError:
        return
    for finding in (*reading.findings, *prepared.findings):
        hold_for_the_finding(finding, root)


def hold_for_the_finding(finding: Finding, root: Path) -> None:
    """It says what is wrong, in words that can be printed, and a place that exists."""
    assert _RULE.fullmatch(finding.rule)
    assert finding.message
    assert finding.place or finding.subject
    for words in (clean(finding.message), clean(finding.hint)):
        assert not any(unicodedata.category(character) in _OBEYED for character in words), words
    if finding.place:
        hold_for_the_place(finding.place, root)


def hold_for_the_place(place: Place, root: Path) -> None:
    """Line and column lie in the file; the excerpt ends with the line, and the caret lies on or just behind it."""
    content = (root / place.file).read_bytes().decode("utf-8", "replace").removeprefix("\ufeff")
    lines = _BREAK.split(content)
    assert 1 <= place.line <= len(lines), place
    assert 1 <= place.column <= max(len(lines[place.line - 1]), len("  - ")) + len("••••••"), place
    assert place.width >= 1
    if place.excerpt:
        last = place.excerpt[-1]
        assert last.number == place.line
        assert place.column - 1 <= len(last.text), place
        assert place.column + place.width - 2 <= max(len(last.text), place.column), place


class _Oracle(yaml.CSafeLoader):
    """PyYAML's own reading of structure: every scalar is text, ``<<`` merges."""


_Oracle.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith(":merge")]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def hold_for_the_loader(content: str) -> None:
    """A text that PyYAML takes, kploy takes with the same structure; kploy's limits, and what JSON is, aside."""
    found = read_documents(Text("rcs/a.yaml", content))
    if looks_like_json(content) or "!" in content or (found.fatal and found.fatal.rule in _LIMITS):
        return
    try:
        expected = list(yaml.load_all(content, _Oracle))
    except (yaml.YAMLError, ValueError, RecursionError):
        return
    assert found.fatal is None or found.fatal.rule == "control-character", found.fatal
    for document, oracle in zip(found.complete, expected, strict=False):
        if not any(problem.severity is Severity.ERROR for problem in document.problems):
            assert _agree(document.value, oracle), (document.value, oracle)


def _agree(value: Any, oracle: Any) -> bool:
    """Whether both are the same but for what a bare scalar means, which test_scalars.py holds against kubectl."""
    if isinstance(value, dict):
        return isinstance(oracle, Mapping) and _mappings_agree(value, oracle)
    if isinstance(value, list):
        return (
            isinstance(oracle, list)
            and len(value) == len(oracle)
            and all(_agree(*pair) for pair in zip(value, oracle, strict=True))
        )
    return oracle is None if value is None and oracle is None else value == oracle or value == _bare(oracle)


def _mappings_agree(value: Mapping[str, Any], oracle: Mapping[Any, Any]) -> bool:
    by_key = {key: key for key in oracle} | {_bare_key(key): key for key in oracle if _bare_key(key) in value}
    return len(value) == len(oracle) and all(
        key in by_key and _agree(item, oracle[by_key[key]]) for key, item in value.items()
    )


def _bare(text: Any) -> Any:
    try:
        return value_of(text, PLAIN) if isinstance(text, str) else text
    except NoValue:
        return text


def _bare_key(text: Any) -> Any:
    try:
        return key_of(text, PLAIN) if isinstance(text, str) else text
    except NoValue:
        return text
