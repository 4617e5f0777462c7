"""What a file of the app is called by those who look at the whole repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from kploy.ui.tree import Tree, tree_of


@pytest.fixture
def app(tmp_path: Path) -> Path:
    made = tmp_path / "work" / "repo" / "apps" / "shop"
    made.mkdir(parents=True)
    return made


def test_in_a_git_repository_it_is_relative_to_its_root(app: Path, tmp_path: Path) -> None:
    repo = tmp_path / "work" / "repo"
    (repo / ".git").mkdir()
    expected = Tree(app, repo)
    assert tree_of(app, workspace=None) == expected
    assert tree_of(app, workspace=str(tmp_path / "work")) == expected
    assert tree_of(app, workspace=str(repo)) == expected
    assert expected.path("rcs/web.yaml") == "apps/shop/rcs/web.yaml"


def test_a_repository_around_the_workspace_is_not_meant(app: Path, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert tree_of(app, workspace=str(tmp_path / "work")) == Tree(app, tmp_path / "work")


def test_a_worktree_has_a_file_instead_of_the_directory(app: Path) -> None:
    (app / ".git").write_text("gitdir: elsewhere\n")
    assert tree_of(app, workspace=None).path("Kployfile") == "Kployfile"


def test_without_a_repository_the_workspace_is_the_root(app: Path, tmp_path: Path) -> None:
    assert tree_of(app, workspace=str(tmp_path)).path("env/") == "work/repo/apps/shop/env"


def test_outside_of_the_workspace_it_is_absolute(app: Path, tmp_path: Path) -> None:
    tree = tree_of(app, workspace=str(tmp_path / "other"))
    assert tree.path("rcs/web.yaml") == f"{app}/rcs/web.yaml"
    assert not tree.holds(tree.path("rcs/web.yaml"))


def test_links_are_followed_on_both_sides(app: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "work")
    tree = tree_of(tmp_path / "link" / "repo" / "apps" / "shop", workspace=str(tmp_path / "link"))
    assert tree == Tree(app, tmp_path / "work")


def test_without_any_of_it_the_working_directory_is_the_root_or_the_app_itself(app: Path, tmp_path: Path) -> None:
    assert tree_of(app, workspace=None, here=str(tmp_path)).path("Kployfile") == "work/repo/apps/shop/Kployfile"
    assert tree_of(app, workspace=None, here=str(app / "rcs")).path("Kployfile") == "Kployfile"


@pytest.mark.parametrize("name", ["not-there", "a" * 300, "loop", "loop/a"])
def test_whatever_is_there_it_does_not_raise(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert tree_of(tmp_path / name, workspace=str(tmp_path)).root == tmp_path
