"""``kploy list``: how the app is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kploy.cluster.port import Forbidden
from kploy.engine.prepare import prepare
from kploy.engine.status import listing_of
from kploy.model.objects import Resource
from kploy.sandbox import Sandbox
from tests.cli.conftest import Kploy, Live, Write
from tests.cli.test_run import APP, STUCK, WEB
from tests.eventually import eventually
from tests.fakes import Unwilling

pytestmark = pytest.mark.cluster

ILLEGIBLE = {"Kployfile": "name: shop\nname: shop\nnam: x\n", "rcs/web.yaml": "kind: Deployment\n"}


def table(text: str) -> list[list[str]]:
    return [re.split(r"  +", line.strip()) for line in text.splitlines()]


def test_shows_a_row_for_each_object_with_its_status(kploy: Kploy, write: Write) -> None:
    write({**APP, "env/PASSWORD.secret": "hunter2"})
    kploy("run")
    eventually(lambda: "2 ep" in kploy("list").stdout)  # A run waits for the first endpoint only.
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


def test_who_to_ask_is_told_and_no_password_in_an_address(kploy: Kploy, write: Write) -> None:
    kployfile = write(APP) / "Kployfile"
    whose = "author: Ada\nsource: https://ada:hunter2@git.example.com/shop\n"
    kployfile.write_text(kployfile.read_text() + whose)
    result = kploy("list", "-o", "wide")
    assert [line for line in result.lines if line.startswith("  author")] == ["  author Ada"]
    assert "  source ••••••" in result.lines
    listing = json.loads(kploy("list", "-o", "json").stdout)
    assert (listing["author"], listing["source"]) == ("Ada", "••••••")


def test_an_app_that_was_never_deployed_is_listed_as_not_found_with_code_0(kploy: Kploy, write: Write) -> None:
    write(APP)
    result = kploy("list")
    assert result.code == 0
    assert [row[2] for row in table(result.stdout)[1:]] == ["not-found"] * 3
    assert kploy("list", "-o", "name").stdout == ""


def test_an_object_that_is_not_ready_says_why_on_stderr(kploy: Kploy, write: Write) -> None:
    write({"rcs/web.yaml": STUCK})
    kploy("run", "--timeout", "6s")
    result = kploy("list")
    assert result.code == 0
    assert table(result.stdout)[1][:4] == ["web", "Deployment", "in-progress", "0/2"]
    assert any(line.startswith("  deployment/web: ") for line in result.lines)


def test_pods_that_fail_are_told_by_what_they_fail_of(kploy: Kploy, write: Write) -> None:
    write(
        {
            "rcs/web.yaml": WEB.replace(
                "    spec:", "      annotations: {sandbox.kploy.dev/plays: no-command}\n    spec:"
            )
        }
    )
    kploy("run", "--timeout", "1m")
    result = kploy("list")
    assert table(result.stdout)[1][:4] == ["web", "Deployment", "failed", "0/2"]
    assert any("executable file not found" in line for line in result.lines)


def test_json_and_yaml_say_the_same_and_parse_whatever_is_on_stderr(kploy: Kploy, write: Write) -> None:
    write(APP)
    kploy("run")
    eventually(lambda: "2 ep" in kploy("list").stdout)
    as_json = json.loads(kploy("list", "-o", "json").stdout)
    as_yaml = yaml.safe_load(kploy("list", "-o", "yaml").stdout)
    for listing in (as_json, as_yaml):
        assert listing.pop("deployed") >= 0
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


def test_the_last_of_its_kind_that_left_the_directory_is_still_listed(kploy: Kploy, write: Write) -> None:
    root = write(APP)
    kploy("run")
    (root / "resources/flags.yaml").unlink()
    (root / "services/web.yaml").unlink()
    assert [(row[0], row[1], row[-1]) for row in table(kploy("list").stdout)[1:]] == [
        ("web", "Deployment", "rcs/web.yaml"),
        ("flags", "ConfigMap", "-"),
        ("web", "Service", "-"),
    ]


class _Guarded(Unwilling):
    """A cluster that lets nobody list some kinds."""

    forbidden: frozenset[str]

    def refusal(self, method: str, resource: Resource) -> Exception | None:
        is_guarded = method == "list" and resource.kind in self.forbidden
        return Forbidden(f"{resource.plural} is forbidden") if is_guarded else None


def test_a_kind_that_may_not_be_listed_matters_only_if_it_has_a_manifest(
    kploy: Kploy, write: Write, live: Live
) -> None:
    root = write(APP)
    kploy("run")
    (root / "resources/flags.yaml").unlink()
    prepared = prepare(root, offline=True)
    assert prepared.app is not None
    cluster = _Guarded(live.api)
    cluster.forbidden = frozenset({"ConfigMap", "Secret", "Role"})
    listing = listing_of(prepared.app, prepared.graph, cluster)
    assert [str(row.ref) for row in listing.rows] == ["deployment/web", "service/web"]
    assert max(cluster.count("list").values()) == 1
    cluster.forbidden = frozenset({"Service"})
    with pytest.raises(Forbidden):
        listing_of(prepared.app, prepared.graph, cluster)


@pytest.mark.parametrize("output", ["table", "json", "yaml", "name"])
def test_all_that_is_wrong_with_an_illegible_app_is_shown_on_stderr(
    offline: Kploy, write: Write, output: str
) -> None:
    write(ILLEGIBLE)
    result = offline("list", "-o", output)
    assert (result.code, result.stdout) == (3, "")
    assert [line for line in result.lines if line.startswith(("error[", "  Kployfile:", "  rcs/"))] == [
        "error[duplicate-key]: `name` stands here for the second time",
        "  Kployfile:2:1",
        "error[unknown-key]: `nam` is not a key of a Kployfile",
        "  Kployfile:3:1",
        "error[missing-api-version]: this manifest has no `apiVersion`",
        "  rcs/web.yaml:1:1",
        "error[missing-name]: this manifest has no `metadata.name`",
        "  rcs/web.yaml:1:1",
    ]


def test_an_app_without_any_manifest_left_is_listed(kploy: Kploy, write: Write) -> None:
    root = write({"resources/flags.yaml": APP["resources/flags.yaml"]})
    kploy("run")
    (root / "resources/flags.yaml").unlink()
    assert [row[0] for row in table(kploy("list").stdout)[1:]] == ["flags"]


@pytest.mark.parametrize("output", ["table", "json"])
def test_a_listing_that_is_lost_is_not_exit_code_0(
    cluster: Sandbox, write: Write, tmp_path: Path, output: str
) -> None:
    write(APP)
    command = f"{sys.executable} -m kploy list -o {output} --kubeconfig {cluster.kubeconfig} > /dev/full"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("error: the output is not complete: No space left on device\n")
