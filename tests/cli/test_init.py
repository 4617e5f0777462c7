"""``kploy init``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Kploy


def test_what_init_writes_is_valid_at_once_and_a_second_init_changes_nothing(
    offline: Kploy, tmp_path: Path
) -> None:
    first = offline("init", "shop")
    assert first.code == 0
    texts = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert offline("dryrun", "shop", "--offline").lines == [
        "shop   2 manifests   schemas 1.37",
        "✓ valid, as far as that can be told without a cluster",
    ]
    second = offline("init", "shop")
    assert second.code == 0
    assert {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()} == texts


def test_flags_say_the_name_the_namespace_and_the_image(offline: Kploy, tmp_path: Path) -> None:
    offline("init", "--name", "shop", "--namespace", "prod", "--image", "ghcr.io/acme/shop:1.4")
    assert "name: shop\nnamespace: prod\n" in (tmp_path / "Kployfile").read_text()
    assert "image: ghcr.io/acme/shop:1.4\n" in (tmp_path / "rcs/shop.yaml").read_text()


@pytest.mark.parametrize("file", ["Kployfile", ".gitignore"])
def test_a_directory_where_a_file_goes_is_told(offline: Kploy, tmp_path: Path, file: str) -> None:
    (tmp_path / "shop" / file).mkdir(parents=True)
    result = offline("init", "shop")
    assert result.code == 1
    first, *_ = result.lines
    assert first == f"error: `shop/{file}` is a directory"


def test_git_ignores_the_secrets_in_env_and_takes_the_rest(offline: Kploy, tmp_path: Path) -> None:
    offline("init", "new")
    assert (tmp_path / "new/.gitignore").read_text() == "env/*.secret*\n"
    (tmp_path / "old").mkdir()
    (tmp_path / "old/.gitignore").write_text("*.log")
    offline("init", "old")
    assert (tmp_path / "old/.gitignore").read_text() == "*.log\nenv/*.secret*\n"


@pytest.mark.cluster
def test_what_init_writes_deploys(kploy: Kploy, namespace: str) -> None:
    kploy("init", "shop", "--namespace", namespace)
    result = kploy("run", "shop")
    assert result.code == 0
    assert result.lines[-1] == "✓ shop is up: 3 created"
