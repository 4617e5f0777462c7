"""How an app is, as a table and as names."""

from __future__ import annotations

import re
from dataclasses import replace

from kploy.model.listing import AppListing, Row
from kploy.model.objects import ObjectRef, State, Status
from kploy.ui.listing import names, show_header, show_table
from tests.ui.made import DB, HALFWAY, HARMLESS, HOSTILE, JOB, SERVED, WEB, Stream, console_on, terminal

LISTING = AppListing(
    "shop",
    "shop",
    "kind-dev",
    simulated=True,
    rows=(
        Row(WEB, HALFWAY, 252.0, "rcs/web.yaml", ("acme/web:1.4", "acme/proxy:2"), ()),
        Row(DB, SERVED, 777_600.0, "services/日本.yaml", (), ("http://10.0.0.1",)),
        Row(JOB, Status(State.NOT_FOUND, "it is not there"), None, ""),
    ),
)

HOSTILE_LISTING = AppListing(
    HOSTILE,
    HOSTILE,
    "",
    simulated=False,
    rows=(
        Row(
            ObjectRef("", "Pod", "", HOSTILE), Status(State.FAILED, HOSTILE), 1.0, HOSTILE, (HOSTILE,), (HOSTILE,)
        ),
    ),
)


def table(listing: AppListing, stream: Stream, *, wide: bool = False) -> list[str]:
    show_table(console_on(stream, 40), listing, wide=wide)
    return stream.getvalue().splitlines()


def header(listing: AppListing, width: int | None = None, *, wide: bool = False) -> list[str]:
    console = terminal(width) if width else console_on(Stream())
    show_header(console, listing, "→", wide=wide)
    assert isinstance(console.file, Stream)
    return console.file.getvalue().splitlines()


def test_the_table_has_a_row_for_each_object_and_is_never_cut() -> None:
    assert table(LISTING, Stream()) == [
        "NAME      TYPE         STATUS        READY   AGE   MANIFEST",
        "web       Deployment   in-progress   1/2     4m    rcs/web.yaml",
        "db        Service      current       1 ep    9d    services/日本.yaml",
        "migrate   Job          not-found     -       -     -",
    ]


def test_wide_has_images_and_addresses_as_well() -> None:
    assert [row[51:] for row in table(LISTING, Stream(), wide=True)] == [
        "MANIFEST             IMAGE                        URL",
        "rcs/web.yaml         acme/web:1.4, acme/proxy:2   -",
        "services/日本.yaml   -                            http://10.0.0.1",
        "-                    -                            -",
    ]


def test_in_ascii_the_columns_allow_for_what_has_to_be_escaped() -> None:
    assert [row[51:] for row in table(LISTING, Stream("ascii"), wide=True)] == [
        "MANIFEST                     IMAGE                        URL",
        "rcs/web.yaml                 acme/web:1.4, acme/proxy:2   -",
        r"services/\u65e5\u672c.yaml   -                            http://10.0.0.1",
        "-                            -                            -",
    ]


def test_the_table_of_an_empty_app_is_its_header() -> None:
    empty = AppListing("shop", "shop", "", simulated=False, rows=())
    assert table(empty, Stream()) == ["NAME   TYPE   STATUS   READY   AGE   MANIFEST"]


def test_the_header_says_where_and_what_is_not_well() -> None:
    assert header(LISTING) == [
        "shop → kind-dev/shop",
        "the sandbox: a real control plane, on which pods only pretend to run",
        "  deployment/web: 1 of 2 ready",
        "  job/migrate: it is not there",
    ]


def test_the_header_of_an_app_that_is_leaving_says_so_instead_of_its_last_revision() -> None:
    gone = replace(LISTING, revision=2, deployed=60.0, outcome="destroyed", simulated=False)
    assert header(gone)[0] == "shop → kind-dev/shop   destroyed, 2 kept"
    assert header(replace(gone, outcome="destroying"))[0] == "shop → kind-dev/shop   destroyed in part, 2 left"


def test_a_wide_header_says_whose_the_app_is_as_far_as_the_kployfile_does() -> None:
    listing = AppListing("shop", "shop", "dev", simulated=False, rows=(), author="Ada", source="https://git/shop")
    assert header(listing) == ["shop → dev/shop"]
    assert header(listing, wide=True) == ["shop → dev/shop", "  author Ada", "  source https://git/shop"]
    assert header(LISTING, wide=True) == header(LISTING)


def test_on_a_narrow_terminal_what_is_not_well_goes_on_below() -> None:
    assert header(LISTING, 32)[2:] == ["  deployment/web: 1 of 2 ready", "  job/migrate: it is not there"]
    assert header(LISTING, 28)[2:] == [
        "  deployment/web: 1 of 2",
        "  ready",
        "  job/migrate: it is not",
        "  there",
    ]


def test_names_are_those_of_what_is_live() -> None:
    assert names(LISTING) == ["deployment.apps/web", "service/db"]


def test_hostile_text_is_spelled_out_in_every_column_of_the_table() -> None:
    cells = [HARMLESS, "Pod", "failed", "-", "1s", HARMLESS, HARMLESS, HARMLESS]
    assert re.split("  +", table(HOSTILE_LISTING, Stream(), wide=True)[1]) == cells


def test_hostile_text_is_spelled_out_in_header_and_names() -> None:
    assert header(HOSTILE_LISTING) == [f"{HARMLESS} → direct/{HARMLESS}", f"  pod/{HARMLESS}: {HARMLESS}"]
    assert names(HOSTILE_LISTING) == [f"pod/{HARMLESS}"]
