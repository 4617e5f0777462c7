"""What stands below the line of a failure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kploy.model.events import Awaited, Event, Failed, Finished, Logged, LogLine, StillWaiting, Unfinished
from kploy.model.evidence import Evidence, LogTail, Runbook, Serving, Witness
from kploy.model.notices import Notice
from kploy.model.objects import Cause, Grade
from kploy.model.report import Outcome
from kploy.ui.lines import Hanging
from kploy.ui.report import report
from kploy.ui.text import TextDisplay
from tests.ui.made import HARMLESS, HOSTILE, OPENED, STARTING, WEB, terminal

LOST = Cause("ImagePullBackOff", "no such image", Grade.FATAL, container="web", pods=("web-1",))
ORIGIN = "as the cluster has them: only the app's own secrets are masked"
FAILED = Failed(WEB, "no such image", 3.0, cause=LOST)


def shown(*events: Event, by: pytest.CaptureFixture[str]) -> list[str]:
    with TextDisplay(plan_is_result=False) as display:
        for event in events:
            display.show(event)
    out, err = by.readouterr()
    assert out == ""
    return err.splitlines()


def notices(*messages: str) -> tuple[Notice, ...]:
    return tuple(Notice(WEB, "u", "Failed", message, number, 1.0) for number, message in enumerate(messages, 1))


@pytest.mark.parametrize(
    ("pods", "words"),
    [
        (("a",), "pod a, container web: ImagePullBackOff"),
        (("a", "b", "c"), "pods a, b, c, container web: ImagePullBackOff"),
        (("a", "b", "c", "d", "e"), "pods a, b, c and 2 more, container web: ImagePullBackOff"),
    ],
)
def test_the_pods_in_trouble_are_named(
    pods: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, row = shown(replace(FAILED, cause=replace(LOST, pods=pods)), by=capsys)
    assert row == f"  {words}"


@pytest.mark.parametrize(
    ("serving", "words"),
    [
        (Serving(0, 3, ("web:1",), 11), "still serving: 3 pods of revision 11 (web:1)"),
        (Serving(0, 1, ("web:1", "proxy:2")), "still serving: 1 pod of an older template (web:1, proxy:2)"),
        (Serving(1, 2, ("web:1",), 11), "still serving: 2 pods of revision 11 (web:1), and 1 new one"),
        (Serving(2, 0), "serving: 2 new pods"),
        (Serving(0, 0), "no pod of it serves"),
    ],
)
def test_what_still_serves_is_said(serving: Serving, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = shown(replace(FAILED, cause=None, evidence=Evidence(serving)), by=capsys)
    assert rows[1:] == [f"  {words}"]


def test_the_last_warnings_are_told_without_what_the_cause_says_already(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen = Evidence(notices=notices("1st", "2nd", "no such image", "4th", "5th", "6th", "7th"))
    rows = shown(replace(FAILED, cause=None, evidence=seen), by=capsys)
    assert rows[1:] == [
        "  warning: Failed (2 times): 2nd",
        "  warning: Failed (4 times): 4th",
        "  warning: Failed (5 times): 5th",
        "  warning: Failed (6 times): 6th",
        "  warning: Failed (7 times): 7th",
        "  and 1 warning before these; -o json has them all",
    ]


def test_what_was_not_ready_in_time_is_reported_in_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    late = replace(STARTING, cause=LOST)
    rows = shown(Unfinished(WEB, late, 3.0, evidence=Evidence(Serving(0, 0))), by=capsys)
    assert rows[1:] == ["  pod web-1, container web: ImagePullBackOff", "  no pod of it serves"]


def test_the_last_words_of_a_container_stand_below_whose_they_are_and_where_they_are_from(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = Logged(
        WEB,
        (
            LogTail(Witness("web-1", "web", is_previous=True), ("one", "two")),
            LogTail(Witness("web-1", "web"), ("three",)),
            LogTail(Witness("web-1", "init"), ()),
            LogTail(Witness("web-1", "proxy"), (), "you may not"),
        ),
        3.0,
    )
    assert shown(said, by=capsys) == [
        f"  pod web-1, container web, before it was started again: the last 2 lines, {ORIGIN}",
        "    | one",
        "    | two",
        f"  pod web-1, container web: the last line, {ORIGIN}",
        "    | three",
        "  pod web-1, container init: it has written nothing",
        "  pod web-1, container proxy: its log cannot be read: you may not",
    ]


def test_a_runbook_is_told_as_it_is_written_where_nothing_is_rendered(capsys: pytest.CaptureFixture[str]) -> None:
    rows = shown(replace(FAILED, cause=None, runbook=Runbook("runbooks/X.md", "# Call\n\n- us")), by=capsys)
    assert rows[1:] == ["  runbooks/X.md:", "    | # Call", "    |", "    | - us"]


def test_on_a_terminal_a_runbook_is_rendered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kploy.ui.report.columns", lambda _: 60)
    rows = shown(replace(FAILED, cause=None, runbook=Runbook("runbooks/X.md", "# Call\n\n- **us**")), by=capsys)
    assert [row.strip(" |┃") for row in rows[2:] if row.strip(" |┏━┓┗┛")] == ["Call", "• us"]


def test_a_runbook_has_the_style_of_its_markup_and_nothing_invisible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kploy.ui.report.columns", lambda _: 60)
    failed = replace(FAILED, cause=None, runbook=Runbook("runbooks/X.md", "Call **us** &#x202e;now"))
    (row,) = [row for row in report(terminal(60), failed) if isinstance(row, Hanging) and "Call" in row.plain]
    assert row.plain == r"    | Call us \u202enow"
    assert [style for text, style in row.body.pieces if text == "us"] == ["bold"]


def test_hostile_words_of_the_cluster_are_spelled_out(capsys: pytest.CaptureFixture[str]) -> None:
    said = Logged(WEB, (LogTail(Witness("web-1", "web"), (HOSTILE,)),), 3.0)
    seen = Evidence(notices=notices(HOSTILE))
    rows = shown(said, replace(FAILED, cause=None, evidence=seen, runbook=Runbook("x", HOSTILE)), by=capsys)
    spelled = HARMLESS.rstrip()
    assert [row for row in rows if spelled in row] == [
        f"    | {spelled}",
        f"  warning: Failed: {spelled}",
        f"    | {spelled}",
    ]


def test_after_a_long_silence_a_pipe_says_what_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(StillWaiting((Awaited(WEB, STARTING),), 95.0), by=capsys) == [
        "  … 1m35s: still waiting for deployment/web (0/2 ready: waiting for its controller)"
    ]


def test_a_line_of_a_log_stands_behind_whose_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(LogLine("web-1", "web", "listening", 1.0), by=capsys) == ["web-1 web | listening"]


def test_the_end_of_a_failure_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(OPENED, FAILED, Finished(Outcome.FAILED, 3.0, good=11), by=capsys)[-3:] == [
        "  fix   mend it, then kploy run; what is as it should be is left alone",
        "  look  kploy list",
        "  undo  kploy rollback   (revision 11)",
    ]
