"""Medians and ratios, and what the goals make of them."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.counting import Requests
from benchmarks.course import Sample
from benchmarks.figures import Figures, Summary, summarised
from benchmarks.goals import GOALS
from benchmarks.programs import Deed
from benchmarks.stopwatch import Cost


def sample(wall: float, program: str = "kploy", services: int = 100, deed: Deed = Deed.FIRST) -> Sample:
    return Sample(services, program, deed, Cost(wall, wall / 2, int(wall * 1000)))


def figures(*samples: Sample, requests: dict[int, dict[Deed, Requests]] | None = None) -> Figures:
    return Figures(summarised(samples), requests or {})


def verdicts(measured: Figures) -> dict[str, tuple[str, str]]:
    """What was measured for each goal, and how that compares; without those that were not measured."""
    rows = [goal.row(measured) for goal in GOALS]
    return {what: (value, verdict) for what, _, value, verdict in rows if verdict != "not measured"}


def test_samples_of_one_kind_become_their_times_medians_and_the_highest_peak() -> None:
    samples = [
        sample(3),
        sample(10),
        sample(2),
        sample(7, "limit"),
        sample(1, deed=Deed.AGAIN),
        sample(4, services=20),
    ]
    assert summarised(samples) == {
        (100, "kploy", Deed.FIRST): Summary((3, 10, 2), 1.5, 10_000),
        (100, "limit", Deed.FIRST): Summary((7,), 3.5, 7000),
        (100, "kploy", Deed.AGAIN): Summary((1,), 0.5, 1000),
        (20, "kploy", Deed.FIRST): Summary((4,), 2, 4000),
    }
    assert [summary.wall for summary in summarised(samples).values()] == [3, 7, 1, 4]


def test_commands_one_after_the_other_add_up_but_for_their_memory() -> None:
    assert Cost(1, 2, 30) + Cost(10, 20, 3) == Cost(11, 22, 30)


def test_a_ratio_is_told_of_the_same_deed_of_the_same_size() -> None:
    measured = figures(sample(3), sample(2, "limit"), sample(1, "limit", deed=Deed.AGAIN), sample(4, services=20))
    assert measured.ratio(100, Deed.FIRST) == 1.5
    assert measured.ratio(100, Deed.FIRST, "limit") == 1
    assert measured.ratio(100, Deed.AGAIN) is None
    assert measured.ratio(20, Deed.FIRST) is None


def test_rounds_are_compared_each_by_itself_if_both_were_in_all_of_them() -> None:
    measured = figures(sample(3), sample(2, "limit"), sample(4, "limit"), sample(8), sample(1, "helm"))
    assert measured.rounds(100, Deed.FIRST) == (1.5, 2)
    assert measured.rounds(100, Deed.FIRST, "helm") == ()
    assert measured.rounds(100, Deed.AGAIN) == ()
    assert measured.rounds(100, Deed.FIRST, "limit") == ()


def test_sizes_ascend_and_leave_out_what_has_no_size() -> None:
    assert figures(sample(1, services=100), sample(1, services=20), sample(1, services=0)).sizes == [20, 100]


def test_a_goal_is_met_at_its_bound_and_missed_above_it() -> None:
    measured = figures(
        sample(1.4),
        sample(1, "limit"),
        sample(1.01, deed=Deed.AGAIN),
        sample(0.12, services=0, deed=Deed.HELP),
        sample(0.122, services=0, deed=Deed.COMPLETION),
    )
    assert verdicts(measured) == {
        "first deploy of 500 objects": ("1.4 x limit", "met"),
        "again with nothing changed, of 500 objects": ("1.01 s", "**missed**"),
        "`--help`": ("60 ms CPU", "met"),
        "completion": ("61 ms CPU", "**missed**"),
    }


def test_what_an_object_of_a_large_app_takes_is_compared_with_one_of_a_smaller_app() -> None:
    measured = figures(sample(5), sample(100, services=1000))
    assert verdicts(measured) == {
        "first deploy, an object of 5,000 beside one of 500": ("2 x", "**missed**"),
        "peak memory with 5,000 objects": ("0.1 MB", "met"),
    }


@pytest.mark.parametrize(("of_large", "verdict"), [(6, ("0", "met")), (9, ("3", "**missed**"))])
def test_writes_are_counted_and_must_not_grow_with_the_app(of_large: int, verdict: tuple[str, str]) -> None:
    def requests(changed: int, again: int = 0) -> dict[Deed, Requests]:
        writes = {Deed.AGAIN: again, Deed.DRYRUN: 0, Deed.CHANGED: changed}
        return {deed: Requests(Counter(), number) for deed, number in writes.items()}

    measured = figures(requests={20: requests(6), 100: requests(6, again=1), 1000: requests(of_large)})
    assert [verdict for what, verdict in verdicts(measured).items() if "writes" in what] == [
        ("1", "**missed**"),
        ("0", "met"),
        verdict,
    ]
