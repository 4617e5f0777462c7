"""``kploy destroy``: everything goes, in the reverse order, and nothing else."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from kploy.sandbox import Sandbox
from tests.cli.conftest import Kploy, Live, Write
from tests.cli.state import CLAIM, STUCK_CONFIG, config, configs, listed, phase, rest, started, until
from tests.cli.test_run import APP
from tests.cli.test_waiting import create
from tests.ui.pseudo_terminal import Shown, on_terminal

pytestmark = pytest.mark.cluster

STATE = (("v1", "ConfigMap"), ("v1", "Secret"), ("coordination.k8s.io/v1", "Lease"))


def of_kploy(live: Live) -> list[str]:
    return [name for name in sorted(live.objects(*STATE)) if "kploy-shop" in name]


def test_everything_goes_the_workload_before_what_it_needs_and_the_namespace_last(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({**APP, "rcs/web.yaml": APP["rcs/web.yaml"] + "          envFrom: [{configMapRef: {name: flags}}]\n"})
    assert kploy("run").code == 0
    result = kploy("destroy", "--yes")
    assert result.code == 0
    gone = [line.split()[1] for line in result.lines if line.startswith("  ✓")]
    assert sorted(gone) == ["configmap/flags", "deployment/web", "service/web"]
    assert gone.index("deployment/web") < gone.index("configmap/flags")
    assert result.lines[-1].startswith("✓ shop is gone: 3 deleted")
    assert not live.namespace_exists()


def test_a_namespace_that_kploy_did_not_make_stays(kploy: Kploy, write: Write, live: Live) -> None:
    create(live, "", "v1", "Namespace", live.namespace)
    write({"resources/a.yaml": config("a")})
    assert kploy("run").code == 0
    assert kploy("destroy", "--yes").code == 0
    assert live.namespace_exists()
    assert (configs(live), of_kploy(live)) == ([], [])


def test_a_namespace_with_something_of_others_in_it_stays_and_it_is_said(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"resources/a.yaml": config("a")})
    assert kploy("run").code == 0
    create(live, live.namespace, "v1", "ConfigMap", "theirs")
    result = kploy("destroy", "--yes")
    assert result.code == 0
    assert f"namespace/{live.namespace} stays: there is still configmap/theirs" in result.stderr
    assert sorted(live.objects(("v1", "ConfigMap"))) == ["configmap/kube-root-ca.crt", "configmap/theirs"]
    assert of_kploy(live) == []


def test_a_finalizer_that_stays_is_named_with_code_5_and_the_next_destroy_goes_on(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"resources/a.yaml": config("a"), "resources/stuck.yaml": STUCK_CONFIG})
    assert kploy("run").code == 0
    result = kploy("destroy", "--yes", "--timeout", "3s")
    assert result.code == 5
    assert any(
        "configmap/stuck" in line and "not gone: waiting for example.com/hold" in line for line in result.lines
    )
    assert result.lines[-3].startswith("✗ shop is not gone after")
    assert result.lines[-2:] == ["  wait  kploy destroy --timeout 10m", "  look  kploy list"]
    assert (listed(live), phase(live)) == (["stuck"], "destroying")
    assert kploy("list").lines[0].endswith("   destroyed in part, 1 left")
    live.release("stuck")
    assert kploy("destroy", "--yes").code == 0
    assert not live.namespace_exists()


def test_volumes_and_what_is_to_be_kept_stay_until_all_is_asked_for(
    kploy: Kploy, write: Write, live: Live
) -> None:
    kept = config("kept", **{"kploy.dev/keep": "true"})
    write({"resources/a.yaml": config("a"), "resources/kept.yaml": kept, "resources/data.yaml": CLAIM})
    kploy("run", "--timeout", "6s")
    result = kploy("destroy", "--yes")
    assert result.code == 0
    assert "stays: it holds data" in result.stderr
    assert "stays: kploy.dev/keep asks for it" in result.stderr
    assert (configs(live), listed(live), phase(live)) == (["kept"], ["data", "kept"], "destroyed")
    result = kploy("list")
    assert result.lines[0].endswith("   destroyed, 2 kept")
    assert [line.split()[:3] for line in result.stdout.splitlines()[1:]] == [
        ["a", "ConfigMap", "not-found"],
        ["data", "PersistentVolumeClaim", "in-progress"],
        ["kept", "ConfigMap", "current"],
    ]
    assert json.loads(kploy("list", "-o", "json").stdout)["outcome"] == "destroyed"
    assert kploy("run", "--timeout", "6s").code == 5
    assert kploy("list").lines[0].endswith(" ago, timed-out")
    result = kploy("destroy", "--yes", "--all")
    assert result.code == 0
    assert live.objects(("v1", "PersistentVolumeClaim")) == {}
    assert (configs(live), listed(live)) == (["kept"], ["kept"])


def test_without_a_terminal_and_without_yes_nothing_is_deleted(kploy: Kploy, write: Write, live: Live) -> None:
    write({"resources/a.yaml": config("a")})
    kploy("run")
    before = live.versions(*STATE)
    result = kploy("destroy")
    assert result.code == 2
    assert result.lines[-2:] == [
        "error: there is no terminal to ask on; nothing was changed",
        "  say --yes if it is meant",
    ]
    assert live.versions(*STATE) == before


def typed(cluster: Sandbox, app: Path, name: str) -> Shown:
    command = [sys.executable, "-m", "kploy", "destroy"]
    environment = {"KUBECONFIG": str(cluster.kubeconfig), "PYTHONPATH": ":".join(sys.path)}
    return on_terminal(command, ("to delete all that:", f"{name}\n"), cwd=app, environment=environment)


def test_the_name_has_to_be_typed(cluster: Sandbox, kploy: Kploy, write: Write, live: Live) -> None:
    root = write({"resources/a.yaml": config("a")})
    kploy("run")
    before = live.versions(*STATE)
    shown = typed(cluster, root, "shopp")
    assert shown.code == 2
    assert live.namespace in shown.rows[0] + shown.rows[1]
    # What is typed is not shown here, its end of the line neither; the row is full after 80 columns.
    assert shown.rows[-4:] == [
        "  - configmap/a",
        "Type the name of the app, shop, to delete all that: error: that is not its name;",
        " nothing was changed",
        "",
    ]
    assert live.versions(*STATE) == before
    assert typed(cluster, root, "shop").code == 0
    assert not live.namespace_exists()


@pytest.mark.parametrize(
    ("reaction", "code", "last"),
    [
        ("\x04", 2, "error: that is not its name; nothing was changed"),
        (signal.SIGTERM, 130, "kploy: left at once; nothing was written"),
    ],
    ids=["Ctrl-D", "term"],
)
def test_what_ends_the_question_is_told_on_a_line_of_its_own(
    cluster: Sandbox, kploy: Kploy, write: Write, live: Live, reaction: str | signal.Signals, code: int, last: str
) -> None:
    root = write({"resources/a.yaml": config("a")})
    kploy("run")
    before = live.versions(*STATE)
    environment = {"KUBECONFIG": str(cluster.kubeconfig), "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-m", "kploy", "destroy"]
    shown = on_terminal(command, ("to delete all that:", reaction), cwd=root, environment=environment)
    assert (shown.code, shown.rows[-2:]) == (code, [last, ""])
    assert live.versions(*STATE) == before


def test_an_app_that_is_not_there_is_refused(kploy: Kploy, write: Write, live: Live) -> None:
    write({"resources/a.yaml": config("a")})
    result = kploy("destroy", "--yes")
    assert result.code == 6
    assert result.lines == [
        f"error: there is no app shop in namespace {live.namespace}: it has no inventory there",
        "  if objects of it are left: kploy repair finds them by their label",
    ]


def test_a_namespace_that_is_being_deleted_is_waited_for(
    cluster: Sandbox, kploy: Kploy, write: Write, live: Live
) -> None:
    root = write({"resources/stuck.yaml": STUCK_CONFIG})
    kploy("run")
    live.delete_namespace()
    with started(cluster, root, "destroy", "--yes") as process:
        until(process, "is being deleted already")
        live.release("stuck")
        assert rest(process)[0] == 0
    assert not live.namespace_exists()


def test_objects_of_others_are_left_alone_even_if_they_took_the_place_of_ours(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"resources/a.yaml": config("a"), "resources/b.yaml": config("b")})
    kploy("run")
    path = f"/api/v1/namespaces/{live.namespace}/configmaps"
    live.admin.request("DELETE", f"{path}/a")
    create(live, live.namespace, "v1", "ConfigMap", "a")
    before = live.versions(("v1", "ConfigMap"))["configmap/a"]
    assert kploy("destroy", "--yes").code == 0
    assert live.versions(("v1", "ConfigMap"))["configmap/a"] == before
