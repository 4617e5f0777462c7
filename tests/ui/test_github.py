"""Annotations as GitHub's runner understands them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.cluster.port import Unreachable
from kploy.model.events import Checked, Event, Failed, Finished, Planned, Ready, Skipped, Unfinished
from kploy.model.findings import Line, Place, error, warning
from kploy.model.report import Outcome
from kploy.ui.github import Annotations, command
from kploy.ui.sanitize import clean
from kploy.ui.streams import steadfast
from kploy.ui.tree import Tree
from tests.ui.made import DB, HARMLESS, HOSTILE, JOB, PLAN, STARTING, UP, WEB
from tests.ui.runner import Order, orders

SHOP = Tree(Path("/repo/apps/shop"), Path("/repo"))
PLACE = Place("rcs/web.yaml", 17, 11, 6, (Line(17, "imagee"),))
ANY_TEXT = st.text(st.characters(exclude_categories=()))


def told(*events: Event, by: BaseException | None = None, tree: Tree = SHOP) -> str:
    stream = io.StringIO()
    annotations = Annotations(tree, stream)
    for event in events:
        annotations.show(event)
    annotations.end(by)
    return stream.getvalue()


def test_a_finding_is_shown_beside_its_line_under_its_path_in_the_repository() -> None:
    findings = (
        warning("no-limits", "no limits", "", PLACE),
        error("bad", "no `imagee`", "a hint", PLACE),
    )
    assert told(Checked(findings, 1)) == (
        "::error file=apps/shop/rcs/web.yaml,line=17,col=11,endColumn=17,title=bad::no `imagee`%0Aa hint\n"
        "::warning file=apps/shop/rcs/web.yaml,line=17,col=11,endColumn=17,title=no-limits::no limits\n"
    )


@pytest.mark.parametrize(
    ("subject", "file"),
    [("env/X.secret", "apps/shop/env/X.secret"), ("", "apps/shop/Kployfile"), ("env/", "apps/shop/env")],
)
def test_a_finding_without_a_place_is_about_its_subject_or_the_kployfile(subject: str, file: str) -> None:
    assert told(Checked((error("r", "m", subject=subject),), 1)) == f"::error file={file},title=r::m\n"


def test_what_failed_and_what_is_not_ready_is_shown_where_its_manifest_names_it() -> None:
    said = told(
        Planned(PLAN),
        Ready(DB, UP, 0.1, 0.1),
        Failed(WEB, "the image cannot be pulled", 1.0, "name another", Place("rcs/web.yaml", 4, 9, 3)),
        Failed(JOB, "DeadlineExceeded", 1.0),
        Skipped(DB, JOB, 1.0),
        Unfinished(WEB, STARTING, 2.0),
        Finished(Outcome.FAILED, 2.0),
    )
    assert orders(said) == [
        Order(
            "error",
            "deployment/web: the image cannot be pulled\nname another",
            {
                "file": "apps/shop/rcs/web.yaml",
                "line": "4",
                "col": "9",
                "endColumn": "12",
                "title": "rollout-failed",
            },
        ),
        Order(
            "error",
            "job/migrate: DeadlineExceeded",
            {"file": "apps/shop/rcs/migrate.yaml", "title": "rollout-failed"},
        ),
        Order(
            "error",
            "deployment/web: applied, not ready: 0/2 ready: waiting for its controller",
            {"file": "apps/shop/rcs/web.yaml", "title": "not-ready"},
        ),
    ]


def test_what_ends_the_command_early_is_an_error_of_its_own() -> None:
    assert told(by=Unreachable("no answer", "is it up?")) == "::error title=kploy::no answer%0Ais it up?\n"
    assert told(by=KeyboardInterrupt()) == ""


def test_github_shows_ten_of_a_kind_and_a_notice_says_how_many_more_there_are() -> None:
    findings = tuple(kind("r", f"m{n}") for n in range(12) for kind in (warning, error))
    found = orders(told(Checked(findings, 1), Failed(WEB, "no", 0.0)))
    assert [order.name for order in found] == ["error"] * 10 + ["warning"] * 10 + ["notice"]
    assert found[-1].message == "3 more errors and 2 more warnings: the log of this step has them all"


def test_ten_errors_need_no_notice() -> None:
    assert len(orders(told(Checked(tuple(error("r", f"m{n}") for n in range(10)), 1)))) == 10


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_no_text_can_end_a_command_or_begin_another(message: str, file: str, title: str) -> None:
    line = command("error", clean(message), file=file, title=title)
    # The runner takes blanks off the end of the properties.
    (order,) = orders(line)
    assert (order.name, order.message) == ("error", clean(message))
    assert order.properties == {"file": clean(file), "title": clean(title).rstrip()}


def test_hostile_text_is_spelled_out() -> None:
    said = told(Checked((error("r", HOSTILE, HOSTILE, Place(f"rcs/{HOSTILE}", 1, 1)),), 1))
    (order,) = orders(said)
    assert order.message == f"{HARMLESS}\n{HARMLESS}"
    assert order.properties["file"].endswith(HARMLESS)


ATTACKS = [
    "::error::x",
    "  ::add-mask::x",
    "\u3000::stop-commands::x",
    "a\n::error::x",
    "a ##[error]x",
    "a\r::error::x",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_stream_gives_the_runner_no_orders_but_its_own(attack: str, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w", encoding="utf-8") as file:
        print(attack, file=steadfast(file), flush=True)
        print("::error::ours", file=steadfast(file, commands=True), flush=True)
    written = (tmp_path / "log").read_bytes().decode()
    assert orders(attack) != []
    assert [order.message for order in orders(written)] == ["ours"]


def test_colons_that_are_no_order_stay(tmp_path: Path) -> None:
    text = "cidr: ::/0 and a::b, ipv6 [::1] # [x]\n"
    with (tmp_path / "log").open("w", encoding="utf-8") as file:
        print(text, end="", file=steadfast(file), flush=True)
    assert (tmp_path / "log").read_text() == text
