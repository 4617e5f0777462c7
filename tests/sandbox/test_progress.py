from __future__ import annotations

import pytest

from kploy.sandbox.progress import Phase, Progress


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress(Phase.WAITING), "waiting for another kploy"),
        (Progress(Phase.DOWNLOADING, seconds=0.4), "downloading modules"),
        (Progress(Phase.DOWNLOADING, 12, seconds=9), "downloading modules: 12 so far, 0:09"),
        (Progress(Phase.COMPILING, 0, 2707, 3), "compiling, 0:03"),
        (Progress(Phase.COMPILING, 412, 2707, 65.9), "compiling: 412 of 2707 packages, 1:05"),
        (Progress(Phase.COMPILING, 2706, 2707, 3600), "compiling: 2706 of 2707 packages, 60:00"),
        (Progress(Phase.STARTING), "starting the control plane"),
        (Progress(Phase.JOINING, 0, 3), "waiting for the nodes: 0 of 3 ready"),
    ],
)
def test_says_how_far_it_is(progress: Progress, text: str) -> None:
    assert str(progress) == text
