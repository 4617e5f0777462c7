"""The page on a command that GitHub shows for a job."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from kploy.cluster.port import Unreachable
from kploy.model.events import (
    Applied,
    Checked,
    Event,
    Failed,
    Finished,
    Opened,
    Planned,
    Ready,
    Skipped,
    Unfinished,
)
from kploy.model.findings import Line, Place, error, warning
from kploy.model.objects import ObjectRef
from kploy.model.plan import Action, Change, Plan
from kploy.model.report import Outcome
from kploy.ui.summary import LARGEST, Summary
from kploy.ui.tree import Tree
from tests.ui.made import DB, HARMLESS, HOSTILE, JOB, OPENED, PLAN, STARTING, UP, WEB

SHOP = Tree(Path("/repo/apps/shop"), Path("/repo"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "summary.md"


def page(file: Path, *events: Event, by: BaseException | None = None, command: str = "run") -> str:
    """What is in the file after ``events``, with its entities resolved."""
    summary = Summary(str(file), SHOP, command)
    for event in events:
        summary.show(event)
    summary.end(by)
    return unescape(file.read_text(encoding="utf-8"))


def test_a_dry_run_shows_its_plan(file: Path) -> None:
    assert page(file, OPENED, Checked((), 3), Planned(PLAN), Finished(Outcome.DONE), command="dryrun") == (
        """\
### kploy dryrun: shop → kind-dev/shop

✅ **done** (exit code 0)

| What a run would do | Object | Manifest |
| --- | --- | --- |
| created | <code>service/db</code> | <code>apps/shop/services/db.yaml</code> |
| configured | <code>deployment/web</code> | <code>apps/shop/rcs/web.yaml</code> |

1 object would stay as it is.
"""
    )


def test_a_run_shows_each_object_those_that_failed_first(file: Path) -> None:
    events = (
        replace(OPENED, simulated=True),
        Checked((), 3),
        Planned(PLAN),
        Applied(DB, Action.CREATED, UP, 0.0),
        Ready(DB, UP, 0.3, 0.3),
        Applied(WEB, Action.CONFIGURED, STARTING, 0.1),
        Failed(JOB, "DeadlineExceeded", 3.0, "give it longer"),
        Skipped(ObjectRef("", "Pod", "shop", "p"), JOB, 3.0),
        Unfinished(WEB, STARTING, 4.0),
        Finished(Outcome.FAILED, 4.0),
    )
    assert page(file, *events) == (
        """\
### kploy run: shop → kind-dev/shop

❌ **the rollout failed** after 4.0s (exit code 1)

_the sandbox: a real control plane, on which pods only pretend to run_

|  | Object | Action | How it is | Time | Manifest |
| --- | --- | --- | --- | --- | --- |
| ❌ | <code>job/migrate</code> |  | DeadlineExceeded<br>give it longer | 3.0s \
| <code>apps/shop/rcs/migrate.yaml</code> |
| ⚪ | <code>pod/p</code> |  | not started: job/migrate failed |  |  |
| ❌ | <code>deployment/web</code> | configured | applied, not ready: 0/2 ready: waiting for its controller \
| 4.0s | <code>apps/shop/rcs/web.yaml</code> |
| ✅ | <code>service/db</code> | created | 2/2 | 0.3s | <code>apps/shop/services/db.yaml</code> |
"""
    )


def test_findings_have_their_line_and_remedy_errors_first(file: Path) -> None:
    place = Place("rcs/web.yaml", 17, 11, 6, (Line(17, "imagee"),))
    findings = (warning("w", "a warning", subject="env/X"), error("unknown-field", "no imagee", "a hint", place))
    said = page(file, Opened("shop", "shop-1", "shop", 3, "1.37"), Checked(findings, 3), Finished(Outcome.INVALID))
    assert said == (
        """\
### kploy run: shop

❌ **the app is invalid** (exit code 3)

|  | Where | What is wrong | What to do |
| --- | --- | --- | --- |
| ❌ unknown-field | <code>apps/shop/rcs/web.yaml:17</code> | no imagee | a hint |
| ⚠️ w | <code>apps/shop/env/X</code> | a warning |  |
"""
    )


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (Unreachable("no answer", "is it up?"), "❌ **no answer**<br>is it up?"),
        (KeyboardInterrupt(), "❌ **interrupted**"),
        (ValueError("hunter2"), "❌ **kploy has a bug**"),
    ],
)
def test_what_ended_it_early_is_said(file: Path, by: BaseException, words: str) -> None:
    assert page(file, by=by) == f"### kploy run\n\n{words}\n"


def test_several_commands_of_a_step_follow_one_another(file: Path) -> None:
    page(file, OPENED, Finished(Outcome.DONE))
    assert page(file, OPENED, Finished(Outcome.DONE)).count("\n\n### kploy run: shop") == 1


MARKUP = "<img src=x> [a](https://b) **bold** `x` | cell | @team #1 www.evil.example ~~no~~ \\ &lt; :tada: _i_"


def test_text_of_others_is_shown_and_is_never_markup(file: Path) -> None:
    ref = ObjectRef("", "Pod", "", MARKUP)
    page(
        file,
        replace(OPENED, app=MARKUP, context=MARKUP, namespace=MARKUP),
        Checked((warning("r", MARKUP, MARKUP, Place(MARKUP, 1, 1)),), 1),
        Planned(Plan((Change(ref, Action.CREATED, MARKUP, MARKUP),))),
        Failed(ref, MARKUP, 0.0, MARKUP),
        Finished(Outcome.FAILED),
    )
    raw = file.read_text(encoding="utf-8")
    assert MARKUP in unescape(raw)
    ours = re.sub(r"</?code>|<br>|&#\d+;|^### kploy run:|\*\*the rollout failed\*\*", "", raw, flags=re.MULTILINE)
    assert re.findall(r"[<>&\[\]`*_@#~\\!:]|www\.", ours) == []
    assert {line.count("|") for line in raw.splitlines() if line.startswith("|")} == {5, 7}


def test_hostile_text_is_spelled_out(file: Path) -> None:
    assert HARMLESS in page(file, Failed(WEB, HOSTILE, 0.0, HOSTILE), Finished(Outcome.FAILED))


def test_it_stays_within_what_github_takes_and_says_what_is_left_out(file: Path) -> None:
    findings = tuple(error("r", f"{n} " + "é<" * 2000, "h") for n in range(1000))
    page(file, Checked(findings, 1), Finished(Outcome.INVALID))
    assert file.stat().st_size <= LARGEST + 100
    assert re.search(r"\nand \d+ lines more: the log has them all\n$", file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("target", ["", "no/such/directory", "/dev/full"])
def test_a_summary_that_cannot_be_written_is_told_of_and_ends_nothing(
    tmp_path: Path, target: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Summary(str(tmp_path / target), SHOP, "run").end(None)
    assert capfd.readouterr().err.startswith("kploy: the job summary is not complete: ")
