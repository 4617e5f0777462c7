"""Findings as SARIF 2.1.0, for what shows the results of many tools, such as GitHub code scanning.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from kploy import __version__
from kploy.core.rules import RULES
from kploy.model import events
from kploy.model.errors import KployError
from kploy.model.findings import Finding, Place
from kploy.model.report import MEANINGS, Outcome
from kploy.ui.json import as_json
from kploy.ui.sanitize import clean
from kploy.ui.streams import is_complete, steadfast, tell_at_once
from kploy.ui.tree import Tree

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_ROOT = "SRCROOT"
"""Stands for the directory that the repository was checked out to, wherever that is."""

_SPECIAL = re.compile(r"[\\*_{}\[\]()<>#+!|~&@-]")

_FOUND = frozenset({Outcome.DONE, Outcome.PENDING, Outcome.INVALID, Outcome.REFUSED})
"""How a check ends that has done its work, whatever it found."""


class SarifDisplay:
    """Collects findings, and writes one SARIF document to stdout in the end, also when an error is the end."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._stdout = steadfast(sys.stdout)
        self._findings: tuple[Finding, ...] = ()
        self._outcome = Outcome.BUG

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        outcome, trouble = _end(self._outcome, value)
        self._stdout.write(as_json(sarif_document(self._findings, self._tree, outcome, trouble), indent=2) + "\n")
        self._stdout.flush()

    @property
    def is_complete(self) -> bool:
        """Whether everything is on stdout."""
        return is_complete(self._stdout)

    def show(self, event: events.Event) -> None:
        """Keep what is to be written."""
        match event:
            case events.Checked(findings):
                self._findings = findings
            case events.Finished(outcome):
                self._outcome = outcome
            case _:
                pass

    def note(self, text: str) -> None:
        """Say something on stderr. May be called from a signal handler."""
        tell_at_once(f"{text}\n")

    last_words = note


def sarif_document(findings: Iterable[Finding], tree: Tree, outcome: Outcome, trouble: str = "") -> dict[str, Any]:
    """Findings as a SARIF log with one run. The same findings give the same document.

    ``trouble`` is what kept the check from doing all its work, "" if nothing did.
    """
    every = list(findings)
    rules = {rule["id"]: (index, rule) for index, rule in enumerate(_rules(every))}
    driver = {"name": "kploy", "version": __version__, "rules": [rule for _, rule in rules.values()]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [_invocation(outcome, trouble)],
        "results": list(_results(every, {rule: index for rule, (index, _) in rules.items()}, tree)),
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rules(findings: Iterable[Finding]) -> Iterator[dict[str, Any]]:
    """A rule for each id that occurs, as SARIF describes it; its level is that of a rule that is not switched."""
    for rule in (RULES[rule_id] for rule_id in sorted({finding.rule for finding in findings})):
        yield {
            "id": rule.id,
            "shortDescription": {"text": f"{rule.title[0].upper()}{rule.title[1:]}."},
            "fullDescription": {"text": rule.why},
            "defaultConfiguration": {"level": str(rule.severity)},
        }


def _invocation(outcome: Outcome, trouble: str) -> dict[str, Any]:
    told = [{"level": "error", "message": {"text": trouble}}] if trouble else []
    return {
        "executionSuccessful": not trouble and outcome in _FOUND,
        "exitCode": int(outcome),
        "exitCodeDescription": MEANINGS[outcome],
        "toolExecutionNotifications": told,
    }


def _results(findings: Iterable[Finding], rules: Mapping[str, int], tree: Tree) -> Iterator[dict[str, Any]]:
    seen: Counter[str] = Counter()
    for finding in findings:
        file = tree.path(finding.place.file if finding.place else finding.subject or "Kployfile")
        mark = _fingerprint(finding, file)
        seen[mark] += 1
        yield {
            "ruleId": finding.rule,
            "ruleIndex": rules[finding.rule],
            "level": str(finding.severity),
            "message": _message(finding),
            "locations": [{"physicalLocation": _location(file, finding.place, is_inside=tree.holds(file))}],
            "partialFingerprints": {"kployFinding/v1": f"{mark}:{seen[mark]}"},
        }


def _message(finding: Finding) -> dict[str, str]:
    fact, remedy = clean(finding.message), clean(finding.hint)
    return {
        "text": f"{fact}: {remedy}" if remedy else fact,
        "markdown": f"{_markdown(fact)}\n\n{_markdown(remedy)}" if remedy else _markdown(fact),
    }


def _location(file: str, place: Place | None, *, is_inside: bool) -> dict[str, Any]:
    uri = quote(file, safe="/", errors="surrogateescape")
    artifact = {"uri": uri, "uriBaseId": _ROOT} if is_inside else {"uri": f"file://{uri}"}
    if place is None:
        return {"artifactLocation": artifact}
    region = {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.line,
        "endColumn": place.column + place.width,
    }
    return {"artifactLocation": artifact, "region": region}


def _fingerprint(finding: Finding, file: str) -> str:
    """The same for a finding that only moved to another line: what is said of which words of which file."""
    place = finding.place
    line = next((line.text for line in place.excerpt if line.number == place.line), "") if place else ""
    parts = (finding.rule, file, clean(finding.message), line.strip())
    return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _markdown(text: str) -> str:
    """A message as Markdown: what is between backticks stays code, the rest shows itself and does nothing."""
    pieces = text.split("`")
    closed = len(pieces) % 2 == 1
    plain = [_SPECIAL.sub(r"\\\g<0>", piece) for piece in pieces]
    if not closed:
        return "\\`".join(plain)
    return "".join(f"`{piece}`" if index % 2 else plain[index] for index, piece in enumerate(pieces))


def _end(outcome: Outcome, error: BaseException | None) -> tuple[Outcome, str]:
    """How it ended, and what kept the check from doing all its work."""
    match error:
        case None:
            return outcome, ""
        case KployError():
            return error.outcome, ": ".join(filter(None, map(clean, (error.message, error.hint))))
        case KeyboardInterrupt():
            return Outcome.INTERRUPTED, "interrupted"
        case _:
            return Outcome.BUG, f"kploy has a bug: {type(error).__name__}"
