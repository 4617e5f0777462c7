"""The Kployfile: read, and held against its schema.

kployfile.schema.json is what editors use and what counts here. The few
keywords it is made of are checked by hand: the messages say what to do, and
jsonschema, which takes 70 ms to import, is not needed for eight keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from kploy.core.shipped import shipped
from kploy.core.suggestions import did_you_mean, nearest
from kploy.model.app import Kployfile
from kploy.model.errors import Refused
from kploy.model.findings import Finding, Positions, Severity, error
from kploy.model.frozen import replace
from kploy.source.documents import MOST_PROBLEMS, Document, read_documents
from kploy.source.files import Entry, Unusable, exists, read_text
from kploy.source.positions import Layout
from kploy.source.readiness import readiness_rules, wrong_readiness
from kploy.source.scalars import described
from kploy.source.switches import switches, wrong_switches
from kploy.source.text import Text, short

FILE = "Kployfile"

_TYPES: dict[str, type] = {"string": str, "boolean": bool, "null": type(None), "object": dict}
_BOOLEANS = {
    **dict.fromkeys(("y", "yes", "on", "true"), "true"),
    **dict.fromkeys(("n", "no", "off", "false"), "false"),
}
_WANTED = {
    "string": "text",
    "boolean": "true or false",
    "object": "a mapping",
}
_NEEDED = {
    "name": ("invalid-name", "use 1 to 63 letters, digits, `-`, `_`, `.`; begin and end with a letter or digit"),
    "namespace": (
        "invalid-namespace",
        "use 1 to 63 small letters, digits, `-`; begin and end with a letter or digit",
    ),
    "apiserver": ("invalid-apiserver", "write `https://HOST:PORT`, without a user or password, or take it out"),
    "context": ("invalid-context", "name a context of the kubeconfig, or take it out"),
}


@cache
def schema_text() -> str:
    """The JSON Schema 2020-12 of the Kployfile, as editors take it."""
    return shipped("kploy.source", "kployfile.schema.json").decode()


@cache
def schema() -> dict[str, Any]:
    """The same as data; not to be changed."""
    loaded: dict[str, Any] = json.loads(schema_text())
    return loaded


def protected_namespaces() -> frozenset[str]:
    """The namespaces that belong to Kubernetes itself."""
    return frozenset(schema()["properties"]["namespace"]["not"]["enum"])


def read_kployfile(root: Path) -> tuple[Kployfile | None, tuple[Finding, ...]]:
    """The Kployfile of ``root`` with all its findings, or None where it does not say which app this is.

    Raises Refused when its namespace belongs to Kubernetes itself.
    """
    path = root / FILE
    if not exists(path):
        return None, (_missing(root),)
    try:
        text = read_text(Entry(path, FILE), root)
    except Unusable as exc:
        return None, (exc.finding,)
    return _read(text)


def _read(text: Text) -> tuple[Kployfile | None, tuple[Finding, ...]]:
    documents = read_documents(text)
    problems = [problem for document in documents.complete for problem in document.problems]
    if documents.fatal:
        problems += [*documents.pending, documents.fatal]
    found = [problem.finding(text, secret=text.may_tell) for problem in problems]
    if documents.fatal:
        return None, tuple(found)
    document = _only_document(text, documents.complete, found)
    if document is None:
        return None, tuple(found)
    positions = Layout(text, document, secret=False).at(())
    wrong = list(islice(_violations(document.value, positions), MOST_PROBLEMS))
    shadowed = {finding.place for finding in wrong}
    findings = [f for f in found if f.severity is Severity.ERROR or f.place not in shadowed] + wrong
    return _kployfile(document.value, findings, positions), tuple(findings)


def _missing(root: Path) -> Finding:
    what = f"`{root}` has no Kployfile" if root.is_dir() else f"there is no directory `{root}`"
    return error("no-kployfile", what, "run `kploy init`, or give the app's directory", subject=FILE)


def _only_document(text: Text, documents: tuple[Document, ...], found: list[Finding]) -> Document | None:
    """The one document that a Kployfile has, and that is a mapping."""
    filled = [document for document in documents if document.value is not None]
    if not filled:
        found.append(error("empty-kployfile", "the Kployfile is empty", "add `name: NAME`", text.place(0, 0)))
        return None
    if len(filled) > 1:
        start = filled[1].start
        place = text.place(start, start + 3, start)
        found.append(error("several-documents", "a Kployfile is one document", "remove the second one", place))
        return None
    if not isinstance(filled[0].value, dict):
        place = Layout(text, filled[0], secret=False).value(())
        found.append(
            error(
                "not-a-mapping",
                f"a Kployfile is a mapping, this is {described(filled[0].value)}",
                "write `name: NAME`",
                place,
            )
        )
        return None
    return filled[0]


def _violations(data: dict[str, Any], positions: Positions) -> Iterator[Finding]:
    """Where ``data`` and the schema disagree."""
    rules = schema()["properties"]
    for key in schema()["required"]:
        if data.get(key) is None:
            hint = f"add `{key}: {rules[key]['examples'][0]}`"
            yield error("missing-key", f"the Kployfile has no `{key}`", hint, positions.key((key,)))
    for key, value in data.items():
        if key not in rules:
            yield error(
                "unknown-key",
                f"`{short(key)}` is not a key of a Kployfile",
                _suggestion(key),
                positions.key((key,)),
            )
        elif value is not None:
            yield from _value_violations(key, value, rules[key], positions)


def _value_violations(key: str, value: Any, rule: dict[str, Any], positions: Positions) -> Iterator[Finding]:
    types = [rule["type"]] if isinstance(rule["type"], str) else rule["type"]
    if not isinstance(value, tuple(_TYPES[name] for name in types)):
        wanted = _WANTED[types[0]]
        hint = (
            "quote it"
            if wanted == "text" and not isinstance(value, dict | list)
            else f"write {_meant(value, wanted)}"
        )
        message = f"`{key}` must be {wanted}, this is {described(value)}"
        yield error("wrong-type", message, hint, positions.value((key,)))
    elif isinstance(value, str) and not re.fullmatch(rule.get("pattern", "(?s).*"), value):
        name, hint = _NEEDED[key]
        # What stands where an address is wanted may hold a password: the place is told, the line is not shown.
        place = positions.value((key,))
        shown = replace(place, excerpt=()) if key == "apiserver" else place
        yield error(name, f"this is no valid `{key}`", hint, shown)
    elif isinstance(value, dict):
        yield from _WRONG[key](value, positions)
    elif value in rule.get("not", {}).get("enum", ()):
        fact = f"{positions.value((key,))}: namespace `{value}` belongs to Kubernetes itself"
        raise Refused(fact, f"choose another `namespace` in the {FILE}")


_WRONG = {"rules": wrong_switches, "readiness": wrong_readiness}
"""What is wrong with the keys that are mappings."""


def _meant(value: Any, wanted: str) -> str:
    """What to write in place of ``value``: of quoted words such as "yes" it is clear."""
    meant = _BOOLEANS.get(value.lower()) if isinstance(value, str) and wanted != "text" else None
    return f"`{meant}`, without quotes" if meant else wanted


def _suggestion(key: str) -> str:
    known = list(schema()["properties"])
    return did_you_mean(nearest(key, known), f"the keys are {', '.join(known)}")


_WITHOUT_IDENTITY = frozenset(
    {"missing-key", "wrong-type", "invalid-name", "invalid-namespace", "invalid-apiserver", "invalid-context"}
)
"""The rules by whose findings it is not known which app this is, or where it may go."""


def _kployfile(data: dict[str, Any], findings: list[Finding], positions: Positions) -> Kployfile | None:
    if any(finding.rule in _WITHOUT_IDENTITY for finding in findings):
        return None
    return Kployfile(
        name=data["name"],
        namespace=data.get("namespace") or "default",
        author=data.get("author") or "",
        source=data.get("source") or "",
        apiserver=data.get("apiserver") or None,
        context=data.get("context") or None,
        cache_remotes=bool(data.get("cache_remotes")),
        rules=switches(data.get("rules") or {}),
        readiness=readiness_rules(data.get("readiness") or {}),
        positions=positions,
    )
