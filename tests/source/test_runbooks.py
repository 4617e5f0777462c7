"""What an app's developers have written down for trouble."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kploy.core.remedies import runbook_names
from kploy.model.evidence import Runbook
from kploy.source.app import read_app
from kploy.source.runbooks import runbook_of


def write(root: Path, name: str, text: str | bytes = "call us\n") -> Path:
    (root / "runbooks").mkdir(exist_ok=True)
    path = root / "runbooks" / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_runbook_is_the_file_that_the_trouble_is_called_after(tmp_path: Path) -> None:
    write(tmp_path, "OOMKilled.md", "# Memory\r\n\r\ncall us\r\n")
    assert runbook_of(tmp_path, ["OOMKilled"]) == Runbook("runbooks/OOMKilled.md", "# Memory\n\ncall us")
    assert runbook_of(tmp_path, ["Unhealthy"]) is None


def test_the_stages_of_one_trouble_share_a_runbook_and_the_exact_name_goes_first(tmp_path: Path) -> None:
    write(tmp_path, "ErrImagePull.md", "push it")
    found = runbook_of(tmp_path, runbook_names("ImagePullBackOff"))
    assert found == Runbook("runbooks/ErrImagePull.md", "push it")
    write(tmp_path, "ImagePullBackOff.md", "push it, then wait")
    found = runbook_of(tmp_path, runbook_names("ImagePullBackOff"))
    assert found == Runbook("runbooks/ImagePullBackOff.md", "push it, then wait")


@pytest.mark.parametrize("reason", ["", "..", "../Kployfile", "a/b", "x" * 300])
def test_what_the_cluster_calls_a_trouble_leads_to_no_other_file(tmp_path: Path, reason: str) -> None:
    (tmp_path / "Kployfile.md").write_text("secret")
    write(tmp_path, "OOMKilled.md")
    assert runbook_of(tmp_path, [reason]) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"\xff", "this byte is not UTF-8: save the file as UTF-8"),
        (None, "`runbooks/OOMKilled.md` is a pipe or a device, not a file: put a file there"),
    ],
)
def test_a_runbook_that_cannot_be_read_says_why(tmp_path: Path, text: bytes | None, words: str) -> None:
    path = write(tmp_path, "OOMKilled.md", text or b"")
    if text is None:
        path.unlink()
        os.mkfifo(path)
    assert runbook_of(tmp_path, ["OOMKilled"]) == Runbook("runbooks/OOMKilled.md", words)


def test_a_very_long_one_is_cut(tmp_path: Path) -> None:
    write(tmp_path, "OOMKilled.md", "x" * 100_000)
    found = runbook_of(tmp_path, ["OOMKilled"])
    assert found is not None
    assert len(found.text) == 16_000


def test_a_name_that_is_nearly_one_of_a_trouble_is_a_warning_and_any_other_is_not(tmp_path: Path) -> None:
    (tmp_path / "Kployfile").write_text("name: shop\n")
    for name in ("OOMkilled.md", "OOMKilled.md", "README.md", "FailedToMakeCoffee.md", "notes.txt"):
        write(tmp_path, name)
    found = [finding for finding in read_app(tmp_path).findings if finding.rule == "unknown-runbook"]
    assert [(finding.subject, finding.hint) for finding in found] == [
        ("runbooks/OOMkilled.md", "did you mean `OOMKilled.md`?")
    ]
