from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kploy.core.explaining import due

TIMES = st.floats(0, 1000)


def test_what_takes_long_is_explained_after_two_seconds() -> None:
    assert due(10.0, 0.0) == 12.0
    assert due(10.0, 10.1) == 12.0


def test_as_long_as_others_become_ready_it_is_explained_half_a_second_after_the_last_of_them() -> None:
    assert due(10.0, 11.8) == 12.3
    assert due(10.0, 13.4) == 13.9


def test_whatever_else_goes_well_it_is_explained_after_four_seconds() -> None:
    assert due(10.0, 13.9) == 14.0
    assert due(10.0, 20.0) == 14.0


@given(TIMES, TIMES, TIMES)
def test_what_becomes_ready_puts_it_off_and_never_brings_it_forward(
    applied: float, one: float, other: float
) -> None:
    earlier, later = sorted((one, other))
    assert applied + 2 <= due(applied, earlier) <= due(applied, later) <= applied + 4
