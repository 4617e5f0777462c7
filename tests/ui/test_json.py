"""Events and listings as JSON. Whoever changes a shape here changes it for every program that reads it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, get_args

import pytest

from kploy.core.masking import MASK
from kploy.model.events import (
    Applied,
    Awaited,
    Checked,
    Event,
    Failed,
    Finished,
    Logged,
    LogLine,
    NodesCounted,
    Noted,
    Planned,
    Progressed,
    Ready,
    Skipped,
    StillWaiting,
    Unfinished,
)
from kploy.model.evidence import Evidence, LogTail, Runbook, Serving, Witness
from kploy.model.findings import Line, Place, error, warning
from kploy.model.listing import AppListing, Row
from kploy.model.notices import Notice
from kploy.model.objects import Cause, Counts, Grade, ObjectRef, State, Status
from kploy.model.plan import Action, Change, Edit, FieldChange, Ownership, Pace, Plan, Restart
from kploy.model.report import Outcome
from kploy.ui.json import JsonDisplay, listing_document
from tests.ui.made import DB, HALFWAY, HOSTILE, JOB, OPENED, STARTING, UP, WEB
from tests.ui.runner import orders

SEEN = Evidence(
    Serving(0, 3, ("acme/web:1",), 11),
    (Notice(WEB, "u", "BackOff", "again", 4, 1.0),),
    (Witness("web-1", "web", is_previous=True),),
)
LOST = Cause(
    "ImagePullBackOff",
    "no such image",
    Grade.FATAL,
    ("spec", "containers", 0, "image"),
    container="web",
    pods=("web-1",),
)
WEB_JSON = {
    "group": "apps",
    "kind": "Deployment",
    "namespace": "shop",
    "name": "web",
    "id": "deployment.apps/web",
}
FLAGS = ObjectRef("", "ConfigMap", "shop", "flags")
FLAGS_JSON = {"group": "", "kind": "ConfigMap", "namespace": "shop", "name": "flags", "id": "configmap/flags"}
DB_JSON = {"group": "", "kind": "Service", "namespace": "shop", "name": "db", "id": "service/db"}
STARTING_JSON = {
    "state": "in-progress",
    "message": "waiting for its controller",
    "counts": {"ready": 0, "wanted": 2, "unit": ""},
    "cause": None,
}
UP_JSON = {"state": "current", "message": "", "counts": {"ready": 2, "wanted": 2, "unit": ""}, "cause": None}

CHANGED = Change(
    WEB,
    Action.CONFIGURED,
    "rcs/web.yaml",
    reason="why",
    fields=(
        FieldChange(
            ("spec", "x", 0), "spec.x[0]", "x[0]", Edit.CHANGED, 0.12345, {"a": [None, MASK]}, masked=True
        ),
    ),
    ownership=(Ownership("kubectl", ("spec.x",)),),
    restart=Restart(Pace.ALL_AT_ONCE, 3, 3, 3, ("spec.x[0]",), is_down=True, cut_off=(DB,), config=(FLAGS,)),
    more_pods=-1,
    stale=(WEB,),
)

SHAPES: list[tuple[Event, dict[str, Any]]] = [
    (
        OPENED,
        {
            "app": "shop",
            "appId": "shop-0123456789",
            "namespace": "shop",
            "manifests": 3,
            "schemas": "1.37",
            "context": "kind-dev",
            "server": "https://127.0.0.1:6443",
            "serverVersion": "v1.37.2",
            "simulated": False,
            "isLeaving": False,
        },
    ),
    (NodesCounted(2, 3), {"ready": 2, "total": 3}),
    (NodesCounted(None, None), {"ready": None, "total": None}),
    (
        Checked(
            (
                error("r", "m", "h", Place("rcs/web.yaml", 2, 3, 4, (Line(2, "  x: ••••••"),))),
                warning("w", "m", subject="env/X"),
            ),
            7,
        ),
        {
            "findings": [
                {
                    "rule": "r",
                    "severity": "error",
                    "message": "m",
                    "hint": "h",
                    "place": {
                        "file": "rcs/web.yaml",
                        "line": 2,
                        "column": 3,
                        "width": 4,
                        "excerpt": [{"number": 2, "text": "  x: ••••••"}],
                    },
                    "subject": "",
                    "snippet": "",
                },
                {
                    "rule": "w",
                    "severity": "warning",
                    "message": "m",
                    "hint": "",
                    "place": None,
                    "subject": "env/X",
                    "snippet": "",
                },
            ],
            "files": 7,
        },
    ),
    (
        Planned(Plan((Change(WEB, Action.CREATED, "rcs/web.yaml", "its kind is new", holds=("acme/web:1",)),))),
        {
            "plan": {
                "changes": [
                    {
                        "ref": WEB_JSON,
                        "action": "created",
                        "file": "rcs/web.yaml",
                        "unchecked": "its kind is new",
                        "reason": "",
                        "holds": ["acme/web:1"],
                        "fields": [],
                        "ownership": [],
                        "restart": None,
                        "morePods": 0,
                        "stale": [],
                    }
                ]
            }
        },
    ),
    (
        Planned(Plan((CHANGED,))),
        {
            "plan": {
                "changes": [
                    {
                        "ref": WEB_JSON,
                        "action": "configured",
                        "file": "rcs/web.yaml",
                        "unchecked": "",
                        "reason": "why",
                        "holds": [],
                        "fields": [
                            {
                                "path": ["spec", "x", 0],
                                "name": "spec.x[0]",
                                "label": "x[0]",
                                "edit": "changed",
                                "before": 0.12345,
                                "after": {"a": [None, "••••••"]},
                                "masked": True,
                            }
                        ],
                        "ownership": [{"manager": "kubectl", "fields": ["spec.x"], "isGivenUp": False}],
                        "restart": {
                            "pace": "all-at-once",
                            "pods": 3,
                            "of": 3,
                            "together": 3,
                            "because": ["spec.x[0]"],
                            "isDown": True,
                            "cutOff": [DB_JSON],
                            "config": [FLAGS_JSON],
                        },
                        "morePods": -1,
                        "stale": [WEB_JSON],
                    }
                ]
            }
        },
    ),
    (
        Applied(WEB, Action.CONFIGURED, STARTING, 0.12345),
        {"ref": WEB_JSON, "action": "configured", "status": STARTING_JSON, "at": 0.123},
    ),
    (Progressed(WEB, STARTING, 1.0), {"ref": WEB_JSON, "status": STARTING_JSON, "at": 1.0}),
    (Ready(WEB, UP, 2.0, 3.0), {"ref": WEB_JSON, "status": UP_JSON, "after": 2.0, "at": 3.0}),
    (
        Failed(WEB, "why", 3.0, "what to do"),
        {
            "ref": WEB_JSON,
            "reason": "why",
            "at": 3.0,
            "hint": "what to do",
            "place": None,
            "cause": None,
            "evidence": None,
            "runbook": None,
        },
    ),
    (
        Failed(WEB, "why", 3.0, cause=LOST, evidence=SEEN, runbook=Runbook("runbooks/X.md", "call us")),
        {
            "ref": WEB_JSON,
            "reason": "why",
            "at": 3.0,
            "hint": "",
            "place": None,
            "cause": {
                "reason": "ImagePullBackOff",
                "message": "no such image",
                "grade": "fatal",
                "path": ["spec", "containers", 0, "image"],
                "grace": 0.0,
                "container": "web",
                "pods": ["web-1"],
            },
            "evidence": {
                "serving": {"new": 0, "old": 3, "images": ["acme/web:1"], "revision": 11},
                "notices": [
                    {
                        "about": WEB_JSON,
                        "uid": "u",
                        "reason": "BackOff",
                        "message": "again",
                        "count": 4,
                        "at": 1.0,
                    }
                ],
                "witnesses": [{"pod": "web-1", "container": "web", "isPrevious": True}],
            },
            "runbook": {"file": "runbooks/X.md", "text": "call us"},
        },
    ),
    (
        Logged(WEB, (LogTail(Witness("w-1", "web"), ("a", "b")), LogTail(Witness("w-2", "web"), (), "no")), 3.0),
        {
            "ref": WEB_JSON,
            "logs": [
                {
                    "of": {"pod": "w-1", "container": "web", "isPrevious": False},
                    "lines": ["a", "b"],
                    "missing": "",
                },
                {"of": {"pod": "w-2", "container": "web", "isPrevious": False}, "lines": [], "missing": "no"},
            ],
            "at": 3.0,
        },
    ),
    (
        LogLine("web-1", "web", "listening", 1.0),
        {"pod": "web-1", "container": "web", "line": "listening", "at": 1.0},
    ),
    (
        StillWaiting((Awaited(WEB, STARTING),), 31.0),
        {"objects": [{"ref": WEB_JSON, "status": STARTING_JSON}], "at": 31.0},
    ),
    (Skipped(WEB, DB, 3.0), {"ref": WEB_JSON, "because": DB_JSON, "at": 3.0}),
    (Skipped(WEB, None, 3.0), {"ref": WEB_JSON, "because": None, "at": 3.0}),
    (
        Unfinished(WEB, STARTING, 3.0, Place("rcs/web.yaml", 4, 9, 3)),
        {
            "ref": WEB_JSON,
            "status": STARTING_JSON,
            "at": 3.0,
            "place": {"file": "rcs/web.yaml", "line": 4, "column": 9, "width": 3, "excerpt": []},
            "evidence": None,
            "runbook": None,
            "hint": "",
        },
    ),
    (Noted("the cache was used"), {"text": "the cache was used"}),
    (
        Finished(Outcome.TIMED_OUT, 300.0),
        {"outcome": {"exitCode": 5, "name": "timed-out"}, "at": 300.0, "good": None},
    ),
]


def written(*events: Event, by: pytest.CaptureFixture[str]) -> list[str]:
    with JsonDisplay() as display:
        for event in events:
            display.show(event)
    out, err = by.readouterr()
    assert err == ""
    return out.splitlines()


@pytest.mark.parametrize(("event", "shape"), SHAPES, ids=lambda value: type(value).__name__)
def test_an_event_has_this_shape(event: Event, shape: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = written(event, by=capsys)
    assert json.loads(line) == {"apiVersion": "kploy.dev/v1", "kind": type(event).__name__, **shape}


def test_every_kind_of_event_has_its_shape_here() -> None:
    assert {type(event) for event, _ in SHAPES} == set(get_args(Event))


def test_no_field_of_an_event_hides_its_kind_or_version() -> None:
    assert [event for event, shape in SHAPES if {"kind", "apiVersion"} & set(shape)] == []


@pytest.mark.parametrize("outcome", Outcome)
def test_an_outcome_is_its_exit_code_and_its_name(outcome: Outcome, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = written(Finished(outcome), by=capsys)
    name = outcome.name.lower().replace("_", "-")
    assert json.loads(line)["outcome"] == {"exitCode": int(outcome), "name": name}


def test_hostile_text_is_escaped_by_json_itself_and_comes_back_whole(capsys: pytest.CaptureFixture[str]) -> None:
    ref = ObjectRef("", "Pod", "", HOSTILE)
    place = Place(HOSTILE, 1, 1, 1, (Line(1, HOSTILE),))
    events: list[Event] = [
        replace(OPENED, app=HOSTILE, context=HOSTILE),
        Checked((error(HOSTILE, HOSTILE, HOSTILE, place, HOSTILE),), 1),
        Failed(ref, HOSTILE, 0.0, HOSTILE),
        Progressed(ref, Status(State.FAILED, HOSTILE, Counts(1, None, HOSTILE)), 0.0),
    ]
    lines = written(*events, by=capsys)
    assert [line for line in lines if not (line.isascii() and line.isprintable())] == []
    assert [json.loads(line)["kind"] for line in lines] == ["Opened", "Checked", "Failed", "Progressed"]
    assert json.loads(lines[2])["reason"] == HOSTILE


def test_no_ci_runner_finds_an_order_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    said = "a ##[add-mask]x\n::error::y"
    (line,) = written(Failed(WEB, said, 0.0), by=capsys)
    assert orders(line) == []
    assert json.loads(line)["reason"] == said


def test_a_listing_has_this_shape() -> None:
    listing = AppListing(
        "shop",
        "shop",
        "kind-dev",
        simulated=False,
        rows=(
            Row(WEB, HALFWAY, 252.34567, "rcs/web.yaml", ("acme/web:1.4",), ("http://10.0.0.1",)),
            Row(JOB, Status(State.NOT_FOUND), None, "", kept="kploy.dev/keep"),
        ),
        revision=7,
        deployed=61.23456,
        outcome="failed",
        author="Ada",
        source="https://git.example.com/shop",
        notes=("what may be left over could not be seen",),
    )
    assert listing_document(listing) == {
        "apiVersion": "kploy.dev/v1",
        "kind": "AppListing",
        "app": "shop",
        "namespace": "shop",
        "context": "kind-dev",
        "simulated": False,
        "rows": [
            {
                "ref": WEB_JSON,
                "status": {
                    "state": "in-progress",
                    "message": "1 of 2 ready",
                    "counts": {"ready": 1, "wanted": 2, "unit": ""},
                    "cause": None,
                },
                "age": 252.346,
                "file": "rcs/web.yaml",
                "images": ["acme/web:1.4"],
                "urls": ["http://10.0.0.1"],
                "kept": "",
            },
            {
                "ref": {
                    "group": "batch",
                    "kind": "Job",
                    "namespace": "shop",
                    "name": "migrate",
                    "id": "job.batch/migrate",
                },
                "status": {"state": "not-found", "message": "", "counts": None, "cause": None},
                "age": None,
                "file": "",
                "images": [],
                "urls": [],
                "kept": "kploy.dev/keep",
            },
        ],
        "revision": 7,
        "deployed": 61.235,
        "outcome": "failed",
        "author": "Ada",
        "source": "https://git.example.com/shop",
        "notes": ["what may be left over could not be seen"],
    }


def test_a_listing_of_what_was_never_deployed_has_the_same_shape() -> None:
    assert listing_document(AppListing("shop", "shop", "kind-dev", simulated=True, rows=())) == {
        "apiVersion": "kploy.dev/v1",
        "kind": "AppListing",
        "app": "shop",
        "namespace": "shop",
        "context": "kind-dev",
        "simulated": True,
        "rows": [],
        "revision": None,
        "deployed": None,
        "outcome": "",
        "author": "",
        "source": "",
        "notes": [],
    }
