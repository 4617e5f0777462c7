from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.quantities import quantity, shown


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1", Fraction(1)),
        (2, Fraction(2)),
        (0.5, Fraction(1, 2)),
        ("100m", Fraction(1, 10)),
        ("1.5Gi", Fraction(3 * 1024**3, 2)),
        ("64Ki", Fraction(65536)),
        ("2k", Fraction(2000)),
        ("3E", Fraction(3 * 10**18)),
        ("3e2", Fraction(300)),
        ("5E-1", Fraction(1, 2)),
        (".5", Fraction(1, 2)),
        ("1.", Fraction(1)),
        ("-3n", Fraction(-3, 10**9)),
        ("+1u", Fraction(1, 10**6)),
    ],
)
def test_a_quantity_is_read_exactly(written: object, number: Fraction) -> None:
    assert quantity(written) == number


@pytest.mark.parametrize(
    "written",
    [
        "",
        " 1",
        "1 Gi",
        "1gi",
        "1K",
        "m",
        "1e",
        "1e999",
        "9" * 99,
        "one",
        "0x1",
        None,
        True,
        [],
        {},
        "1Gi\n",
        "\u0661",
    ],
)
def test_what_is_no_quantity_is_none(written: object) -> None:
    assert quantity(written) is None


@given(
    st.integers(0, 10**24),
    st.sampled_from(["n", "u", "m", "", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti"]),
)
def test_what_is_shown_is_never_another_number_in_its_resolution(digits: int, suffix: str) -> None:
    number = quantity(f"{digits}{suffix}")
    assert number is not None
    again = quantity(shown(number))
    assert again is not None
    assert abs(again - number) <= Fraction(1, 2000)


@given(st.fractions(), st.fractions())
def test_whole_numbers_and_thousandths_are_shown_exactly(one: Fraction, other: Fraction) -> None:
    for number in (Fraction(one.numerator), Fraction(other.numerator, 1000)):
        read = quantity(shown(number)) if abs(number) < 10**30 else number
        assert read == number


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (Fraction(0), "0"),
        (Fraction(8), "8"),
        (Fraction(1, 2), "500m"),
        (Fraction(3 * 1024**3), "3Gi"),
        (Fraction(1536), "1536"),
    ],
)
def test_it_is_shown_short(number: Fraction, words: str) -> None:
    assert shown(number) == words
