"""How much work it is to show a run on a terminal. What is seen there is in tests/cli/test_terminal.py."""

from __future__ import annotations

import sys
from queue import SimpleQueue
from threading import Event, Semaphore

import pytest
from rich.console import Console

from kploy.model import events
from kploy.model.objects import ObjectRef
from kploy.model.plan import Action, Change, Plan
from kploy.ui.console import signs_for
from kploy.ui.moving import Moving
from kploy.ui.narrator import Narrator
from kploy.ui.text import TextDisplay
from tests.counting import lines_of
from tests.ui.made import HALFWAY, OPENED, STARTING, UP, Stream, console_on

_THE_SAME = 1.05
"""Words of other lengths make a line more or less."""


class Beat:
    """A clock that stands still until it is told to go on. ``drawn`` is released after each frame."""

    def __init__(self) -> None:
        self.drawn = Semaphore(0)
        self._ends = SimpleQueue[bool]()

    def __call__(self, stopped: Event) -> bool:
        self.drawn.release()
        return self._ends.get() or stopped.is_set()

    def go_on(self) -> None:
        """One frame more, which begins about now."""
        self._ends.put(False)

    def next(self) -> None:
        """One frame more, which is there."""
        self.go_on()
        assert self.drawn.acquire(timeout=60)

    def end(self) -> None:
        """No frame more."""
        self._ends.put(True)


class Stopped(Stream):
    """A terminal on which somebody has pressed Ctrl-S, until it is let go."""

    def __init__(self) -> None:
        super().__init__(terminal=True)
        self.goes_on = Event()
        self.waits = Event()

    def write(self, text: str, /) -> int:
        if not self.goes_on.is_set():
            self.waits.set()
        assert self.goes_on.wait(60)
        return super().write(text)


def refs(number: int) -> list[ObjectRef]:
    return [ObjectRef("apps", "Deployment", "shop", f"web-{each}") for each in range(number)]


def planned(number: int) -> events.Planned:
    return events.Planned(Plan(tuple(Change(ref, Action.CREATED) for ref in refs(number))))


def screen(stream: Stream) -> Console:
    console = console_on(stream)
    console.size = (80, 24)
    return console


def moving_on(console: Console, beat: Beat) -> Moving:
    return Moving(console, Narrator(signs_for(console.file), 80), beat)


def show(moving: Moving, event: events.Event, *lines: str) -> None:
    with moving.held:
        moving.follow(event)
        for line in lines:
            moving.above.print(line)


def test_time_alone_says_how_often_it_is_drawn_however_much_happens() -> None:
    stream, beat, each = Stream(terminal=True), Beat(), 900
    moving = moving_on(screen(stream), beat)
    show(moving, OPENED)
    assert beat.drawn.acquire(timeout=60)
    show(moving, planned(3 * each))
    for number in range(3):
        for ref in refs(3 * each)[number * each : (number + 1) * each]:
            show(moving, events.Applied(ref, Action.CREATED, STARTING, 0.0))
            for _ in range(5):
                show(moving, events.Progressed(ref, HALFWAY, 1.0))
            show(moving, events.Ready(ref, UP, 1.0, 2.0), f"{ref} is ready")
        beat.next()
    beat.end()
    moving.stop()
    written = stream.getvalue()
    assert written.count("comparing with the cluster") == 1
    # The last one is drawn once more, to be taken away.
    assert [written.count(f" {number * each} of {3 * each} done") for number in range(4)] == [0, 1, 1, 2]
    assert written.count(" is ready") == 3 * each


def stopped_after_a_frame() -> tuple[Stopped, Beat, Moving]:
    """A terminal that has shown one frame, and takes nothing more until it goes on."""
    stream, beat = Stopped(), Beat()
    moving = moving_on(screen(stream), beat)
    stream.goes_on.set()
    show(moving, OPENED)
    assert beat.drawn.acquire(timeout=60)
    stream.goes_on.clear()
    return stream, beat, moving


def test_lines_that_are_being_written_when_it_ends_at_once_are_not_lost() -> None:
    stream, beat, moving = stopped_after_a_frame()
    show(moving, planned(1), "the first", "the second")
    beat.go_on()
    assert stream.waits.wait(60)
    assert moving.removal.endswith("the first\nthe second\n")
    stream.goes_on.set()
    assert beat.drawn.acquire(timeout=60)
    assert not moving.removal.endswith("the first\nthe second\n")
    beat.end()
    moving.stop()


def test_a_terminal_that_takes_nothing_holds_up_no_event() -> None:
    stream, beat, moving = stopped_after_a_frame()
    beat.go_on()
    show(moving, planned(500))
    for ref in refs(500):
        show(moving, events.Applied(ref, Action.CREATED, STARTING, 0.0))
        show(moving, events.Ready(ref, UP, 1.0, 2.0), f"{ref} is ready")
    assert "is ready" not in stream.getvalue()
    stream.goes_on.set()
    beat.end()
    moving.stop()
    assert stream.getvalue().count(" is ready") == 500


def test_lines_that_are_not_shown_yet_are_there_when_it_ends_at_once() -> None:
    beat = Beat()
    moving = moving_on(screen(Stream(terminal=True)), beat)
    show(moving, OPENED)
    assert beat.drawn.acquire(timeout=60)
    show(moving, planned(1), "  one", "  two")
    assert moving.removal == "\r\x1b[J\x1b[?25h  one\n  two\n"
    beat.end()
    moving.stop()


@pytest.fixture
def _a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """stderr is a terminal of 80 columns and 24 rows, where nobody wishes for anything."""
    monkeypatch.setattr(sys, "stderr", Stream(terminal=True))
    for name, value in {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"}.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def lines_of_an_event(number: int) -> list[int]:
    """Of one that changes a row, and of three that end in a line that stays; with so many objects under way."""
    *_, moves, is_ready, fails, stays = refs(number)
    with TextDisplay(plan_is_result=False) as display:
        display.show(OPENED)
        display.show(planned(number))
        for ref in refs(number):
            display.show(events.Applied(ref, Action.CREATED, STARTING, 0.0))
        measured = (
            events.Progressed(moves, HALFWAY, 1.0),
            events.Ready(is_ready, UP, 1.0, 2.0),
            events.Failed(fails, "it has failed", 2.0),
            events.Unfinished(stays, HALFWAY, 2.0),
        )
        return [lines_of(lambda event=event: display.show(event)) for event in measured]  # type: ignore[misc]


@pytest.mark.usefixtures("_a_terminal")
def test_an_event_is_as_little_work_with_five_thousand_objects_under_way_as_with_five_hundred() -> None:
    few, many = lines_of_an_event(500), lines_of_an_event(5000)
    assert [more / less <= _THE_SAME for less, more in zip(few, many, strict=True)] == [True] * 4, (few, many)
    assert max(many) * 10 <= lines_of_a_frame(500), "it draws a frame"


def test_a_frame_is_as_little_work_with_five_thousand_objects_under_way_as_with_five_hundred() -> None:
    few, many = (lines_of_a_frame(number) for number in (500, 5000))
    assert many / few <= _THE_SAME, (few, many)


def lines_of_a_frame(number: int) -> int:
    beat = Beat()
    moving = moving_on(screen(Stream(terminal=True)), beat)
    show(moving, OPENED)
    assert beat.drawn.acquire(timeout=60)
    show(moving, planned(number))
    for ref in refs(number):
        show(moving, events.Applied(ref, Action.CREATED, STARTING, 0.0))
    moving.draw()  # what is kept for the next one is made here
    try:
        return lines_of(moving.draw)
    finally:
        beat.end()
        moving.stop()
