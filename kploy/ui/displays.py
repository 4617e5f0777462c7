"""What shows events, and how several of them do it together."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from kploy.model import events


class Display(Protocol):
    """Shows the events of a command. It is entered before the first and left after the last, or at an error."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None: ...

    @property
    def is_complete(self) -> bool:
        """Whether all data that it has written is there, as far as there was anybody to read it."""

    def show(self, event: events.Event) -> None:
        """Show one event."""

    def note(self, text: str) -> None:
        """Say something that is no event. May be called from a signal handler."""

    def last_words(self, text: str) -> None:
        """Say why the process ends right here. For signal handlers."""


class Companion(Protocol):
    """Tells the same events somewhere else, beside the display that the user asked for."""

    def show(self, event: events.Event) -> None:
        """Take note of one event."""

    def end(self, error: BaseException | None) -> None:
        """Say what there is to say at the end; ``error`` is what ended the command early."""


class Accompanied:
    """A display whose events go to companions as well, to each after the display has shown them."""

    def __init__(self, display: Display, *companions: Companion) -> None:
        self._display = display
        self._companions = companions

    def __enter__(self) -> Self:
        self._display.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        self._display.__exit__(kind, value, at)
        for companion in self._companions:
            companion.end(value)

    @property
    def is_complete(self) -> bool:
        """Whether the display has lost nothing: what companions tell is told besides."""
        return self._display.is_complete

    def show(self, event: events.Event) -> None:
        """Show one event everywhere."""
        self._display.show(event)
        for companion in self._companions:
            companion.show(event)

    def note(self, text: str) -> None:
        """Say something that is no event, on the display alone."""
        self._display.note(text)

    def last_words(self, text: str) -> None:
        """Say why the process ends right here, on the display alone."""
        self._display.last_words(text)
