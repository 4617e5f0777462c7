from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[[dict[str, str | bytes]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes files into an app directory that has a Kployfile, unless the files name one."""

    def write_files(files: dict[str, str | bytes]) -> Path:
        root = tmp_path / "shop"
        for name, content in ({"Kployfile": "name: shop\n"} | files).items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            path.chmod(0o600)
        return root

    return write_files
