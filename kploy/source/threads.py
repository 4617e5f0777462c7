"""Waiting for several things at once, without being held up by any of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

_Item = TypeVar("_Item", bound=Hashable)
_Result = TypeVar("_Result")

MOST_THREADS = 8


def at_once(
    call: Callable[[_Item], _Result], items: Iterable[_Item], seconds: float | None = None
) -> dict[_Item, _Result]:
    """What ``call`` makes of every item, a few of them at the same time.

    Raises what a call raises, and TimeoutError when the next result is not
    there after ``seconds``. The threads are daemons: Ctrl-C, the end of the
    program and the timeout wait for none of them, as an executor would.
    """
    waiting: SimpleQueue[_Item] = SimpleQueue()
    for item in dict.fromkeys(items):
        waiting.put(item)
    wanted = waiting.qsize()
    done: SimpleQueue[tuple[_Item, _Result] | Exception] = SimpleQueue()
    for _ in range(min(wanted, MOST_THREADS)):
        Thread(target=_work, args=(call, waiting, done), daemon=True).start()
    return dict(_next(done, seconds) for _ in range(wanted))


def _work(
    call: Callable[[_Item], _Result],
    waiting: SimpleQueue[_Item],
    done: SimpleQueue[tuple[_Item, _Result] | Exception],
) -> None:
    while True:
        try:
            item = waiting.get_nowait()
        except Empty:
            return
        try:
            done.put((item, call(item)))
        except Exception as exc:  # noqa: BLE001 - raised again where the results are awaited
            done.put(exc)


def _next(done: SimpleQueue[tuple[_Item, _Result] | Exception], seconds: float | None) -> tuple[_Item, _Result]:
    try:
        result = done.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if isinstance(result, Exception):
        raise result
    return result
