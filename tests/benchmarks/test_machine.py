"""How busy the machine was with other things."""

from __future__ import annotations

from benchmarks.machine import Moment, cores_of_others, load_note


def test_what_others_use_is_what_is_left_of_all_that_is_used() -> None:
    before, after = Moment(1000, 500, 100), Moment(1020, 530, 125)
    assert cores_of_others(before, after) == 0.25


def test_clocks_that_do_not_agree_to_the_tick_make_nobody_less_than_idle() -> None:
    assert cores_of_others(Moment(0, 0, 0), Moment(10, 5, 5.02)) == 0


def test_a_busy_machine_is_said_to_spoil_the_figures() -> None:
    fact = "Load when it began: 0.3. What has nothing to do with it kept"
    assert load_note(0.3, 0.2) == f"{fact} 0.20 cores busy meanwhile."
    assert load_note(0.3, 0.21) == f"{fact} 0.21 cores busy meanwhile: **too much to rely on these figures**."
