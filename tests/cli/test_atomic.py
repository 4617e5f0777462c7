"""``kploy run --atomic``: when it fails, the last good revision is deployed again."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Kploy, Live, Write
from tests.cli.state import config, configs
from tests.cli.test_history import rows
from tests.cli.test_run import STUCK, WEB

pytestmark = pytest.mark.cluster


def test_a_run_that_is_not_ready_in_time_is_undone(kploy: Kploy, write: Write, live: Live) -> None:
    write({"rcs/web.yaml": WEB, "resources/a.yaml": config("a")})
    assert kploy("run").code == 0
    write({"rcs/web.yaml": STUCK, "resources/b.yaml": config("b")})
    result = kploy("run", "--atomic", "--timeout", "8s")
    assert result.code == 5
    assert [line for line in result.lines if "revision 1" in line and "serving" not in line] == [
        "it failed: going back to revision 1",
        "revision 1 is back",
    ]
    assert configs(live) == ["a"]
    web = live.objects(("apps/v1", "Deployment"))["deployment/web"]
    assert "nodeSelector" not in web["spec"]["template"]["spec"]
    assert [row[:2] + row[3:] for row in rows(kploy("history").stdout)[1:]] == [
        ["3", "deployed", "rollback to 1"],
        ["2", "timed-out", "run"],
        ["1", "deployed", "run"],
    ]


def test_what_was_never_good_stays_as_it_is(kploy: Kploy, write: Write, live: Live) -> None:
    write({"rcs/web.yaml": STUCK, "resources/a.yaml": config("a")})
    result = kploy("run", "--atomic", "--timeout", "6s")
    assert result.code == 5
    assert "there is no good revision to go back to: what was applied stays" in result.lines
    assert configs(live) == ["a"]


def test_a_run_that_is_good_is_a_run(kploy: Kploy, write: Write) -> None:
    write({"resources/a.yaml": config("a")})
    assert kploy("run", "--atomic").lines[-1] == "✓ shop is up: 2 created"
