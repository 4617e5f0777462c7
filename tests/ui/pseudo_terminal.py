"""A terminal for a process to write to, and what a person would then see on it."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_CONTROL = re.compile(r"\x1b\[(\??)(\d*)([A-Za-z])|\x1b\[[\d;]*m")


@dataclass(frozen=True)
class Shown:
    """What became of a process: its exit code, and all that it sent to a terminal of so many columns."""

    code: int
    sent: str
    columns: int

    @property
    def rows(self) -> list[str]:
        """What stands on the terminal at the end, as if it had no upper edge; the last is that of the cursor."""
        return _Screen(self.columns).after(self.sent)

    @property
    def has_cursor(self) -> bool:
        """Whether the cursor is visible at the end."""
        return self.sent.rfind("\x1b[?25l") <= self.sent.rfind("\x1b[?25h")


Reaction = tuple[str, signal.Signals | str]
"""When the text was sent, send this signal to the process, or type this."""


def on_terminal(
    command: Sequence[str],
    *reactions: Reaction,
    cwd: Path,
    size: tuple[int, int] = (80, 24),
    environment: Mapping[str, str] | None = None,
) -> Shown:
    """Run a command on a terminal of ``size`` columns and rows, and react to what it sends, in this order."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (size[1], size[0]))
    attributes = termios.tcgetattr(slave)
    attributes[3] &= ~termios.ECHO  # what is typed here is not meant to be seen
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**_neutral(), **(environment or {})},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    ) as process:
        os.close(slave)
        sent = _converse(process, master, list(reactions))
        code = process.wait(timeout=60)
    os.close(master)
    return Shown(code, sent, size[0])


def _neutral() -> dict[str, str]:
    wishes = {"NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES"}
    return {name: value for name, value in os.environ.items() if name not in wishes} | {"TERM": "xterm-256color"}


def _converse(process: subprocess.Popen[bytes], master: int, reactions: list[Reaction]) -> str:
    sent, seen = b"", 0
    while True:
        try:
            read = os.read(master, 65536)
        except OSError:  # that is how a terminal says that nobody writes any more
            return sent.decode()
        if not read:
            return sent.decode()
        sent += read
        if reactions and reactions[0][0].encode() in sent[seen:]:
            seen = len(sent)
            _, reaction = reactions.pop(0)
            if isinstance(reaction, str):
                os.write(master, reaction.encode())
            else:
                process.send_signal(reaction)


class _Screen:
    """Obeys what rich sends, and refuses to guess about anything else."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._rows: list[str] = [""]
        self._row = 0
        self._column = 0

    def after(self, sent: str) -> list[str]:
        at = 0
        for control in _CONTROL.finditer(sent):
            self._write(sent[at : control.start()])
            self._obey(*control.groups())
            at = control.end()
        self._write(sent[at:])
        rows = [row.rstrip() for row in self._rows]
        # Where the cursor has been, and is not any more, nobody sees that.
        while len(rows) > self._row + 1 and not rows[-1]:
            rows.pop()
        return rows

    def _write(self, text: str) -> None:
        for character in text:
            match character:
                case "\r":
                    self._column = 0
                case "\n":
                    self._down()
                case _:
                    assert character.isprintable(), f"the terminal would obey {character!r}"
                    self._put(character)

    def _put(self, character: str) -> None:
        if self._column == self._columns:
            self._column = 0
            self._down()
        row = self._rows[self._row].ljust(self._column)
        self._rows[self._row] = row[: self._column] + character + row[self._column + 1 :]
        self._column += 1

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self._rows):
            self._rows.append("")

    def _obey(self, private: str | None, number: str | None, command: str | None) -> None:
        match private, command, number:
            case (None, None, None) | ("", "m", _):
                pass  # colour
            case "?", "h" | "l", "25":
                pass  # the cursor is shown or hidden
            case "", "A", _:
                self._row -= int(number or 1)
                assert self._row >= 0, "the cursor leaves the terminal"
            case "", "K", "2":
                self._rows[self._row] = ""
            case "", "J", "":
                self._rows[self._row] = self._rows[self._row][: self._column]
                del self._rows[self._row + 1 :]
            case _:
                raise AssertionError(f"unknown control: {private}{number}{command}")
