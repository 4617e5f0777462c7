"""Streams that never fail to be written to."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from kploy.ui.streams import is_complete, steadfast


def test_writes_what_it_is_given(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="utf-8") as file:
        print("✓ up", file=steadfast(file), flush=True)
    assert (tmp_path / "out").read_text(encoding="utf-8") == "✓ up\n"


def test_what_cannot_be_encoded_is_put_into_ascii(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="ascii") as file:
        print("a → b… •• é \U0001f469 \udc80", file=steadfast(file), flush=True)
    assert (tmp_path / "out").read_text() == "a -> b... ** \\xe9 \\U0001f469 \\udc80\n"


def test_goes_on_in_silence_when_the_reader_has_gone(capfd: pytest.CaptureFixture[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as file:  # noqa: PTH123 - a pipe has no path
        stream = steadfast(file)
        for _ in range(3):
            print("anybody there?", file=stream, flush=True)
        assert is_complete(stream)
    assert capfd.readouterr() == ("", "")


def test_a_full_disk_is_told_of_once(capfd: pytest.CaptureFixture[str]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as file:
        stream = steadfast(file)
        for _ in range(3):
            print("a line", file=stream, flush=True)
        assert not is_complete(stream)
    assert capfd.readouterr() == ("", "kploy: the output is not complete: No space left on device\n")


def test_waits_for_a_reader_that_is_slower_than_a_pipe_that_does_not_block() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    child = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", "import sys; sys.exit(len(sys.stdin.buffer.read()) != 1_000_001)"],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, reader, 0), (os.POSIX_SPAWN_CLOSE, writer)],
    )
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as file:  # noqa: PTH123 - a pipe has no path
        print("x" * 1_000_000, file=steadfast(file), flush=True)
    assert os.waitpid(child, 0)[1] == 0


def test_a_stream_that_was_closed_from_the_start_takes_everything() -> None:
    print("is there anybody?", file=steadfast(None), flush=True)


def test_a_stream_without_a_file_is_left_as_it_is() -> None:
    stream = io.StringIO()
    assert steadfast(stream) is stream
