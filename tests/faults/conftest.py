"""What is shared by the tests that harm kploy while it works.

Those marked ``faults`` take long. They run only where a marker expression names
them: ``make test-faults``, or ``pytest -m faults``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from kploy.sandbox import Sandbox
from kploy.sandbox.api import api_of
from tests.faults.scenarios import Files
from tests.faults.stage import Picture, Stage
from tests.forked import Forked, Limits


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long, unless it was asked for."""
    if "faults" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("faults")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    """A kploy that starts quickly."""
    with Forked(tmp_path_factory.mktemp("forked"), Limits(patience=120), KPLOY_TRACEBACK="1") as started:
        yield started


@pytest.fixture
def stage(cluster: Sandbox, forked: Forked, tmp_path: Path) -> Iterator[Stage]:
    """An app in a namespace of its own, deployed through a proxy."""
    made = Stage(api_of(cluster), forked, tmp_path, f"kill-{uuid4().hex[:12]}")
    yield made
    made.close()


@pytest.fixture(scope="session")
def picture_of(
    cluster: Sandbox, forked: Forked, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Files], Picture]:
    """What an undisturbed run makes of an app, where it never was before."""
    known: dict[int, Picture] = {}

    def picture(files: Files) -> Picture:
        if id(files) not in known:
            stage = Stage(api_of(cluster), forked, tmp_path_factory.mktemp("calm"), f"calm-{uuid4().hex[:12]}")
            assert stage.kploy(files, "run").code == 0
            known[id(files)] = stage.picture()
            stage.close()
        return known[id(files)]

    return picture
