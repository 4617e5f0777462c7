from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from kploy.source.atomic import write_new


def without_links(*_: Any) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("has_links", [True, False])
def test_a_new_file_is_whole_and_nothing_is_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool
) -> None:
    if not has_links:
        monkeypatch.setattr(os, "link", without_links)
    write_new(tmp_path / "a", b"text", 0o644)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"text"}


@pytest.mark.parametrize("has_links", [True, False])
@pytest.mark.parametrize("is_link", [True, False])
def test_what_is_there_stays_even_a_link_that_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool, is_link: bool
) -> None:
    path = tmp_path / "a"
    path.symlink_to("nowhere") if is_link else path.write_text("before")
    if not has_links:
        monkeypatch.setattr(os, "link", without_links)
    with pytest.raises(FileExistsError):
        write_new(path, b"text", 0o644)
    assert [each.name for each in tmp_path.iterdir()] == ["a"]
    assert path.is_symlink() if is_link else path.read_text() == "before"


def test_who_is_interrupted_leaves_no_file_that_is_not_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_new(tmp_path / "a", b"text", 0o644)
    assert list(tmp_path.iterdir()) == []
