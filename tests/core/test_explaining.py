from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from kploy.core.explaining import due, listening_due

TIMES = st.floats(0, 1000)


def test_what_takes_long_is_explained_after_two_seconds() -> None:
    assert due(10.0, 0.0, inf, is_quiet=False) == 12.0
    assert due(10.0, 10.1, inf, is_quiet=True) == 12.0


def test_as_long_as_others_become_ready_it_is_explained_half_a_second_after_the_last_of_them() -> None:
    assert due(10.0, 11.8, inf, is_quiet=False) == 12.3
    assert due(10.0, 13.4, inf, is_quiet=False) == 13.9
    assert due(10.0, 20.0, inf, is_quiet=True) == 20.5


def test_whatever_else_goes_well_it_is_explained_after_four_seconds_and_if_nobody_warns_after_a_minute() -> None:
    assert due(10.0, 13.9, inf, is_quiet=False) == 14.0
    assert due(10.0, 20.0, inf, is_quiet=False) == 14.0
    assert due(10.0, 69.9, inf, is_quiet=True) == 70.0


def test_it_is_explained_ten_seconds_before_the_end() -> None:
    assert due(10.0, 30.0, 36.0, is_quiet=True) == 26.0
    assert due(10.0, 13.9, 23.0, is_quiet=False) == 13.0
    assert due(10.0, 11.9, 13.0, is_quiet=True) == 12.0


def test_warnings_are_listened_to_in_time_for_them_to_be_heard_within_four_seconds() -> None:
    assert listening_due(10.0, due(10.0, 20.0, inf, is_quiet=False)) == 13.0
    assert listening_due(10.0, due(10.0, 20.0, inf, is_quiet=True)) == 13.0
    assert listening_due(10.0, due(10.0, 0.0, inf, is_quiet=True)) == 12.0


@given(TIMES, TIMES, TIMES, TIMES, st.booleans())
def test_what_becomes_ready_puts_it_off_and_never_brings_it_forward(
    applied: float, one: float, other: float, end: float, is_quiet: bool
) -> None:
    earlier, later = sorted((one, other))
    sooner, afterwards = (due(applied, ready, end, is_quiet=is_quiet) for ready in (earlier, later))
    assert applied + 2 <= sooner <= afterwards <= max(applied + 2, end - 10)


@given(TIMES, TIMES, TIMES)
def test_a_warning_brings_it_forward_to_four_seconds(applied: float, ready: float, end: float) -> None:
    warned, quiet = (due(applied, ready, end, is_quiet=is_quiet) for is_quiet in (False, True))
    assert warned == min(quiet, applied + 4)
