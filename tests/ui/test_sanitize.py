"""Nothing from a manifest or a cluster is printed as it is, unless it is harmless."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.ui.sanitize import clean
from tests.ui.made import HARMLESS, HOSTILE

ANY_TEXT = st.text(st.characters(exclude_categories=()))

OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (HOSTILE, HARMLESS),
        ("", ""),
        ("one\ntwo\r\nthree\tfour", "one two three four"),
        ("back\rto the start", r"back\rto the start"),
        (r"C:\new", r"C:\new"),
        ("日本語 é 👩", "日本語 é 👩"),
        ("\U000e0041", r"\U000e0041"),
        ("x" * 100_000, "x" * 100_000),
    ],
)
def test_controls_are_spelled_out_and_the_rest_is_left_alone(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(ANY_TEXT)
def test_the_result_has_nothing_that_a_terminal_obeys_or_no_reader_sees(text: str) -> None:
    assert {unicodedata.category(character) for character in clean(text)} & OBEYED == set()


@given(ANY_TEXT)
def test_the_result_can_be_encoded(text: str) -> None:
    assert clean(text).encode().decode() == clean(text)


@given(ANY_TEXT.filter(str.isprintable))
def test_printable_text_is_untouched(text: str) -> None:
    assert clean(text) == text


@given(ANY_TEXT)
def test_clean_text_stays_as_it_is(text: str) -> None:
    assert clean(clean(text)) == clean(text)
