"""SARIF 2.1.0, held against the schema that OASIS publishes."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from kploy import __version__
from kploy.cluster.port import Unreachable
from kploy.core.rules import RULES
from kploy.model.events import Checked, Event, Finished
from kploy.model.findings import Finding, Line, Place, error, warning
from kploy.model.report import Outcome
from kploy.ui.sarif import SarifDisplay, sarif_document
from kploy.ui.tree import Tree
from tests.ui.made import HARMLESS, HOSTILE

SHOP = Tree(Path("/repo/my apps/shop"), Path("/repo"))
PLACE = Place("rcs/web.yaml", 17, 11, 6, (Line(16, "- name: web"), Line(17, "  imagee: x")))
FINDING = error("unknown-field", "`imagee` is not a field of Container", "did you mean `image`?", PLACE)


@cache
def schema() -> Draft7Validator:
    """The schema of SARIF 2.1.0 as OASIS publishes it, unchanged. See NOTICE."""
    packed = (Path(__file__).parent / "data" / "sarif-schema-2.1.0.json.gz").read_bytes()
    return Draft7Validator(json.loads(gzip.decompress(packed)))


def sound(document: dict[str, Any]) -> dict[str, Any]:
    """The document's only run; it is valid."""
    assert [problem.message for problem in schema().iter_errors(document)] == []
    (run,) = document["runs"]
    return dict(run)


def test_the_schema_refuses_what_is_wrong() -> None:
    document = sarif_document([FINDING], SHOP, Outcome.INVALID)
    document["runs"][0]["results"][0]["level"] = "fatal"
    assert not schema().is_valid(document)


def test_a_finding_is_a_result_with_its_rule_and_place() -> None:
    run = sound(sarif_document([FINDING], SHOP, Outcome.INVALID))
    (result,) = run["results"]
    fingerprint = result.pop("partialFingerprints")
    assert list(fingerprint) == ["kployFinding/v1"]
    assert result == {
        "ruleId": "unknown-field",
        "ruleIndex": 0,
        "level": "error",
        "message": {
            "text": "`imagee` is not a field of Container: did you mean `image`?",
            "markdown": "`imagee` is not a field of Container\n\ndid you mean `image`?",
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "my%20apps/shop/rcs/web.yaml", "uriBaseId": "SRCROOT"},
                    "region": {"startLine": 17, "startColumn": 11, "endLine": 17, "endColumn": 17},
                }
            }
        ],
    }
    assert (run["tool"]["driver"]["name"], run["tool"]["driver"]["version"]) == ("kploy", __version__)
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["originalUriBaseIds"].keys() == {"SRCROOT"}


def test_each_rule_is_described_once_and_found_by_its_index() -> None:
    findings = [error("image-tag", "switched"), error("empty-app", "2"), warning("image-tag", "3")]
    run = sound(sarif_document(findings, SHOP, Outcome.INVALID))
    rules = run["tool"]["driver"]["rules"]
    assert rules == [
        {
            "id": id_,
            "shortDescription": {"text": title},
            "fullDescription": {"text": RULES[id_].why},
            "defaultConfiguration": {"level": level},
        }
        for id_, title, level in [
            ("empty-app", "There is nothing to deploy.", "error"),
            ("image-tag", f"{RULES['image-tag'].title.capitalize()}.", "warning"),
        ]
    ]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [
        "image-tag",
        "empty-app",
        "image-tag",
    ]


@pytest.mark.parametrize(
    ("finding", "uri"),
    [
        (error("empty-app", "m"), "my%20apps/shop/Kployfile"),
        (error("empty-app", "m", subject="env/X.secret"), "my%20apps/shop/env/X.secret"),
        (error("empty-app", "m", place=Place("rcs/é #1%.yaml", 1, 1)), "my%20apps/shop/rcs/%C3%A9%20%231%25.yaml"),
    ],
)
def test_every_result_has_a_file_of_the_repository(finding: Finding, uri: str) -> None:
    (result,) = sound(sarif_document([finding], SHOP, Outcome.INVALID))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": uri, "uriBaseId": "SRCROOT"}


def test_outside_of_the_repository_a_file_is_absolute() -> None:
    (result,) = sound(sarif_document([FINDING], Tree(Path("/a b"), None), Outcome.INVALID))["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": "file:///a%20b/rcs/web.yaml"}


def marks(*findings: Finding) -> list[str]:
    run = sound(sarif_document(findings, SHOP, Outcome.INVALID))
    return [result["partialFingerprints"]["kployFinding/v1"] for result in run["results"]]


def test_a_fingerprint_survives_a_move_to_another_line_and_indentation() -> None:
    moved = replace(FINDING, place=Place("rcs/web.yaml", 40, 13, 6, (Line(40, "    imagee: x"),)))
    assert marks(moved) == marks(FINDING)


def test_other_findings_have_other_fingerprints() -> None:
    others = (
        FINDING,
        FINDING,
        replace(FINDING, rule="unknown-kind"),
        replace(FINDING, message="other"),
        replace(FINDING, place=Place("rcs/db.yaml", 17, 11, 6, PLACE.excerpt)),
        replace(FINDING, place=Place("rcs/web.yaml", 17, 11, 6, (Line(17, "  imagee: y"),))),
        replace(FINDING, place=None),
    )
    assert len(set(marks(*others))) == len(others)
    assert marks(*others) == marks(*others)


def test_hostile_text_is_spelled_out_and_nothing_of_it_is_markdown() -> None:
    finding = error(
        "empty-app", HOSTILE + "<img src=x> [a](http://b) @team", HOSTILE, Place("rcs/\x1b\udc80", 1, 1)
    )
    (result,) = sound(sarif_document([finding], SHOP, Outcome.INVALID))["results"]
    assert result["message"]["text"] == f"{HARMLESS}<img src=x> [a](http://b) @team: {HARMLESS}"
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "my%20apps/shop/rcs/%1B%80"
    assert r"\<img src=x\> \[a\]\(http://b\) \@team" in result["message"]["markdown"]


PIPE = pytest.CaptureFixture[str]


def written(capsys: PIPE, *events: Event, by: type[BaseException] | BaseException | None = None) -> dict[str, Any]:
    """The run that is on stdout after ``events``, and after what ended it early."""

    def session() -> None:
        with SarifDisplay(SHOP) as display:
            for event in events:
                display.show(event)
            if by is not None:
                raise by

    if by is None:
        session()
    else:
        with pytest.raises(by if isinstance(by, type) else type(by)):
            session()
    return sound(json.loads(capsys.readouterr().out))


def test_the_invocation_says_how_it_ended(capsys: PIPE) -> None:
    run = written(capsys, Checked((FINDING,), 1), Finished(Outcome.INVALID))
    assert run["invocations"] == [
        {
            "executionSuccessful": True,
            "exitCode": 3,
            "exitCodeDescription": "the app is invalid",
            "toolExecutionNotifications": [],
        }
    ]
    assert len(run["results"]) == 1


@pytest.mark.parametrize(
    ("by", "code", "words"),
    [
        (Unreachable("no answer", "is it up?"), 4, "no answer: is it up?"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ValueError("hunter2"), 70, "kploy has a bug: ValueError"),
    ],
)
def test_an_error_in_the_middle_leaves_a_whole_document_behind(
    capsys: PIPE, by: BaseException, code: int, words: str
) -> None:
    run = written(capsys, Checked((FINDING,), 1), by=by)
    (invocation,) = run["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, code)
    assert invocation["toolExecutionNotifications"] == [{"level": "error", "message": {"text": words}}]
    assert len(run["results"]) == 1
