"""Asking a cluster that may make us wait: that it does is told, as long as nobody else tells it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import field
from queue import SimpleQueue
from typing import Generic, TypeVar

from kploy.cluster.port import Cluster, Trouble
from kploy.model.events import Event, Noted
from kploy.model.frozen import dataclass

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Done(Generic[_T]):
    """The work has ended: with a value, or by an error."""

    value: _T | None = None
    error: BaseException | None = field(default=None, repr=False)


def in_words(trouble: Trouble) -> str:
    """What is to be said of it when the cluster makes us wait, or does so no more."""
    seconds = f"{trouble.seconds:.0f} s"
    if trouble.is_over:
        return f"the wait is over, after {seconds} ({trouble.fact})"
    return f"{trouble.fact}: trying again, for {seconds} already"


def telling(cluster: Cluster, work: Callable[[], _T]) -> Generator[Event, None, _T]:
    """What ``work`` returns, which asks ``cluster``. Tells meanwhile when that makes us wait.

    It works on a thread of its own, which an interrupt leaves behind. Raises what it raises.
    """
    news: SimpleQueue[Trouble | _Done[_T]] = SimpleQueue()

    def run() -> None:
        try:
            news.put(_Done(work()))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where it is waited for
            news.put(_Done(error=error))

    cluster.observe(news.put)
    threading.Thread(target=run, name="asking", daemon=True).start()
    while True:
        match news.get():
            case Trouble() as trouble:
                yield Noted(in_words(trouble))
            case _Done(_, BaseException() as error):
                raise error
            case _Done(value, None):
                return value  # type: ignore[return-value]
