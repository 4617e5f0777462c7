"""Whole commands as text, where nothing moves. Terminals are in tests/cli/test_terminal.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kploy.model.events import Applied, Checked, Event, Failed, Finished, Planned, Progressed, Ready
from kploy.model.findings import Line, Place, error, warning
from kploy.model.objects import ObjectRef
from kploy.model.plan import Action, Change, Pace, Plan, Restart
from kploy.model.report import Outcome
from kploy.ui.text import TextDisplay
from tests.ui.made import DB, HALFWAY, HARMLESS, HOSTILE, JOB, OPENED, PLAIN, PLAN, STARTING, UP, WEB

PIPE = pytest.CaptureFixture[str]

RUN = (
    OPENED,
    Checked((), 3),
    Planned(PLAN),
    Applied(JOB, Action.UNCHANGED, PLAIN, 0.0),
    Ready(JOB, PLAIN, 0.0, 0.0),
    Applied(DB, Action.CREATED, PLAIN, 0.0),
    Ready(DB, PLAIN, 0.0, 0.0),
    Applied(WEB, Action.CONFIGURED, STARTING, 0.1),
    Progressed(WEB, HALFWAY, 1.0),
    Ready(WEB, UP, 2.0, 2.1),
    Finished(Outcome.DONE, 2.1),
)


@pytest.fixture(autouse=True)
def _no_wishes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the environment asks for colour."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def show(*events: Event, plan_is_result: bool = False) -> None:
    with TextDisplay(plan_is_result=plan_is_result) as display:
        for event in events:
            display.show(event)


def test_a_run_says_whose_pods_restart_for_configuration_and_a_dry_run_has_it_in_the_plan(capsys: PIPE) -> None:
    config = (ObjectRef("", "ConfigMap", "shop", "flags"),)
    rolled = Change(WEB, Action.CONFIGURED, restart=Restart(Pace.ROLLING, 2, 2, 1, (), config=config))
    by_hand = Change(JOB, Action.CONFIGURED, restart=Restart(Pace.WHEN_DELETED, 2, 2, 0, (), config=config))
    plan = Planned(Plan((rolled, by_hand, Change(DB, Action.CONFIGURED))))
    show(plan)
    assert capsys.readouterr() == ("", "  configmap/flags changed: the pods of deployment/web restart\n")
    show(plan, plan_is_result=True)
    assert "the pods of" not in capsys.readouterr().err


def test_in_a_pipe_a_run_is_a_line_for_each_change_on_stderr(capsys: PIPE) -> None:
    show(*RUN)
    assert capsys.readouterr() == (
        "",
        """\
shop → kind-dev/shop   3 manifests   Kubernetes v1.37.2
  ✓ job/migrate     unchanged
  ✓ service/db      created
  … deployment/web  configured; 0/2 ready: waiting for its controller
  … deployment/web  1/2 ready   0.9s
  ✓ deployment/web  configured  2/2 ready  2.0s
✓ shop is up: 1 created, 1 configured, 1 unchanged   2.1s
""",
    )


def test_a_failure_with_a_cause_is_shown_at_its_line_with_what_to_do(capsys: PIPE) -> None:
    lines = (Line(13, "      - name: web"), Line(14, "        image: ghcr.io/acme/web:1"))
    place = Place("rcs/web.yaml", 14, 16, 17, lines)
    show(Failed(WEB, "web cannot get its image: not found", 3.0, "is the tag pushed?", place))
    assert (
        capsys.readouterr().err
        == """\
  ✗ deployment/web  web cannot get its image: not found
  rcs/web.yaml:14:16
  13 |       - name: web
  14 |         image: ghcr.io/acme/web:1
     |                ^^^^^^^^^^^^^^^^^ is the tag pushed?
"""
    )


def test_the_plan_of_a_dry_run_is_data(capsys: PIPE) -> None:
    show(*RUN[:3], Finished(Outcome.DONE), plan_is_result=True)
    assert capsys.readouterr() == (
        """\
  + service/db      port 80
  ~ deployment/web  replicas  1 → 2   1 more pod
  = 1 unchanged
""",
        """\
shop → kind-dev/shop   3 manifests   Kubernetes v1.37.2
✓ valid: kploy run would deploy this; nothing was written
""",
    )


@pytest.mark.parametrize(
    ("changes", "data", "verdict"),
    [
        ((), "", "✓ valid: kploy run would change nothing; nothing was written"),
        (
            (Change(WEB, Action.UNCHANGED),),
            "  = 1 unchanged\n",
            "✓ valid: kploy run would change nothing; nothing was written",
        ),
        (
            (Change(WEB, Action.REPLACED, "a"), Change(DB, Action.PRUNED), Change(JOB, Action.SKIPPED, "b")),
            (
                "  ± deployment/web  replaced\n"
                "  - service/db      pruned: its manifest is gone\n"
                "    job/migrate     skipped\n"
            ),
            "✓ valid: kploy run would deploy this; nothing was written",
        ),
        (
            (Change(WEB, Action.CREATED, "a", "its kind is new"),),
            "  + deployment/web\n",
            "✓ valid: kploy run would deploy this; 1 could not be checked by the server; nothing was written",
        ),
    ],
)
def test_a_plan_has_a_line_for_each_change_and_a_verdict(
    capsys: PIPE, changes: tuple[Change, ...], data: str, verdict: str
) -> None:
    show(Planned(Plan(changes)), plan_is_result=True)
    out, err = capsys.readouterr()
    assert (out, err.splitlines()[-1]) == (data, verdict)


def test_findings_end_with_how_many_there_are_and_that_nothing_was_sent(capsys: PIPE) -> None:
    findings = (error("a", "one", subject="rcs/a.yaml"), error("b", "two"), warning("c", "three", subject="env/X"))
    show(Checked(findings, 7), Finished(Outcome.INVALID))
    assert capsys.readouterr().err == (
        """\
warning[c]: three
  env/X

error[a]: one
  rcs/a.yaml

error[b]: two

✗ 2 errors, 1 warning in 3 of 7 files; nothing was sent to the cluster
"""
    )


def test_warnings_alone_stop_nothing(capsys: PIPE) -> None:
    show(Checked((warning("c", "three"), warning("d", "four")), 7))
    assert capsys.readouterr().err == "warning[c]: three\n\nwarning[d]: four\n\n2 warnings\n"


def test_hostile_text_is_spelled_out_in_plans_and_findings(capsys: PIPE) -> None:
    change = Change(ObjectRef("", "Pod", "", HOSTILE), Action.CREATED, HOSTILE, holds=(HOSTILE,))
    show(replace(OPENED, app=HOSTILE), Checked((warning("w", HOSTILE),), 1), Planned(Plan((change,))))
    show(Planned(Plan((change,))), plan_is_result=True)
    out, err = capsys.readouterr()
    assert out == f"  + pod/{HARMLESS}  {HARMLESS}\n"
    assert err == (
        f"{HARMLESS} → kind-dev/shop   3 manifests   Kubernetes v1.37.2\n"
        f"warning[w]: {HARMLESS}\n\n1 warning\n"
        "✓ valid: kploy run would deploy this; nothing was written\n"
    )


def test_a_note_is_a_line_of_its_own(capfd: PIPE) -> None:
    with TextDisplay(plan_is_result=False) as display:
        display.note("stopping")
        display.last_words("left")
    assert capfd.readouterr().err == "stopping\nleft\n"
