"""Findings as they are printed."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.console import Console

from kploy.model.findings import Finding, Line, Place, error, warning
from kploy.ui.excerpt import show_findings
from tests.ui.made import HARMLESS, HOSTILE, Stream, console_on, terminal


def printed(*findings: Finding, console: Console | None = None) -> str:
    """What is printed of ``findings``, by default in a pipe."""
    console = console or console_on(Stream())
    show_findings(console, findings)
    assert isinstance(console.file, Stream)
    return console.file.getvalue()


def at(column: int, width: int, text: str, *before: str, number: int = 21) -> Place:
    """The place of ``width`` characters from ``column`` on in line ``number``, which is ``text``."""
    lines = [*before, text]
    first = number - len(before)
    return Place("rcs/web.yaml", number, column, width, tuple(Line(first + n, t) for n, t in enumerate(lines)))


def test_a_finding_has_what_where_excerpt_caret_and_remedy() -> None:
    place = at(11, 6, "          imagee: acme/web:1.4", "        - name: web")
    assert printed(
        error("unknown-field", "`imagee` is not a field of Container", "did you mean `image`?", place)
    ) == (
        """\
error[unknown-field]: `imagee` is not a field of Container
  rcs/web.yaml:21:11
  20 |         - name: web
  21 |           imagee: acme/web:1.4
     |           ^^^^^^ did you mean `image`?

"""
    )


def test_errors_come_last_so_that_they_are_seen() -> None:
    findings = (error("a", "first error"), warning("b", "a warning"), error("c", "second error"))
    assert printed(*findings) == "warning[b]: a warning\n\nerror[a]: first error\n\nerror[c]: second error\n\n"


def test_without_an_excerpt_the_remedy_stands_below_the_place() -> None:
    place = Place("env/", 1, 1)
    assert printed(error("r", "m", "h", place)) == "error[r]: m\n  env/:1:1\n  h\n\n"


def test_without_a_place_the_subject_stands_in() -> None:
    assert printed(error("r", "m", "h", subject="Kployfile")) == "error[r]: m\n  Kployfile\n  h\n\n"


def test_line_numbers_are_aligned_and_empty_lines_have_no_trailing_spaces() -> None:
    assert printed(error("r", "m", "h", at(1, 1, "x", "", "y", number=10))) == (
        "error[r]: m\n  rcs/web.yaml:10:1\n   8 |\n   9 | y\n  10 | x\n     | ^ h\n\n"
    )


@pytest.mark.parametrize(
    ("text", "column", "width", "shown", "under"),
    [
        ("name: web", 7, 3, "name: web", "web"),
        ("\tname: web", 8, 3, " name: web", "web"),
        ("日本: 語x", 5, 2, "日本: 語x", "語x"),
        ("a\u0301: web", 5, 3, "a\u0301: web", "web"),
        ("a\x1bb: web", 6, 3, r"a\x1bb: web", "web"),
        ("a: \u202ex", 4, 2, r"a: \u202ex", r"\u202ex"),
        ("👩\u200d💻: x", 6, 1, r"👩\u200d💻: x", "x"),
        ("short", 9, 4, "short", ""),
    ],
)
def test_the_caret_stands_under_what_is_shown(text: str, column: int, width: int, shown: str, under: str) -> None:
    rows = printed(error("r", "m", "", at(column, width, text))).splitlines()[2:4]
    assert rows[0] == f"  21 | {shown}"
    before, _, carets = rows[1].partition("^")
    start = cell_len(f"  21 | {shown.removesuffix(under) if not under else shown[: shown.rindex(under)]}")
    assert (len(before), "^" + carets) == (start, "^" * max(1, cell_len(under)))


MINIFIED = '{"a": "' + "x" * 2000 + '", "imagee": "' + "y" * 2000 + '"}'


def test_a_line_of_thousands_of_characters_is_cropped_around_the_caret() -> None:
    finding = error("unknown-field", "no `imagee`", "did you mean `image`?", at(2011, 8, MINIFIED, number=1))
    rows = printed(finding, console=terminal(80)).splitlines()
    assert rows[2:5] == [
        "  1 | …" + "x" * 43 + '", "imagee": "' + "y" * 14 + "…",
        "    | " + " " * 47 + "^" * 8,
        "    = did you mean `image`?",
    ]
    assert max(map(cell_len, rows)) < 80


@pytest.mark.parametrize("column", [1, 2, 7, 500, 2008, 2011, 2020, 4000, 4022, 4023])
@pytest.mark.parametrize("width", [1, 8, 3000])
@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_a_cropped_line_shows_what_the_caret_is_about(column: int, width: int, columns: int) -> None:
    meant = MINIFIED[column - 1 : column - 1 + width]
    rows = printed(error("r", "m", "", at(column, width, MINIFIED)), console=terminal(columns)).splitlines()
    marked = rows[3].index("^")
    shown = rows[2][marked : len(rows[3])].removesuffix("…")
    assert meant.startswith(shown)
    assert shown != ""
    assert len(rows[2]) <= max(columns - 1, 27)


def test_a_pipe_has_no_width_but_a_line_of_thousands_of_characters_is_cropped_there_too() -> None:
    rows = printed(error("r", "m", "a hint " * 40, at(2011, 8, MINIFIED))).splitlines()
    assert len(rows[2]) == len("  21 | ") + 200
    assert rows[3].endswith("^ " + ("a hint " * 40).rstrip())


def test_on_a_terminal_long_words_go_on_below_their_beginning() -> None:
    hint = "name one that exists, or add services/database.yaml to the app so that there is one"
    finding = error("r", "there is " + "no such thing " * 8, hint, at(5, 3, "    web"))
    assert printed(finding, console=terminal(80)) == (
        """\
error[r]: there is no such thing no such thing no such thing no such thing no
such thing no such thing no such thing no such thing
  rcs/web.yaml:21:5
  21 |     web
     |     ^^^
     = name one that exists, or add services/database.yaml to the app so that
       there is one

"""
    )


def test_in_ascii_the_caret_allows_for_what_had_to_be_escaped() -> None:
    assert printed(
        error("r", "•• → …", "", at(10, 3, 'n: "日本", web: é')), console=console_on(Stream("ascii"))
    ) == (
        r"""error[r]: •• → …
  rcs/web.yaml:21:10
  21 | n: "\u65e5\u672c", web: \xe9
     |                    ^^^

"""
    )


def test_hostile_text_is_spelled_out_wherever_it_stands() -> None:
    place = Place(f"rcs/{HOSTILE}", 1, 1, 3, (Line(1, HOSTILE),))
    assert printed(error("r", HOSTILE, HOSTILE, place)) == (
        f"error[r]: {HARMLESS}\n  rcs/{HARMLESS}:1:1\n  1 | {HARMLESS}\n    | ^^^^^^ {HARMLESS}\n\n"
    )
    assert printed(error("r", "m", HOSTILE, subject=HOSTILE)) == f"error[r]: m\n  {HARMLESS}\n  {HARMLESS}\n\n"
