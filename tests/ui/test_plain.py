"""What is printed where no terminal is, is what rich's Console would have printed there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.ui.console import stdout
from kploy.ui.lines import Hanging, Part, Row, line
from kploy.ui.plain import Plain
from tests.ui.made import Stream, console_on

PIECES = st.lists(st.tuples(st.text(max_size=30), st.sampled_from(["", "bold", "red", "dim"])), max_size=4)


@given(PIECES, PIECES)
def test_it_prints_what_a_console_prints_into_a_pipe(head: list[Part], body: list[Part]) -> None:
    rows: list[Row] = [line(*head), Hanging(line(*head), line(*body)), line("\ttabs\tand  gaps "), line()]
    rich, plain = Stream(), Stream()
    console, screen = console_on(rich), Plain(plain)
    for row in rows:
        console.print(row)
        screen.print(row)
    console.print()
    screen.print()
    assert plain.getvalue() == rich.getvalue()


def test_what_is_captured_is_not_shown() -> None:
    stream = Stream()
    screen = Plain(stream)
    with screen.capture() as kept:
        screen.print(line("one"))
    screen.print(line("two"))
    assert (kept.get(), stream.getvalue()) == ("one\n", "two\n")


@pytest.mark.parametrize("wish", ["FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"])
def test_a_pipe_is_plain_unless_somebody_wishes_otherwise(monkeypatch: pytest.MonkeyPatch, wish: str) -> None:
    for each in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(each, raising=False)
    assert isinstance(stdout(), Plain)
    monkeypatch.setenv(wish, "1")
    assert not isinstance(stdout(), Plain)
