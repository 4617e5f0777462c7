from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.engine.crew import Crew, Pool, done_by

PATIENCE = 20.0


def nothing() -> None:
    pytest.fail("it begins")


def test_a_crew_does_every_job_and_no_more_at_a_time_than_it_has_threads() -> None:
    crew, lock, done, doing, most = Crew(3, "x"), threading.Lock(), threading.Semaphore(0), set[int](), set[int]()

    def job(number: int) -> None:
        with lock:
            doing.add(number)
            most.add(len(doing))
        with lock:
            doing.remove(number)
        done.release()

    for number in range(100):
        crew.submit(lambda number=number: job(number), nothing)  # type: ignore[misc]
    assert all(done.acquire(timeout=PATIENCE) for _ in range(100))
    assert max(most) <= 3
    crew.dismiss()


def test_who_is_dismissed_ends_what_is_under_way_and_begins_nothing_more() -> None:
    crew, began, may_end, ended, told = Crew(1, "x"), threading.Event(), threading.Event(), threading.Event(), []

    def job() -> None:
        began.set()
        may_end.wait(PATIENCE)
        ended.set()

    crew.submit(job, nothing)
    assert began.wait(PATIENCE)
    for number in range(3):
        crew.submit(nothing, lambda number=number: told.append(number))  # type: ignore[misc]
    crew.dismiss()
    assert told == [0, 1, 2]
    assert not ended.is_set()
    may_end.set()
    assert ended.wait(PATIENCE)


@given(st.lists(st.integers()), st.integers(1, 20))
def test_what_is_done_by_many_comes_in_the_order_of_the_items(items: list[int], threads: int) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert done_by(pool, threads, lambda one, other: (one, other), items, range(len(items))) == [
            *zip(items, range(len(items)), strict=True)
        ]


def test_what_one_raises_is_raised_and_nothing_more_is_begun() -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 3:
            raise KeyError(number)

    with ThreadPoolExecutor(1) as pool, pytest.raises(KeyError):
        done_by(pool, 1, work, range(1000))
    assert begun == [0, 1, 2, 3]


def test_of_several_errors_the_one_of_the_first_item_is_raised() -> None:
    both = threading.Barrier(2)

    def work(number: int) -> None:
        both.wait(PATIENCE)
        if number == 0:
            both.wait(PATIENCE)
            raise KeyError(number)
        try:
            raise ValueError(number)
        finally:
            both.wait(PATIENCE)

    with ThreadPoolExecutor(2) as pool, pytest.raises(KeyError):
        done_by(pool, 2, work, range(2))


def test_who_is_interrupted_begins_nothing_more() -> None:
    begun: list[int] = []
    may_end = threading.Event()

    class Interrupted(ThreadPoolExecutor):
        def submit(self, *args: Any, **named: Any) -> Any:
            super().submit(*args, **named)

            class Waiting:
                def result(self) -> None:
                    may_end.set()
                    raise KeyboardInterrupt

            return Waiting()

    def work(number: int) -> None:
        begun.append(number)
        may_end.wait(PATIENCE)
        over.wait(PATIENCE)

    over = threading.Event()
    with Interrupted(1) as pool:
        with pytest.raises(KeyboardInterrupt):
            done_by(pool, 1, work, range(1000))
        over.set()
    assert begun == [0]


@pytest.mark.parametrize(
    ("error", "waits"), [(KeyboardInterrupt, False), (GeneratorExit, False), (KeyError, True)]
)
def test_who_is_interrupted_among_threads_waits_for_none_of_them(error: type[BaseException], waits: bool) -> None:
    begun, may_end = threading.Event(), threading.Event()
    if waits:
        may_end.set()
    with pytest.raises(error), Pool(1) as pool:  # noqa: PT012 - it is to be left by what is raised
        under_way = pool.submit(lambda: [event() for event in (begun.set, may_end.wait)])
        never = pool.submit(may_end.wait)
        begun.wait(PATIENCE)
        raise error
    assert (under_way.done(), never.done()) == (waits, True)
    may_end.set()
