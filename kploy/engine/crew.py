"""Threads for very many short jobs.

The standard library's executors make an object with locks of its own for each job, and hand the interpreter from
thread to thread several times for that: with requests that take a millisecond, it shows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, TypeVar

_T = TypeVar("_T")


class Crew:
    """Up to ``most`` threads that do jobs in the order in which they come. Jobs raise nothing.

    ``submit`` and ``dismiss`` are called by one thread. Nobody waits for the threads, not even Python at its end:
    what is under way then is cut off.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, job: Callable[[], None], instead: Callable[[], None]) -> None:
        """Have a job done; ``instead`` is called if it never begins."""
        self._jobs.put((job, instead))
        if len(self._threads) < self._most:
            thread = threading.Thread(target=self._work, name=f"{self._name}_{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def dismiss(self) -> None:
        """Begin no other job: call, right here, what was to be called instead. Those under way go on."""
        while True:
            try:
                waiting = self._jobs.get_nowait()
            except Empty:
                break
            if waiting is not None:
                waiting[1]()
        for _ in self._threads:
            self._jobs.put(None)

    def _work(self) -> None:
        while (waiting := self._jobs.get()) is not None:
            waiting[0]()


_Job = tuple[Callable[[], None], Callable[[], None]]


class Pool(ThreadPoolExecutor):
    """Threads for as long as this context is open. Whoever is interrupted in it waits for no request under way."""

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        self.shutdown(wait=kind is None or issubclass(kind, Exception), cancel_futures=kind is not None)


def done_by(pool: Executor, most: int, work: Callable[..., _T], *items: Iterable[Any]) -> list[_T]:
    """What ``work`` makes of each of ``items``, in their order, done by ``most`` threads of ``pool``.

    Whatever it raises, or whoever interrupts it, nothing more is begun then. Of several errors the one
    of the first item counts that has any.
    """
    every: Sequence[tuple[Any, ...]] = list(zip(*items, strict=True))
    results: list[Any] = [None] * len(every)
    errors: dict[int, BaseException] = {}
    numbers, is_over = iter(range(len(every))), threading.Event()

    def some() -> None:
        for number in numbers:
            if is_over.is_set():
                return
            try:
                results[number] = work(*every[number])
            except BaseException as error:  # noqa: BLE001 - it is raised below
                errors[number] = error
                is_over.set()

    try:
        for future in [pool.submit(some) for _ in range(min(most, len(every)))]:
            future.result()
    finally:
        is_over.set()
    if errors:
        raise errors[min(errors)]
    return results
