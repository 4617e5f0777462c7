"""Durations and counts in words."""

from __future__ import annotations

import pytest

from kploy.ui.numbers import age, count, seconds, ticking


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (0, "0.0s"),
        (0.44, "0.4s"),
        (9.94, "9.9s"),
        (9.96, "9s"),
        (59.9, "59s"),
        (60, "1m0s"),
        (252, "4m12s"),
        (3599.9, "59m59s"),
        (3600, "1h0m"),
        (11_130, "3h5m"),
        (86_400 * 9, "9d"),
    ],
)
def test_a_duration_is_no_more_exact_than_of_use(duration: float, words: str) -> None:
    assert seconds(duration) == words


@pytest.mark.parametrize(("duration", "words"), [(0.9, "0s"), (9.99, "9s"), (10, "10s"), (75, "1m15s")])
def test_a_growing_duration_has_no_tenths(duration: float, words: str) -> None:
    assert ticking(duration) == words


@pytest.mark.parametrize(
    ("duration", "words"),
    [(None, "-"), (-3.0, "0s"), (0, "0s"), (59.9, "59s"), (60, "1m"), (7199, "1h"), (86_400 * 9.5, "9d")],
)
def test_an_age_is_told_in_its_largest_unit(duration: float | None, words: str) -> None:
    assert age(duration) == words


@pytest.mark.parametrize(("number", "words"), [(0, "0 errors"), (1, "1 error"), (2, "2 errors")])
def test_one_is_singular(number: int, words: str) -> None:
    assert count(number, "error") == words
