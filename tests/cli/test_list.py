"""``kploy list``: how the app is."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from tests.cli.conftest import Kploy, Write
from tests.cli.test_run import APP, STUCK

pytestmark = pytest.mark.cluster


def table(text: str) -> list[list[str]]:
    return [re.split(r"  +", line.strip()) for line in text.splitlines()]


def test_shows_a_row_for_each_object_with_its_status(kploy: Kploy, write: Write) -> None:
    write({**APP, "env/PASSWORD.secret": "hunter2"})
    kploy("run")
    result = kploy("list")
    assert result.code == 0
    rows = table(result.stdout)
    assert rows[0] == ["NAME", "TYPE", "STATUS", "READY", "AGE", "MANIFEST"]
    assert [[*row[:4], row[5]] for row in rows[1:]] == [
        ["web", "Deployment", "current", "2/2", "rcs/web.yaml"],
        ["web", "Service", "current", "2 ep", "services/web.yaml"],
        ["flags", "ConfigMap", "current", "1 key", "resources/flags.yaml"],
        ["kploy-secrets", "Secret", "current", "1 key", "env/"],
    ]


def test_wide_adds_images_and_urls(kploy: Kploy, write: Write) -> None:
    balanced = APP["services/web.yaml"].replace("spec:\n", "spec:\n  type: LoadBalancer\n")
    write({**APP, "services/web.yaml": balanced})
    assert kploy("run").code == 0
    rows = table(kploy("list", "-o", "wide").stdout)
    assert rows[0][-2:] == ["IMAGE", "URL"]
    assert rows[1][-2:] == ["ghcr.io/acme/web:1.0.0", "-"]
    assert re.fullmatch(r"http://[0-9.]+", rows[2][-1])


def test_an_app_that_was_never_deployed_is_listed_as_not_found_with_code_0(kploy: Kploy, write: Write) -> None:
    write(APP)
    result = kploy("list")
    assert result.code == 0
    assert [row[2] for row in table(result.stdout)[1:]] == ["not-found"] * 3
    assert kploy("list", "-o", "name").stdout == ""


def test_an_object_that_is_not_ready_says_why_on_stderr(kploy: Kploy, write: Write) -> None:
    write({"rcs/web.yaml": STUCK})
    kploy("run", "--timeout", "1s")
    result = kploy("list")
    assert result.code == 0
    assert table(result.stdout)[1][:4] == ["web", "Deployment", "in-progress", "0/2"]
    assert any(line.startswith("  deployment/web: ") for line in result.lines)


def test_json_and_yaml_say_the_same_and_parse_whatever_is_on_stderr(kploy: Kploy, write: Write) -> None:
    write(APP)
    kploy("run")
    as_json = json.loads(kploy("list", "-o", "json").stdout)
    as_yaml = yaml.safe_load(kploy("list", "-o", "yaml").stdout)
    for listing in (as_json, as_yaml):
        for row in listing["rows"]:
            assert row.pop("age") >= 0
    assert as_json == as_yaml
    assert (as_json["apiVersion"], as_json["kind"]) == ("kploy.dev/v1", "AppListing")


def test_names_are_those_that_kubectl_takes(kploy: Kploy, write: Write) -> None:
    write(APP)
    kploy("run")
    assert kploy("list", "-o", "name").stdout == "deployment.apps/web\nservice/web\nconfigmap/flags\n"


def test_what_left_the_directory_but_is_live_is_still_listed(kploy: Kploy, write: Write) -> None:
    root = write(APP)
    kploy("run")
    other = (root / "resources/flags.yaml").read_text().replace("flags", "other")
    (root / "resources/flags.yaml").write_text(other)
    rows = table(kploy("list").stdout)
    assert [(row[0], row[2], row[-1]) for row in rows[3:]] == [
        ("other", "not-found", "resources/flags.yaml"),
        ("flags", "current", "-"),
    ]
