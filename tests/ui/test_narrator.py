"""Events as sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from rich.console import Console

from kploy.model.events import (
    Applied,
    Event,
    Failed,
    Finished,
    NodesCounted,
    Noted,
    Planned,
    Progressed,
    Ready,
    Skipped,
    Unfinished,
)
from kploy.model.objects import Counts, ObjectRef, State, Status
from kploy.model.plan import Action, Change, Plan
from kploy.model.report import Outcome
from kploy.ui.calls import Calls
from kploy.ui.console import signs_for
from kploy.ui.lines import Hanging
from kploy.ui.narrator import Narrator
from tests.ui.made import (
    DB,
    HALFWAY,
    HARMLESS,
    HOSTILE,
    JOB,
    OPENED,
    PLAIN,
    PLAN,
    SERVED,
    STARTING,
    UP,
    WEB,
    Stream,
    console_on,
    terminal,
)


def told(events: Iterable[Event], console: Console | None = None) -> list[str]:
    """What is told of ``events`` for good, by default in a pipe."""
    console = console or console_on(Stream())
    assert isinstance(console.file, Stream)
    narrator = Narrator(signs_for(console.file), console.width if console.file.isatty() else None)
    for event in events:
        for row in narrator.settled(event):
            console.print(row)
    return console.file.getvalue().splitlines()


def test_a_run_that_succeeds() -> None:
    assert told(
        [
            OPENED,
            Planned(PLAN),
            Applied(JOB, Action.UNCHANGED, PLAIN, 0.0),
            Ready(JOB, PLAIN, 0.0, 0.0),
            Applied(DB, Action.CREATED, STARTING, 0.1),
            Applied(WEB, Action.CONFIGURED, STARTING, 0.2),
            Progressed(WEB, HALFWAY, 1.0),
            Ready(DB, SERVED, 1.25, 1.35),
            Ready(WEB, UP, 12.3, 12.5),
            Finished(Outcome.DONE, 12.5),
        ]
    ) == [
        "shop → kind-dev/shop   3 manifests   Kubernetes v1.37.2",
        "  ✓ job/migrate     unchanged",
        "  ✓ service/db      created     1 ep       1.2s",
        "  ✓ deployment/web  configured  2/2 ready   12s",
        "✓ shop is up: 1 created, 1 configured, 1 unchanged   12s",
    ]


def test_a_run_that_fails() -> None:
    assert told(
        [
            OPENED,
            Planned(PLAN),
            Applied(JOB, Action.CREATED, STARTING, 0.0),
            Failed(JOB, "image cannot be pulled", 6.0, "push the tag or correct `image:`"),
            Skipped(WEB, JOB, 6.0),
            Applied(DB, Action.CREATED, STARTING, 6.0),
            Unfinished(DB, STARTING, 6.0),
            Finished(Outcome.FAILED, 6.0),
        ]
    ) == [
        "shop → kind-dev/shop   3 manifests   Kubernetes v1.37.2",
        "  ✗ job/migrate     image cannot be pulled",
        "      push the tag or correct `image:`",
        "  · deployment/web  not started: job/migrate failed",
        "  ✗ service/db      applied, not ready: 0/2 ready: waiting for its controller",
        "✗ shop: 1 failed, 1 not started, 1 not ready   2 created",
        "  fix   mend it, then kploy run; what is as it should be is left alone",
        "  look  kploy list",
    ]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (
            Outcome.TIMED_OUT,
            [
                "✗ shop is not up after 5m0s: 1 not started, 1 not ready",
                "  wait  kploy run --timeout 10m",
                "  look  kploy list",
            ],
        ),
        (
            Outcome.INTERRUPTED,
            ["✗ interrupted: 1 created, 1 not started, 1 not ready", "  kploy run goes on from here"],
        ),
        *(
            (
                outcome,
                [
                    "✗ shop: stopped on the way: 1 created, 1 not started, 1 not ready",
                    "  kploy run goes on from here",
                ],
            )
            for outcome in (Outcome.UNREACHABLE, Outcome.REFUSED)
        ),
    ],
)
def test_a_run_that_ends_too_early_says_what_is_missing_and_what_to_do(outcome: Outcome, words: list[str]) -> None:
    assert told(
        [
            OPENED,
            Planned(PLAN),
            Applied(WEB, Action.CREATED, STARTING, 0.0),
            Unfinished(WEB, HALFWAY, 300.0),
            Skipped(JOB, None, 300.0),
            Finished(outcome, 300.0),
        ]
    )[1:] == [
        "  ✗ deployment/web  applied, not ready: 1/2 ready",
        "  · job/migrate     not started",
        *words,
    ]


def test_without_a_cluster_there_is_no_target_and_no_promise() -> None:
    opened = replace(OPENED, context="", server="", server_version="", manifests=1)
    assert told([opened, Finished(Outcome.DONE)]) == [
        "shop   1 manifest   schemas 1.37",
        "✓ valid, as far as that can be told without a cluster",
    ]


def test_without_a_context_the_server_says_where() -> None:
    assert told([replace(OPENED, context="", simulated=True)]) == [
        "shop → https://127.0.0.1:6443/shop   3 manifests   Kubernetes v1.37.2",
        "the sandbox: a real control plane, on which pods only pretend to run",
    ]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (NodesCounted(2, 3), "nodes: 2 of 3 ready"),
        (NodesCounted(0, 0), "nodes: 0 of 0 ready"),
        (NodesCounted(None, None), "nodes: not allowed to look"),
        (Noted("the cache was used"), "the cache was used"),
        (
            Planned(Plan((Change(WEB, Action.CREATED, "", "its kind is new"),))),
            "  deployment/web: the server could not check it: its kind is new",
        ),
    ],
)
def test_other_facts(event: Event, words: str) -> None:
    assert told([event]) == [words]


def test_what_changes_is_a_line_of_its_own_where_nothing_moves() -> None:
    narrator = Narrator(signs_for(Stream()))
    rows = []
    for event in (
        Applied(WEB, Action.CREATED, STARTING, 0.5),
        Progressed(WEB, HALFWAY, 1.75),
        Progressed(WEB, Status(State.TERMINATING), 15.0),
        Applied(DB, Action.CREATED, SERVED, 0.0),
        Ready(WEB, UP, 1.0, 1.0),
    ):
        list(narrator.settled(event))
        rows.append(narrator.passing(event))
    assert [row and row.text.plain for row in rows] == [
        "  … deployment/web  created; 0/2 ready: waiting for its controller",
        "  … deployment/web  1/2 ready   1.2s",
        "  … deployment/web  terminating   14s",
        None,
        None,
    ]


def test_what_is_under_way_has_its_time_and_what_it_waits_for() -> None:
    narrator = Narrator(signs_for(Stream()))
    list(narrator.settled(Planned(PLAN)))
    rows = [
        narrator.under_way(
            "* ", DB, Status(State.IN_PROGRESS, "waiting for an endpoint", Counts(0, None, "ep")), 0
        ),
        narrator.under_way("* ", WEB, HALFWAY, 61.2),
    ]
    assert [row.plain for row in rows] == [
        "  * service/db       0s  waiting for an endpoint",
        "  * deployment/web  1m1s  1/2 ready",
    ]


def test_a_long_name_is_not_cut_and_does_not_push_the_others_away() -> None:
    long = ObjectRef("apps", "Deployment", "shop", "w" * 63)
    plan = Planned(Plan((Change(long, Action.CREATED), Change(WEB, Action.CREATED))))
    assert told([plan, Failed(long, "no", 0.0), Failed(WEB, "no", 0.0)]) == [
        f"  ✗ deployment/{'w' * 63}  no",
        f"  ✗ {'deployment/web':<44}  no",
    ]


def test_on_a_terminal_a_long_reason_goes_on_in_its_column() -> None:
    reason = "DeadlineExceeded: Job was active longer than specified deadline, which was 3 seconds"
    assert told([Planned(PLAN), Failed(JOB, reason, 0.0, reason)], terminal(60)) == [
        "  ✗ job/migrate     DeadlineExceeded: Job was active longer",
        "                    than specified deadline, which was 3",
        "                    seconds",
        "      DeadlineExceeded: Job was active longer than",
        "      specified deadline, which was 3 seconds",
    ]


def test_beside_a_name_that_fills_the_terminal_the_reason_goes_below() -> None:
    assert told([Planned(PLAN), Failed(WEB, "the image cannot be pulled", 0.0)], terminal(36)) == [
        "  ✗ deployment/web",
        "      the image cannot be pulled",
    ]


def test_signs_of_several_characters_are_aligned() -> None:
    events: list[Event] = [
        Planned(PLAN),
        Ready(DB, PLAIN, 0.0, 0.0),
        Failed(WEB, "→ no…", 0.0),
        Skipped(JOB, WEB, 0.0),
    ]
    assert told(events, console_on(Stream("ascii"))) == [
        "  ok service/db      unchanged",
        "  x  deployment/web  → no…",
        "  -  job/migrate     not started: deployment/web failed",
    ]


@pytest.mark.parametrize(
    ("outcome", "advice"),
    [
        (
            Outcome.FAILED,
            [
                "fix   mend it, then kk run shop -n x; what is as it should be is left alone",
                "look  kk list shop -n x",
                "undo  kk rollback shop -n x   (revision 7)",
            ],
        ),
        (
            Outcome.TIMED_OUT,
            [
                "wait  kk run shop -n x --timeout 40m",
                "look  kk list shop -n x",
                "undo  kk rollback shop -n x   (revision 7)",
            ],
        ),
        (Outcome.INTERRUPTED, ["kk run shop -n x goes on from here"]),
    ],
)
def test_advice_can_be_typed_as_it_stands(outcome: Outcome, advice: list[str]) -> None:
    narrator = Narrator(signs_for(Stream()), calls=Calls("kk", "shop -n x"))
    _, *rest = narrator.settled(Finished(outcome, 1200.0, good=7))
    assert [row.text.plain for row in rest if isinstance(row, Hanging)] == [f"  {one}" for one in advice]


def test_schemas_of_another_version_than_the_clusters_are_told() -> None:
    assert told([replace(OPENED, schemas="1.36")]) == [
        "shop → kind-dev/shop   3 manifests   Kubernetes v1.37.2   schemas 1.36"
    ]


def test_hostile_text_is_spelled_out_in_every_event() -> None:
    ref = ObjectRef("", "Pod", "", HOSTILE)
    status = Status(State.IN_PROGRESS, HOSTILE)
    opened = replace(OPENED, app=HOSTILE, context=HOSTILE, namespace=HOSTILE, server_version=HOSTILE)
    rows = told(
        [
            opened,
            Planned(Plan((Change(ref, Action.CREATED, HOSTILE, HOSTILE),))),
            Applied(ref, Action.CREATED, status, 0.0),
            Ready(ref, replace(status, counts=Counts(1, None, HOSTILE)), 0.0, 0.0),
            Failed(ref, HOSTILE, 0.0, HOSTILE),
            Skipped(ref, ref, 0.0),
            Unfinished(ref, status, 0.0),
            Noted(HOSTILE),
            Finished(Outcome.DONE),
            Finished(Outcome.FAILED),
            Finished(Outcome.TIMED_OUT),
        ]
    )
    name = f"pod/{HARMLESS}"
    assert rows == [
        f"{HARMLESS} → {HARMLESS}/{HARMLESS}   3 manifests   Kubernetes {HARMLESS}   schemas 1.37",
        f"  {name}: the server could not check it: {HARMLESS}",
        f"  ✓ {name}  created     1 {HARMLESS}",
        f"  ✗ {name}  {HARMLESS}",
        f"      {HARMLESS}",
        f"  · {name}  not started: {name} failed",
        f"  ✗ {name}  applied, not ready: {HARMLESS}",
        HARMLESS,
        f"✓ {HARMLESS} is up: 1 created   0.0s",
        f"✗ {HARMLESS}: 1 failed, 1 not started, 1 not ready   1 created",
        "  fix   mend it, then kploy run; what is as it should be is left alone",
        "  look  kploy list",
        f"✗ {HARMLESS} is not up after 0.0s: 1 failed, 1 not started, 1 not ready",
        "  wait  kploy run --timeout 10m",
        "  look  kploy list",
    ]


def test_what_could_not_be_checked_for_one_reason_is_one_line_with_the_first_names() -> None:
    refs = [ObjectRef("", "ConfigMap", "shop", f"c{number}") for number in range(7)]
    changes = [Change(ref, Action.CREATED, "a.yaml", "its kind is new") for ref in refs]
    alone = Change(DB, Action.CREATED, "b.yaml", "it waits")
    said = [
        row.plain  # type: ignore[union-attr]
        for row in Narrator(signs_for(Stream())).settled(Planned(Plan((*changes, alone))))
    ]
    assert said == [
        (
            "  configmap/c0, configmap/c1, configmap/c2, configmap/c3, configmap/c4 and 2 more:"
            " the server could not check them: its kind is new"
        ),
        "  service/db: the server could not check it: it waits",
    ]
