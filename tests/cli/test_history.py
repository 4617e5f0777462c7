"""``kploy history``: the revisions, and what one of them changed."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from tests.cli.conftest import Kploy, Live, Write
from tests.cli.state import STUCK_CONFIG, config
from tests.cli.test_run import STUCK

pytestmark = pytest.mark.cluster


def rows(text: str) -> list[list[str]]:
    """A table's cells, without ages and users."""
    return [[*row[:1], *row[2:5]] for row in (re.split(r"  +", line.strip()) for line in text.splitlines())]


def test_each_deploy_is_a_revision_with_what_changed_and_what_came_of_it(kploy: Kploy, write: Write) -> None:
    write({"resources/a.yaml": config("a")})
    assert kploy("run").code == 0
    write({"rcs/web.yaml": STUCK})
    assert kploy("run", "--timeout", "6s").code == 5
    (write() / "rcs/web.yaml").unlink()
    assert kploy("run").code == 0
    assert kploy("run").code == 0
    result = kploy("history")
    assert (result.code, result.stderr) == (0, "")
    assert rows(result.stdout) == [
        ["REVISION", "OUTCOME", "CHANGES", "CAUSE"],
        ["3", "deployed", "1 pruned", "run"],
        ["2", "timed-out", "1 created", "run"],
        ["1", "deployed", "2 created", "run"],
    ]
    assert kploy("history", "-o", "name").stdout == "3\n2\n1\n"


def test_json_and_yaml_say_the_same(kploy: Kploy, write: Write) -> None:
    write({"resources/a.yaml": config("a")})
    kploy("run")
    told = json.loads(kploy("history", "-o", "json").stdout)
    assert told == yaml.safe_load(kploy("history", "-o", "yaml").stdout)
    assert (told["apiVersion"], told["kind"], told["current"]) == ("kploy.dev/v1", "AppHistory", 1)
    (revision,) = told["revisions"]
    assert (revision["outcome"], revision["cause"], revision["changes"]) == ("deployed", "run", {"created": 2})
    assert re.fullmatch(r"[^@]+@.+", revision["by"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", revision["at"])


def test_a_revision_shows_what_it_changed_and_no_secret(kploy: Kploy, write: Write) -> None:
    root = write(
        {"resources/a.yaml": config("a", "one"), "resources/b.yaml": config("b"), "env/WORD.secret": "hunter2"}
    )
    kploy("run")
    (root / "resources/b.yaml").unlink()
    write(
        {"resources/a.yaml": config("a", "two"), "resources/c.yaml": config("c"), "env/WORD.secret": "swordfish"}
    )
    kploy("run")
    result = kploy("history", "2")
    assert result.code == 0
    assert result.stdout.splitlines() == [
        "  ~ configmap/a           resources/a.yaml",
        "      data.colour",
        "        - one",
        "        + two",
        "  + configmap/c           1 key   resources/c.yaml",
        "  ~ secret/kploy-secrets  env/",
        "      data.WORD: changed (masked)",
        "  - configmap/b           pruned: its manifest is gone   resources/b.yaml",
    ]
    assert re.fullmatch(r"shop revision 2   deployed, \d+s ago: run by .+@.+", result.lines[0])
    assert result.lines[1:] == ["  what changed since revision 1"]
    assert kploy("history", "2", "-o", "name").stdout == (
        "configmap/a\nconfigmap/c\nsecret/kploy-secrets\nconfigmap/b\n"
    )
    as_json = kploy("history", "2", "-o", "json").stdout
    told = json.loads(as_json)
    assert (told["kind"], told["against"], told["revision"]["revision"]) == ("RevisionDiff", 1, 2)
    assert [change["action"] for change in told["changes"]] == ["configured", "created", "configured", "pruned"]
    assert not re.search("hunter2|swordfish|aHVudGVyMg|c3dvcmRmaXNo", as_json + result.stdout)


def test_the_first_revision_is_shown_whole(kploy: Kploy, write: Write) -> None:
    write({"resources/a.yaml": config("a")})
    kploy("run")
    result = kploy("history", "1")
    assert result.stdout == "  + configmap/a  1 key   resources/a.yaml\n"
    assert result.lines[1:] == ["  it is the first that is kept: all of it is shown"]


def test_ten_revisions_are_kept(kploy: Kploy, write: Write, live: Live) -> None:
    for number in range(12):
        write({"resources/a.yaml": config("a", str(number))})
        assert kploy("run").code == 0
    assert kploy("history", "-o", "name").stdout.split() == [str(number) for number in range(12, 2, -1)]
    secrets = live.objects(("v1", "Secret"))
    assert sorted(secrets) == sorted(f"secret/kploy-shop-r{number}" for number in range(3, 13))
    result = kploy("history", "2")
    assert (result.code, result.stdout) == (2, "")
    assert result.lines == ["error: there is no revision 2", "  those that are kept: 3 to 12; see kploy history"]


@pytest.mark.parametrize("arguments", [("history",), ("history", "1"), ("rollback",), ("rollback", "1")])
def test_an_app_that_was_never_deployed_has_no_history(
    kploy: Kploy, write: Write, live: Live, arguments: tuple[str, ...]
) -> None:
    write({"resources/a.yaml": STUCK_CONFIG})
    result = kploy(*arguments)
    assert (result.code, result.stdout) == (6, "")
    assert result.lines == [
        f"error: there is no app shop in namespace {live.namespace}: it was never deployed there",
        "  kploy run",
    ]
